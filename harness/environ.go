package harness

import (
	"os"

	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/names"
	"github.com/hsharness/hsharness/internal/services"
)

// Environ are the variables, as NAME=value, by which a program that the test starts
// finds what the test does: those that hsharness exec sets, and by names of one's own
// those of exec.env in the project file, or of the exec around this process. They lead
// to the test's own services; append them to [os.Environ].
func (h *Harness) Environ() []string {
	h.t.Helper()
	own, err := h.named()
	if err != nil {
		h.t.Fatalf("harness: %s", hint.Text(err))
	}
	environ, err := h.services.Environ(h.env)
	if err != nil {
		h.t.Fatalf("harness: listen: %v", err)
	}
	return own.With(environ)
}

// named are the variables by names of one's own.
func (h *Harness) named() (names.List, error) {
	if _, nested := h.services.(*services.Remote); nested {
		return names.Handed(os.Getenv)
	}
	p, err := nearest()
	if err != nil {
		return nil, err
	}
	return names.FromMap(p.Exec.Env), nil
}
