package project

import (
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

// complainNotify refuses hooks, and marks, that are there twice.
func complainNotify(f *strict.File) {
	first := map[[2]string]int{}
	strict.Each(f, "notify", func(i int, n Notify) {
		of := [2]string{n.Kind(), string(n.URL)}
		if j, twice := first[of]; twice {
			f.Complain(at("notify", i), "notify %d tells the same hook as notify %d: put all marks into one", i+1, j+1)
			return
		}
		first[of] = i
		seen := map[notice.Mark]bool{}
		for _, m := range n.At {
			if seen[m] {
				f.Complain(at("notify", i), "notify %d has %s twice: it is told once", i+1, m)
			}
			seen[m] = true
		}
	})
}
