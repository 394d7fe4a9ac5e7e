package project

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/strict"
)

// Notify says who is told of what.
type Notify struct {
	At []notice.Mark `yaml:"at"`
	// URL is as it is written, for it is a secret: see [Project.HookURL].
	URL guard.Secret `yaml:"url"`
	// Template is what is sent: slack, teams or json. Empty is json.
	Template string `yaml:"template"`
}

// Name tells a hook from others in the ledger. It is made of the URL as it is written, so
// that a variable may get another value and the hook stays the same, and tells nobody the
// URL.
func (n Notify) Name() string {
	sum := sha256.Sum256([]byte(n.URL))
	return n.Kind() + "-" + hex.EncodeToString(sum[:6])
}

// Kind is the template.
func (n Notify) Kind() string {
	if n.Template == "" {
		return "json"
	}
	return n.Template
}

// HookURL is where the hook at a position is, as it is written. Reading the file never
// expands it: who sends nothing is not to have it.
func (p *Project) HookURL(i int) Text { return Text{at("notify", i) + ".url", string(p.Notify[i].URL)} }

// checkHook takes a URL, and texts with variables, whose values are looked at when they
// are used.
func checkHook(text string) error {
	if err := checkVariables(text); err != nil || strings.Contains(text, "${") {
		return err
	}
	_, err := notice.ReadURL(text)
	return err
}

// complainNotify refuses hooks that the ledger could not tell apart, and marks that are
// there twice.
func complainNotify(f *strict.File) {
	first := map[string]int{}
	strict.Each(f, "notify", func(i int, n Notify) {
		if j, twice := first[n.Name()]; twice {
			f.Complain(at("notify", i), "notify %d tells the same hook as notify %d: put all marks into one", i+1, j+1)
			return
		}
		first[n.Name()] = i
		seen := map[notice.Mark]bool{}
		for _, m := range n.At {
			if seen[m] {
				f.Complain(at("notify", i), "notify %d has %s twice: it is told once", i+1, m)
			}
			seen[m] = true
		}
	})
}

// Hooks are those that the ledger is to note notices for.
func (p *Project) Hooks() []notice.Hook {
	hooks := make([]notice.Hook, len(p.Notify))
	for i, n := range p.Notify {
		hooks[i] = notice.Hook{Name: n.Name(), At: n.At}
	}
	return hooks
}
