// Package realurl answers the real service's host names inside the process: an
// [http.RoundTripper] for code whose URLs can't be changed.
//
// It may touch package mockidp, the facts of internal/avalara and loopback
// addresses.
//
// [New] is given the two tenants of mockidp and handlers for API hosts.
// Requests to those hosts never reach a socket, requests to loopback pass on,
// and every other request is refused with an error that names its host: nothing
// leaves the machine.
//
// The Transport is an httpmock.MockTransport underneath, so that a test can
// register responders of its own; they come first. This is one instance: the
// package never touches httpmock's global one, nor http.DefaultTransport.
package realurl

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/jarcoal/httpmock"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp"
)

// Config says who answers.
type Config struct {
	// Production and Sandbox answer for the real identity hosts, under the real
	// issuers. A nil one leaves its host refused.
	Production, Sandbox *mockidp.Server
	// Hosts answer for other DNS names, in lower case and without a port, such
	// as hscode.api.sbx.avalara.com.
	Hosts map[string]http.Handler
	// Next carries out requests to loopback. Nil means a transport
	// without a proxy.
	Next http.RoundTripper
}

// Transport is the round tripper. It is safe for concurrent use. Its Reset
// forgets the hosts too: after it every request is refused.
type Transport struct{ *httpmock.MockTransport }

// New returns a Transport for c. Later changes of c.Hosts change nothing.
func New(c Config) *Transport {
	hosts := make(map[string]http.Handler, len(c.Hosts)+2)
	for name, h := range c.Hosts {
		hosts[name] = h
	}
	for env, idp := range map[avalara.Environment]*mockidp.Server{
		avalara.Production: c.Production,
		avalara.Sandbox:    c.Sandbox,
	} {
		if idp != nil {
			issuer := avalara.IdentityURL(env)
			hosts[strings.TrimPrefix(issuer, "https://")] = idp.As(issuer)
		}
	}
	next := c.Next
	if next == nil {
		next = &http.Transport{DialContext: dial}
	}
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		at, err := avalara.URLAddress(r.URL)
		if err == nil && at.Loopback() {
			return next.RoundTrip(r)
		}
		h := hosts[at.Name]
		if err == nil {
			err = refusal(r.URL, at, h != nil)
		}
		if err != nil {
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, err
		}
		return answer(h, r)
	})
	return &Transport{mock}
}

// refusal says why a request that is not for loopback can't be answered, or
// nil. Plain HTTP and odd ports are refused: the real service has neither.
func refusal(u *url.URL, at avalara.Address, given bool) error {
	_, known := at.Environment()
	switch {
	case given && (u.Scheme != "https" || at.Port != 443):
		return fmt.Errorf("%s://%s is refused: the real host is https on port 443 only", u.Scheme, u.Host)
	case given:
		return nil
	case known:
		return fmt.Errorf("host %q is refused: it is a real host, and realurl was given nothing that answers for it", u.Host)
	default:
		return fmt.Errorf("host %q is refused: it is neither a host that realurl was given nor loopback", u.Host)
	}
}

// dial connects to loopback: localhost leads there, whatever a resolver says.
func dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	at, err := avalara.ReadAddress(address)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	for _, to := range at.Dialled() {
		if conn, err = d.DialContext(ctx, network, to); err == nil {
			return conn, nil
		}
	}
	return nil, err
}
