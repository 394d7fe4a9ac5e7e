package mockapi

import (
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
	"github.com/hsharness/hsharness/internal/nomenclature"
)

// goods finds codes for what the operations read. The catalogue is asked for by the
// first of them: to read it takes longer than to start a command.
type goods struct {
	catalogue func() *catalogue.Catalogue
	schedules *nomenclature.Schedules
}

// Prepare reads the catalogue, for which the first that asks for a code waits otherwise.
func (s *Server) Prepare() { s.goods.catalogue() }

// found is a code with where it comes from.
type found struct {
	code, title string
	confidence  float64
	// padded tells that the digits after the sixth are zeros that stand for a
	// national code: there is no schedule of that country.
	padded bool
}

// find returns at most n codes, best first, or none for a thin description.
// The material stands before the text, as people write it: wool scarf.
func (g goods) find(p product, n int) []found {
	text := strings.TrimSpace(p.material + " " + p.text)
	var matches []catalogue.Match
	if n > 1 {
		matches = g.catalogue().Search(text, n)
	} else if m, ok := g.catalogue().Classify(catalogue.Query{Text: text, More: p.more}); ok {
		matches = append(matches, m)
	}
	out := make([]found, len(matches))
	for i, m := range matches {
		out[i] = found{code: m.HS6, title: m.Name, confidence: m.Confidence}
		out[i].code, out[i].padded = g.national(m.HS6, p.country, text)
	}
	return out
}

// lengthen makes six digits as long as a country's codes.
func (g goods) lengthen(p product) found {
	f := found{title: p.text}
	f.code, f.padded = g.national(p.hs6, p.country, strings.TrimSpace(p.material+" "+p.text))
	if kind, ok := g.catalogue().Find(p.hs6); ok {
		f.title, f.confidence = kind.Name, 1
	}
	return f
}

// national is a code that can be declared in a country, chosen by the text under the
// six digits, or those and zeros where no schedule has a line. It keeps the six digits
// where the request names no country.
func (g goods) national(hs6, country, text string) (code string, padded bool) {
	if country == "" {
		return hs6, false
	}
	if schedule, ok := g.schedules.Of(country); ok {
		if line, ok := catalogue.Choose(schedule, hs6, text); ok {
			return line.Code, false
		}
	}
	return catalogue.National(hs6, country)
}

// exists tells whether there are such six digits, in the nomenclature or in a
// catalogue of a user's.
func (g goods) exists(hs6 string) bool {
	_, listed := g.catalogue().Find(hs6)
	return listed || nomenclature.Exists(hs6)
}

// judge fills in a managed classification's final result.
func (g goods) judge(c *classification) {
	it := c.Item
	p := product{text: it.Description, more: []string{it.Summary, it.ItemGroup}, country: c.CountryOfDestination}
	for _, list := range [][]parameter{it.ClassificationParameters, it.Parameters} {
		for _, param := range list {
			switch param.Name {
			case "material":
				p.material = param.Value
			case "description":
				p.more = append(p.more, param.Value)
			}
		}
	}
	if c.Activity == activitySix {
		p.country = ""
	}
	best := g.find(p, 1)
	if len(best) == 0 {
		resolution := catalogue.NotEnough
		c.Status, c.Resolution = statusUnclassified, &resolution
		return
	}
	f := best[0]
	confidence, why := strconv.FormatFloat(f.confidence, 'f', 2, 64), "similar product: "+f.title
	if !f.padded {
		why += "; " + g.edition(p.country, f)
	} else {
		why += "; the digits after the sixth are zeros"
	}
	c.Status, c.HSCode, c.Confidence, c.ConfidenceDescription = statusClassified, &f.code, &confidence, &why
}
