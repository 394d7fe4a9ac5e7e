package scenario

import (
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
}

// newHider prepares for the texts that a case read from the environment.
func newHider(texts []string) hider {
	var h hider
	for _, text := range texts {
		find, err := secret.NewFinder(secret.Secret{Name: "env", Value: text})
		switch {
		case err == nil:
			h.find = h.find.With(find)
		case utf8.RuneCountInString(text) >= shortSecret: // too short to be looked for in every spelling
			h.short = append(h.short, text)
		}
	}
	return h
}

// hide puts *** in the place of each.
func (h hider) hide(text string) string {
	for _, short := range h.short {
		text = strings.ReplaceAll(text, short, "***")
	}
	return h.find.Mask(text)
}

// jwt is anything that looks like a token.
var jwt = pattern.New(`eyJ[A-Za-z0-9_.-]{8,}`)

// report is a text as a report may show it: without tokens, too.
func (h hider) report(text string) string { return h.hide(jwt.ReplaceAllString(text, "***")) }
