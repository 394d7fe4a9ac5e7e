package scenarios_test

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"sync"
	"sync/atomic"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp/control"
)

// inProcess is a set of services whose requests go through the guard's Transport, as those
// of a Go client in the guard's own process do. The runner speaks HTTP, so a
// proxy whose transport that is stands in between; faults strike in front of it,
// as they do in front of the guard's Handler.
type inProcess struct {
	*services.Local

	guard     *guard.Guard
	calls     atomic.Int64
	listeners bounded.Servers

	mu   sync.Mutex
	urls map[string]string
}

// newInProcess takes the identity services, the clock and the faults of s, and
// puts a guard of its own in front of s's mock API.
func newInProcess(s *services.Local, limit *guard.Cap) (*inProcess, error) {
	tenants := map[avalara.Environment]guard.Tenant{}
	for _, env := range avalara.Environments() {
		idp := s.Identity(env)
		tenants[env] = guard.Tenant{Issuers: []string{idp.Issuer()}, Key: idp.Keys().PublicKey}
	}
	g, err := guard.New(guard.Config{
		Tenants: tenants, Now: s.Clock.Now, Cap: limit,
		Mock: func(env avalara.Environment, api avalara.API) http.Handler { return s.API(env).Handler(api) },
	})
	return &inProcess{Local: s, guard: g, urls: map[string]string{}}, err
}

func (p *inProcess) APIURL(env avalara.Environment, api avalara.API) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := string(env) + " " + string(api)
	if url, ok := p.urls[key]; ok {
		return url, nil
	}
	l, err := services.Listen("127.0.0.1:0")
	if err != nil {
		return "", err
	}
	guarded := &httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: p.guard.Transport(env, api)}
	p.listeners.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.calls.Add(1)
		p.Faults.Next(control.Call{Endpoint: "api"}).Serve(w, r, guarded)
	}))
	p.urls[key] = services.URL(l)
	return p.urls[key], nil
}

func (p *inProcess) Tally() (guard.Tally, error) {
	t := p.guard.Tally()
	t.Requests = int(p.calls.Load())
	return t, nil
}

func (p *inProcess) Outcome() (services.Outcome, error) {
	verdict, reason := p.guard.Verdict()
	return services.Outcome{Verdict: verdict, Reason: reason}, nil
}

func (p *inProcess) Close() error { return errors.Join(p.listeners.Close(), p.Local.Close()) }
