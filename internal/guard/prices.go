package guard

import (
	"net/http"
	"strings"
	"sync"
)

// Of how many requests a guard knows the rules, and how long their methods and paths may
// be, in bytes: tests ask a handful of paths again and again. Beyond it the memory starts
// anew.
const (
	mostRuled    = 256
	longestRuled = 256
)

// prices are the price lists of a guard, of which the dearest counts, and which of their
// rules are for the requests that came. It is safe for concurrent use.
type prices struct {
	lists []Operations

	mu    sync.RWMutex
	known map[ruling][]ruled
}

// ruling is all of a request that says which rules it has. Only the number of its items
// is in its body.
type ruling struct{ method, path string }

// ruled is what a list says.
type ruled struct {
	rule    Operation
	unknown *UnknownOperationError // nil where there is a rule
}

// of gives what each list says of a request, its path as on the wire.
func (p *prices) of(method, path string) []ruled {
	p.mu.RLock()
	all, ok := p.known[ruling{method, path}]
	p.mu.RUnlock()
	if ok {
		return all
	}
	method, path = strings.Clone(method), strings.Clone(path) // they are parts of a longer text
	all = make([]ruled, len(p.lists))
	for i, ops := range p.lists {
		all[i].rule, all[i].unknown = ops.rule(method, path)
	}
	if len(method)+len(path) <= longestRuled {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.known == nil || len(p.known) >= mostRuled {
			p.known = map[ruling][]ruled{}
		}
		p.known[ruling{method, path}] = all
	}
	return all
}

// price is what the dearest list says. A request that one list can't count, or
// takes for another spelling of an operation, has no price; one that a list does
// not know may have one by another. But what is bought is paid by the run, whose own list
// is the last: what that does not know has no price, whatever a client says it costs.
func (g *Guard) price(r *http.Request, body []byte) (Price, error) {
	var dearest Price
	var unknown *UnknownOperationError
	found := false
	lists := g.prices.of(r.Method, r.URL.EscapedPath())
	if of := lists[len(lists)-1].unknown; of != nil && g.cfg.Mode.Buys() {
		return Price{}, of
	}
	for _, list := range lists {
		if unknown = list.unknown; unknown != nil {
			if unknown.Like != nil {
				return Price{}, unknown
			}
			continue
		}
		p, err := list.rule.price(body)
		if err != nil {
			return Price{}, err
		}
		if !found || p.Units > dearest.Units {
			dearest, found = p, true
		}
	}
	if !found {
		return Price{}, unknown
	}
	return dearest, nil
}
