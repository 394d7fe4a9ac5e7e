package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
)

// PastGuardError says that a request would have reached the real sandbox
// without the guard, and so without being counted.
type PastGuardError struct{ Host string }

func (e *PastGuardError) Error() string {
	return fmt.Sprintf("%s is the real sandbox, which only the guard calls", e.Host)
}

// local refuses the real hosts of both environments.
func local(at avalara.Address) error {
	switch env, real := at.Environment(); {
	case real && env == avalara.Production:
		return &ProductionError{Host: at.Name}
	case real:
		return &PastGuardError{Host: at.Name}
	}
	return nil
}

// LocalURL checks a URL of a mock or a guard that came from outside, such as a
// variable of the environment: a real host is a [*ProductionError] or a
// [*PastGuardError]. It returns it as it is dialled.
func LocalURL(text string) (string, error) {
	u, at, err := avalara.ReadURL(text)
	if err != nil {
		return "", err
	}
	return u.String(), local(at)
}

// LocalTransport makes a transport for mocks and guards. It knows no proxy, and
// connects to no real host, whatever leads there.
func LocalTransport() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial(ctx, network, address, local)
	}}
}

// LocalClient makes a client for mocks and guards, by [LocalTransport]. It
// follows no redirect. Zero timeout is none.
func LocalClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: LocalTransport(), Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dialSandbox connects the guard to the sandbox, or to the proxy before it.
func dialSandbox(ctx context.Context, network, address string) (net.Conn, error) {
	return dial(ctx, network, address, func(at avalara.Address) error {
		if at.Production() {
			return &ProductionError{Host: at.Name}
		}
		return nil
	})
}

// dial connects to an address that allowed lets through. What was judged is what
// is dialled: the name localhost leads to loopback, whatever a resolver says.
func dial(ctx context.Context, network, address string, allowed func(avalara.Address) error) (net.Conn, error) {
	at, err := avalara.ReadAddress(address)
	if err == nil {
		err = allowed(at)
	}
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	var errs []error
	for _, to := range at.Dialled() {
		conn, err := d.DialContext(ctx, network, to)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// sandboxOnly refuses requests to production, also those that a proxy would
// carry out.
type sandboxOnly struct {
	proxy  Proxy
	passed *passage
	next   http.RoundTripper
}

func (s sandboxOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	err := s.judge(r)
	if err == nil {
		proxy, _ := s.proxy.proxy(r) // an error is the transport's too
		if proxy != nil {
			s.passed.note(proxy.Host)
		}
		resp, err := s.next.RoundTrip(r)
		if err != nil {
			err = s.proxy.named(proxy, err)
		}
		return resp, err
	}
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return nil, err
}

func (s sandboxOnly) judge(r *http.Request) error {
	at, err := avalara.URLAddress(r.URL)
	if err != nil {
		return err
	}
	named := at
	if r.Host != "" {
		if named, err = avalara.ReadAddress(r.Host); err != nil {
			return err
		}
	}
	for _, a := range []avalara.Address{at, named} {
		if a.Production() {
			return &ProductionError{Host: a.Name}
		}
	}
	return nil
}
