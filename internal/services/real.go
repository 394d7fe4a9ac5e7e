package services

import (
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// RealHosts answers requests by the host that they name, as the service's real hosts
// would, over TLS on port 443: the identity hosts under their real issuers, with tokens
// for whoever shows any credential, since a program brings the one it has built in; and
// the API hosts by [Local.Handler]. The project's own sandbox hosts, see
// [Config.Upstream], are answered as the service's are.
//
// A host of production is judged by its name, before any token or body: offline the
// mock answers, in every other mode the request is refused and fails the run. So are,
// in every mode, the SDKs' other hosts. What is for any other name, or came over a
// connection that was made for another one, gets 421.
//
// Whoever can connect can spend what the run may: it must be served to the command alone.
func (s *Local) RealHosts() http.Handler {
	h := &realHosts{services: s, hosts: map[string]http.Handler{}}
	for _, env := range avalara.Environments() {
		h.hosts[avalara.IdentityHost(env)] = s.identityAs(env, avalara.IdentityURL(env))
		for _, api := range avalara.APIs() {
			if name := avalara.HostOf(env, api).Name; name != "" {
				h.hosts[name] = s.Handler(env, api)
			}
		}
	}
	for name, own := range ownHosts(s.clients.parent.cfg.Upstream) {
		if own.identity {
			h.hosts[name] = s.identityAs(avalara.Sandbox, "https://"+name)
		} else {
			h.hosts[name] = s.Handler(avalara.Sandbox, own.api)
		}
	}
	return h
}

// ServeReal answers at a listener as the real hosts do, until [Local.Close]. The listener
// has to speak TLS.
func (s *Local) ServeReal(l net.Listener) { s.listeners.Serve(l, s.RealHosts()) }

// identityAs is an environment's identity service under a real issuer, for whoever asks.
func (s *Local) identityAs(env avalara.Environment, issuer string) http.Handler {
	idp := s.Identity(env).As(issuer)
	idp.Anyone = true
	return idp
}

// RealNames lists the names that [Local.RealHosts] answers for or refuses by name: the
// service's, then the project's own.
func (s *Local) RealNames() []string { return RealNames(s.clients.parent.cfg.Upstream) }

// RealNames is [Local.RealNames] for a sandbox.
func RealNames(upstream guard.Upstream) []string {
	return append(avalara.RealHosts(), OwnNames(upstream)...)
}

// OwnNames lists the hosts of a sandbox that are not the service's own, in order: what a
// certificate for the real hosts has to be for besides.
func OwnNames(upstream guard.Upstream) []string {
	var names []string
	for name := range ownHosts(upstream) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// own is what a project's own host serves.
type own struct {
	identity bool
	api      avalara.API
}

// ownHosts are the hosts of a sandbox that a program may have built in and that are not
// the service's own: those with a name, by HTTPS on its own port.
func ownHosts(upstream guard.Upstream) map[string]own {
	found := map[string]own{}
	add := func(base string, what own) {
		u, at, err := avalara.ReadURL(base)
		if base == "" || err != nil || u.Scheme != "https" || at.Port != 443 || at.Loopback() || at.IP.IsValid() {
			return
		}
		if _, real := at.Environment(); real {
			return
		}
		if _, other := at.OtherHost(); !other {
			found[at.Name] = what
		}
	}
	for _, api := range slices.Backward(avalara.APIs()) { // of one host for several, the current one
		add(upstream.APIs[api], own{api: api})
	}
	add(upstream.Identity, own{identity: true})
	return found
}

// realHosts is the handler.
type realHosts struct {
	services *Local
	hosts    map[string]http.Handler
}

// ServeHTTP implements [http.Handler].
func (h *realHosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, err := named(r)
	if err != nil {
		misdirected(w, err)
		return
	}
	s := h.services
	env, real := at.Environment()
	other, isOther := at.OtherHost()
	answer := h.hosts[at.Name]
	switch {
	case real && env == avalara.Production && s.mode != guard.Offline:
		s.calls.add()
		s.guard.Refuse(w, r, env, &guard.ProductionError{Host: at.Name})
	case isOther:
		s.calls.add()
		s.guard.Refuse(w, r, "", &guard.OtherHostError{Other: other})
	case answer != nil:
		answer.ServeHTTP(w, r)
	default:
		misdirected(w, fmt.Errorf("%s is none of the service's hosts", at.Name))
	}
}

// named is the host that a request is for: by its Host, which the name that its
// connection was made for must agree with.
func named(r *http.Request) (avalara.Address, error) {
	if r.TLS == nil {
		return avalara.Address{}, fmt.Errorf("%+q is asked without TLS, and the real hosts answer nothing by plain HTTP", r.Host)
	}
	at, err := avalara.ReadAddress(r.Host)
	switch {
	case err != nil:
		return at, err
	case at.Port != 0 && at.Port != 443:
		return at, fmt.Errorf("%s is no address of a real host: those are on port 443", at)
	}
	if sni := r.TLS.ServerName; sni != "" {
		if made, err := avalara.ReadAddress(sni); err != nil || made.Name != at.Name {
			return at, fmt.Errorf("the connection was made for %+q, and the request is for %s", sni, at.Name)
		}
	}
	return at, nil
}

// misdirected answers 421 (RFC 9110 §15.5.20): a client may ask again over a connection
// of its own.
func misdirected(w http.ResponseWriter, why error) {
	fail(w, http.StatusMisdirectedRequest, "Host", why.Error())
}
