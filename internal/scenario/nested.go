package scenario

import (
	"errors"
	"sync"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
)

// Nested makes the services of a [Runner] inside the guard of an hsharness exec:
// each case is a client of that guard, and the cases of a file with a quota.max
// are clients of one that has this maximum. It is safe for concurrent use.
type Nested struct {
	// Getenv reads the variables that exec set, as os.Getenv does.
	Getenv func(string) string
	// Rules are those of every case, besides its file's. A mode that goes further
	// than the guard around is an error, a file's ceiling is not.
	Rules services.Rules

	mu    sync.Mutex
	run   *services.Remote
	files map[*guard.Cap]*services.Remote
}

// Join makes the client that all cases are clients of. NewServices calls it where
// that was not done. The errors are those of [services.Join].
func (n *Nested) Join() (*services.Remote, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.run != nil {
		return n.run, nil
	}
	var err error
	n.run, err = services.Join(n.Getenv, n.Rules)
	return n.run, err
}

// NewServices is for a [Runner].
func (n *Nested) NewServices(needs Needs) (services.Service, error) {
	of, err := n.Join()
	if err != nil {
		return nil, err
	}
	if needs.Cap != nil {
		if of, err = n.file(needs.Cap); err != nil {
			return nil, err
		}
	}
	mode := min(needs.Ceiling, of.Mode())
	if needs.Production { // which only a mock answers: nothing of it is ever recorded here
		mode = guard.Offline
	}
	return of.NewClient(services.Rules{Mode: &mode})
}

// file is the client of the file that a cap is of.
func (n *Nested) file(limit *guard.Cap) (*services.Remote, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if of, ok := n.files[limit]; ok {
		return of, nil
	}
	most := limit.Max()
	if outer := n.run.Max(); outer != nil {
		most = min(most, *outer)
	}
	of, err := n.run.NewClient(services.Rules{Max: &most})
	if err != nil {
		return nil, err
	}
	if n.files == nil {
		n.files = map[*guard.Cap]*services.Remote{}
	}
	n.files[limit] = of
	return of, nil
}

// Close ends all clients.
func (n *Nested) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for _, of := range n.files {
		errs = append(errs, of.Close())
	}
	if n.run != nil {
		errs = append(errs, n.run.Close())
	}
	n.files, n.run = nil, nil
	return errors.Join(errs...)
}
