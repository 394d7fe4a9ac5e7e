package scenario

import (
	"net/http"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
)

// site is a set of services with an HTTP client that talks to them.
type site struct {
	needs     Needs
	services  services.Service
	transport *http.Transport
}

// fits tells whether a set of services that buys nothing is what a case gets with these
// needs: one that a higher ceiling made offline, a lower one makes so, too.
func (s *site) fits(needs Needs) bool {
	if needs.Ceiling != s.needs.Ceiling && (needs.Ceiling > s.needs.Ceiling || s.services.Mode() != guard.Offline) {
		return false
	}
	return needs.Production == s.needs.Production
}

func (s *site) close() {
	s.transport.CloseIdleConnections()
	_ = s.services.Close()
}

// worker runs cases one after the other.
type worker struct {
	*Runner
	// kept is the site of a case that left no traces, for the next such case:
	// listeners, connections and a token cost more than a case. May be nil.
	kept *site
}

func (w *worker) close() {
	if w.kept != nil {
		w.kept.close()
	}
}

// enter returns a site that is as good as new for a case of s, and what to call
// when the case is over.
func (w *worker) enter(s *Scenario, limit *guard.Cap) (at *site, leave func(), err error) {
	needs, err := s.needs()
	if err != nil {
		return nil, nil, err
	}
	traceless := s.traceless()
	if k := w.kept; k != nil && traceless && k.fits(needs) && k.services.Reuse(limit) {
		return k, func() {}, nil
	}
	at = &site{needs: needs, transport: guard.LocalTransport()}
	needs.Cap = limit
	if at.services, err = w.NewServices(needs); err != nil {
		return nil, nil, err
	}
	if !traceless {
		return at, at.close, nil
	}
	w.close()
	w.kept = at
	return at, func() {}, nil
}

// needs is what the file asks of a set of services, without its cap.
func (s *Scenario) needs() (Needs, error) {
	needs := Needs{Ceiling: guard.Live, Production: s.Environment == avalara.Production}
	for step := range s.all() {
		needs.Production = needs.Production || step.Environment == avalara.Production
	}
	var err error
	if c := s.Ceiling(); c.Mode != "" {
		needs.Ceiling, err = guard.ParseMode(c.Mode)
	}
	return needs, err
}

// traceless tells whether nothing that the file does to its services can be found
// out by a later case: it moves no clock, arms no fault, starts no command, and
// the API that it calls keeps nothing.
func (s *Scenario) traceless() bool {
	for step := range s.all() {
		if step.Clock != 0 || len(step.Faults) > 0 || step.Exec != nil || step.Request != nil && step.Request.API == avalara.Managed {
			return false
		}
	}
	return true
}
