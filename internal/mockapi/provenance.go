package mockapi

import (
	"slices"
	"strings"
)

// The headers that say of a mock's answer what its body has no member for, as no
// public source shows one: of which editions its codes are, and that some of them are
// no lines that can be declared, but six digits and zeros.
const (
	editionHeader = "Hsharness-Edition"
	codeHeader    = "Hsharness-Code"
)

// provenance is where an answer's codes come from.
type provenance struct {
	editions []string
	assumed  bool
}

func (p *provenance) add(g goods, country string, f found) {
	for e := range strings.SplitSeq(g.edition(country, f), ", ") {
		if !slices.Contains(p.editions, e) {
			p.editions = append(p.editions, e)
		}
	}
	p.assumed = p.assumed || f.padded
}

// edition names the editions that a code is of.
func (g goods) edition(country string, f found) string {
	if f.padded {
		country = ""
	}
	return g.schedules.Edition(country)
}

// header is what an answer has on top; nil for one without a code.
func (p *provenance) header() map[string]string {
	if len(p.editions) == 0 {
		return nil
	}
	h := map[string]string{editionHeader: strings.Join(p.editions, ", ")}
	if p.assumed {
		h[codeHeader] = "assumed"
	}
	return h
}
