package recording

import (
	"maps"
	"slices"
	"sync"
)

// Written names the files that a store wrote takes into, as absolute paths, sorted.
type Written struct {
	Shared, Quarantined, Copies []string
}

// written is what becomes a [Written].
type written struct {
	mu    sync.Mutex
	files map[Place]map[string]bool
}

func (w *written) note(p Place, file string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.files == nil {
		w.files = map[Place]map[string]bool{}
	}
	if w.files[p] == nil {
		w.files[p] = map[string]bool{}
	}
	w.files[p][file] = true
}

// Written names what this store wrote so far, and no other: not what other processes
// wrote into the same folder.
func (s *Store) Written() Written {
	s.written.mu.Lock()
	defer s.written.mu.Unlock()
	of := func(p Place) []string { return slices.Sorted(maps.Keys(s.written.files[p])) }
	return Written{Shared: of(Shared), Quarantined: of(Quarantine), Copies: of(Emergency)}
}

// Dir is the shared folder, as an absolute path.
func (s *Store) Dir() string { return s.dir }
