package resolver

import (
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"
)

// How much is kept of what was asked for: a program that asks for a million names
// costs its guard no memory.
const (
	shown   = 100   // names that Asked tells
	kept    = 400   // names of which those are chosen, when what search domains made of them is gone
	counted = 10000 // others, of which only their number is known
)

// asked are the names that were asked for and are not there.
type asked struct {
	search []string

	mu     sync.Mutex
	names  map[string]struct{}
	others map[uint64]struct{}
	seed   maphash.Seed
}

func (a *asked) add(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.names == nil {
		a.names, a.others, a.seed = make(map[string]struct{}), make(map[uint64]struct{}), maphash.MakeSeed()
	}
	if _, ok := a.names[name]; ok {
		return
	}
	if len(a.names) < kept {
		a.names[name] = struct{}{}
		return
	}
	if len(a.others) < counted {
		a.others[maphash.String(a.seed, name)] = struct{}{}
	}
}

// Asked tells the names that were asked for and are not there: sorted, each once, in
// lower case, without the dot at the end, and harmless to print, also in a list with
// commas. There are at most a hundred; more is how many others there were, of which no
// more than ten thousand are counted. What a program's resolver makes of a name by
// appending a search domain is not a name that was asked for. Neither are those of
// addresses.
func (r *Resolver) Asked() (names []string, more int) {
	a := &r.asked
	a.mu.Lock()
	defer a.mu.Unlock()
	domains := r.domains()
	for _, name := range slices.Sorted(maps.Keys(a.names)) {
		if r.searched(name, domains) {
			continue
		}
		if len(names) == shown {
			more++
			continue
		}
		names = append(names, spell(name))
	}
	slices.Sort(names)
	return names, more + len(a.others)
}

// conventional are the search domains of one label that routers and systems hand out.
// One label that is none of them is more likely the end of a name: example.co, and
// example.co.uk.
var conventional = []string{"corp", "home", "internal", "intranet", "lan", "local", "localdomain"}

// domains are the search domains that are in use: those we were told of, and those that
// follow a name of two or more labels that was asked for without them.
func (r *Resolver) domains() map[string]bool {
	found := make(map[string]bool)
	for _, domain := range r.asked.search {
		found[domain] = true
	}
	for name := range r.asked.names {
		for whole, rest := range splits(name) {
			if strings.Contains(whole, ".") && r.wanted(whole) && (strings.Contains(rest, ".") || slices.Contains(conventional, rest)) {
				found[rest] = true
			}
		}
	}
	return found
}

// searched tells whether a name is another one with a search domain behind it.
func (r *Resolver) searched(name string, domains map[string]bool) bool {
	for whole, rest := range splits(name) {
		if domains[rest] && r.wanted(whole) {
			return true
		}
	}
	return false
}

// wanted tells whether somebody wants a name as it is.
func (r *Resolver) wanted(name string) bool {
	_, known := r.hosts[name]
	_, asked := r.asked.names[name]
	return known || asked
}

// splits yields each way to cut a name in two between its labels.
func splits(name string) func(yield func(whole, rest string) bool) {
	return func(yield func(whole, rest string) bool) {
		for i := range len(name) {
			if name[i] == '.' && !yield(name[:i], name[i+1:]) {
				return
			}
		}
	}
}

// spell writes what no name of a host has as its bytes.
func spell(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}
