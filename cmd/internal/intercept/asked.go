package intercept

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hsharness/hsharness/internal/avalara"
)

// How many hosts are kept, and how many of them told: a program that asks for a million
// costs its guard no memory.
const (
	kept  = 10_000
	shown = 100
	// longest is how long a name of DNS is at most. A TLS greeting may have one of 64 kB.
	longest = 253
)

// asked are the hosts that were asked for and are not here. It is safe for concurrent
// use.
type asked struct {
	mu    sync.Mutex
	names map[string]struct{}
}

// note keeps a host, with its port where that is none of the two that go without saying.
// What is on this machine is not elsewhere.
func (a *asked) note(at avalara.Address) {
	if at.Loopback() {
		return
	}
	if at.Port == httpPort || at.Port == httpsPort {
		at.Port = 0
	}
	if len(at.Name) > longest {
		at.Name = strings.Clone(at.Name[:longest]) + "…"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.names == nil {
		a.names = map[string]struct{}{}
	}
	if len(a.names) < kept {
		a.names[at.String()] = struct{}{}
	}
}

// list tells the hosts in order, and how many there were besides.
func (a *asked) list() (names []string, more int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	names = slices.Sorted(maps.Keys(a.names))
	if len(names) > shown {
		more = len(names) - shown
		names = names[:shown]
	}
	return names, more
}
