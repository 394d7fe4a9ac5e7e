package scenario

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/secret"
)

// shortSecret is how many characters a text from the environment must have to be
// masked: hiding every "1" or "US" of a report would hide no secret.
const shortSecret = 4

// hider hides texts of the environment in what a report shows.
type hider struct {
	find *secret.Finder
	// short are those that are too short to be looked for in every spelling.
	short []string
	// all are those that may be cut.
	all []string
}

// newHider prepares for the texts that a case read from the environment.
func newHider(texts []string) hider {
	var h hider
	for _, text := range texts {
		find, err := secret.NewFinder(secret.Secret{Name: "env", Value: text})
		quoted := strconv.Quote(text) // as most messages write it
		quoted = quoted[1 : len(quoted)-1]
		switch {
		case err == nil:
			h.find = h.find.With(find)
		case utf8.RuneCountInString(text) >= shortSecret: // too short to be looked for in every spelling
			h.short = append(h.short, text, quoted)
		default:
			continue
		}
		h.all = append(h.all, text, quoted)
	}
	return h
}

// hide puts *** in the place of each.
func (h hider) hide(text string) string {
	for _, short := range h.short {
		text = strings.ReplaceAll(text, short, "***")
	}
	text = h.hideCut(text)
	return h.find.Mask(text)
}

// hideCut hides the beginning of a secret at which a text that is too long was cut: of
// several that it may be, the longest. One that is whole there may end as it begins.
func (h hider) hideCut(text string) string {
	var b strings.Builder
	for len(h.all) > 0 {
		before, after, cut := strings.Cut(text, ellipsis)
		if !cut {
			break
		}
		most := 0
		for _, whole := range h.all {
			for n := min(len(whole), len(before)); n >= max(shortSecret, most+1); n-- {
				if strings.HasSuffix(before, whole[:n]) {
					most = n
				}
			}
		}
		if most > 0 {
			before = before[:len(before)-most] + "***"
		}
		b.WriteString(before + ellipsis)
		text = after
	}
	return b.String() + text
}

// ellipsis stands where a text is cut.
const ellipsis = "…"

// jwt is anything that looks like a token.
var jwt = pattern.New(`eyJ[A-Za-z0-9_.-]{8,}`)

// report is a text as a report may show it: without tokens, too.
func (h hider) report(text string) string { return h.hide(jwt.ReplaceAllString(text, "***")) }
