package services

import (
	"cmp"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// endpoint is a control endpoint over HTTP: its calls, and who may make them.
type endpoint struct {
	routes []route
	// token is what callers must show, empty where only this machine can call.
	token string
}

// ServeHTTP answers one call. A page of another origin can do nothing here, also
// not where it has its host name resolve to this machine.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host {
		fail(w, http.StatusForbidden, "Origin", "a page of another origin may not call this")
		return
	}
	if e.token == "" {
		if !local(r.Host) {
			fail(w, http.StatusForbidden, "Host", "call this by the address of this machine, 127.0.0.1 or localhost")
			return
		}
	} else if r.URL.Path != "/health" { // which says nothing that a caller could use
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(e.token)) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			fail(w, http.StatusUnauthorized, "Authorization", "send Authorization: Bearer with the control_token of the ready file, HSHARNESS_CONTROL_TOKEN in the environment of a command")
			return
		}
	}
	if r.URL.Path == "/" && r.Method == http.MethodGet {
		writeJSON(w, map[string][]Call{"calls": e.calls()})
		return
	}
	var allowed []string
	for _, one := range e.routes {
		id, ok := one.match(r.URL.Path)
		switch {
		case !ok:
		case one.method == r.Method:
			r.SetPathValue("id", id)
			one.serve(w, r)
			return
		default:
			allowed = append(allowed, one.method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		fail(w, http.StatusMethodNotAllowed, "", r.URL.Path+" takes "+strings.Join(allowed, " and ")+", not "+r.Method)
		return
	}
	fail(w, http.StatusNotFound, "", r.URL.Path+" is none of the calls here; GET / lists them")
}

// calls list what there is, by path.
func (e *endpoint) calls() []Call {
	all := []Call{{"GET", "/", "this list"}}
	for _, one := range e.routes {
		all = append(all, Call{one.method, one.path, one.does})
	}
	slices.SortFunc(all, func(a, b Call) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return all
}

// match tells whether a path is the route's, and the id in it.
func (one route) match(path string) (id string, ok bool) {
	prefix, has := strings.CutSuffix(one.path, "{id}")
	if !has {
		return "", path == one.path
	}
	id, ok = strings.CutPrefix(path, prefix)
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// local tells whether a Host header names this machine.
func local(host string) bool {
	at, err := avalara.ReadAddress(host)
	return err == nil && at.Loopback()
}

// routes are the calls of the services' own: what its guard counted, and its
// clients. What the endpoint says of the mock APIs is of no meaning where those
// do not answer, so there it is refused.
func (s *Local) routes() []route {
	all := append(s.Mocks.routes(), s.clients.routes()...)
	for i, one := range all {
		if s.mode != guard.Offline && (one.path == "/usage" || one.path == "/reset") {
			all[i].serve = func(w http.ResponseWriter, _ *http.Request) {
				fail(w, http.StatusConflict, "", "the mock API does not answer in mode "+s.mode.String())
			}
		}
	}
	return append(all,
		route{"GET", "/tally", "what became of the requests so far, and their price", func(w http.ResponseWriter, _ *http.Request) {
			t, _ := s.Tally() // the services' own tally has no error
			writeJSON(w, t)
		}},
		route{"GET", "/left", "what may still be spent, null where nothing is", func(w http.ResponseWriter, _ *http.Request) {
			left := Left{}
			if units, metered := s.guard.Left(); metered {
				left.Left = &units
			}
			writeJSON(w, left)
		}},
		route{"GET", "/verdict", "the gravest that was refused, and why", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.outcome()) }},
	)
}

// Outcome is the same as [Local.Verdict]. It never errs.
func (s *Local) Outcome() (Outcome, error) { return s.outcome(), nil }

func (s *Local) outcome() Outcome {
	verdict, reason := s.guard.Verdict()
	return Outcome{verdict, reason}
}

// routes are the calls that make and end clients.
func (c *clients) routes() []route {
	return []route{
		{"POST", "/clients", `a client with services and counts of its own: {"test","mode","max","on_miss","grants","public","operations"}`, func(w http.ResponseWriter, r *http.Request) {
			var rules Rules
			if !readJSON(w, r, &rules) {
				return
			}
			s, err := c.new(rules)
			if err != nil {
				refused(w, err)
				return
			}
			answer, err := s.answer()
			if err != nil {
				_ = s.Close() // it was never used
				refused(w, err)
				return
			}
			writeStatus(w, http.StatusCreated, answer)
		}},
		{"DELETE", "/clients/{id}", "end a client: its counts and its verdict", func(w http.ResponseWriter, r *http.Request) {
			s := c.find(r.PathValue("id"))
			if s == nil {
				fail(w, http.StatusNotFound, "id", "there is no client "+r.PathValue("id"))
				return
			}
			_ = s.Close() // what is wrong with a listener that ends is nobody's concern
			tally, _ := s.Tally()
			writeJSON(w, Ended{tally, s.outcome()})
		}},
	}
}

// answer opens all listeners of a client and says where they are.
func (s *Local) answer() (ClientAnswer, error) {
	ends, err := s.endpoints()
	return ClientAnswer{ID: s.id, Mode: s.mode, Max: s.max, Endpoints: ends}, err
}
