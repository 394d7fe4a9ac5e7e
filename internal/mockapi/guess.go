package mockapi

import (
	"encoding/json"
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
)

// Guess is what the mock makes of one product of a request.
type Guess struct {
	// HS6 are its six digits, given by the request or found by the catalogue. Empty is a
	// description that is too thin.
	HS6 string
	// Country is where it goes, empty where the request does not say.
	Country string
}

// Guesses reads a request leniently, as the operations do with the built-in names, and
// says what the mock takes each product for. It answers nothing: the codes are those of
// the catalogue of everyday goods.
func Guesses(body []byte) []Guess {
	t, err := assumedTemplates()
	var fields map[string]json.RawMessage
	if err != nil || json.Unmarshal(body, &fields) != nil {
		return nil
	}
	all := []json.RawMessage{body}
	if items, ok := t.names.items(fields); ok && len(items) > 0 {
		all = items
	}
	var out []Guess
	for _, one := range all {
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(one, &fields) // an object, or null
		p := t.names.product(fields)
		g := Guess{HS6: p.hs6, Country: p.country}
		if text := strings.TrimSpace(p.material + " " + p.text); g.HS6 == "" && text != "" {
			if m, ok := catalogue.Default().Classify(catalogue.Query{Text: text, More: p.more}); ok {
				g.HS6 = m.HS6
			}
		}
		if g != (Guess{}) {
			out = append(out, g)
		}
	}
	return out
}
