// Package hook tells hooks of Slack and Teams, and servers of one's own, what a ledger
// noted for them: never on the path of a request, each notice once, and again only where
// nobody knows whether it arrived. A hook's URL is a secret: no error, log or ledger has
// it. It may touch the project file, the ledger's notices and the network, the latter by
// the environment's proxies.
package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/project"
)

// Hook is one who is told.
type Hook struct {
	// Name is that in the ledger, Template what is sent, Host where to, and Setting the key
	// in the project file.
	Name, Template, Host, Setting string
	At                            []notice.Mark
	// Err says why nothing can be sent to it: a variable is not set, or the URL is none.
	Err error

	url *url.URL
}

// String names it without its secret.
func (h Hook) String() string {
	if h.Host == "" {
		return h.Template
	}
	return h.Template + " at " + h.Host
}

// GoString hides the same.
func (h Hook) GoString() string { return "hook.Hook(" + h.String() + ")" }

// Of are the hooks of a project, as the environment has them now.
func Of(p *project.Project, getenv func(string) string) []Hook {
	hooks := make([]Hook, len(p.Notify))
	for i, n := range p.Notify {
		text := p.HookURL(i)
		h := Hook{Name: n.Name(), Template: n.Kind(), Setting: text.Path, At: n.At}
		if h.Err = text.Unset(getenv); h.Err == nil {
			u, err := notice.ReadURL(text.Value(getenv))
			if err != nil {
				h.Err = fmt.Errorf("%s: %w", text.Path, err)
			} else {
				h.url, h.Host = u, u.Host
			}
		}
		hooks[i] = h
	}
	return hooks
}

// sendTime is how long one attempt may take.
const sendTime = 10 * time.Second

// Sender sends. It follows no redirect and keeps no connection.
type Sender struct{ client *http.Client }

// NewSender makes a sender that goes through the proxies of the environment, which
// loopback is never asked through.
func NewSender(getenv func(string) string) *Sender {
	return &Sender{&http.Client{
		Transport: &http.Transport{
			Proxy: guard.ReadProxy("environment", getenv).For, DisableKeepAlives: true, TLSHandshakeTimeout: sendTime, MaxResponseHeaderBytes: 1 << 16,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Error says why a hook was not told, without its URL.
type Error struct {
	// Host is where it is, Why what happened there.
	Host, Why string
	// RetryAfter is how long it wants to be left alone; 0 is that it did not say.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return e.Host + " " + e.Why }

// Send sends a message once.
func (s *Sender) Send(ctx context.Context, h Hook, m Message) error {
	if h.Err != nil {
		return h.Err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.String(), bytes.NewReader(m.body(h.Template)))
	if err != nil {
		return &Error{Host: h.Host, Why: "can't be asked"} // the error has the URL
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", m.ID)
	r.Header.Set("User-Agent", "hsharness")
	resp, err := s.client.Do(r)
	if err != nil {
		return &Error{Host: h.Host, Why: reason(err)}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // the status says all
	_ = resp.Body.Close()
	switch resp.StatusCode / 100 {
	case 2:
		return nil
	case 3:
		return &Error{Host: h.Host, Why: fmt.Sprintf("answered %d, a redirect, which is not followed", resp.StatusCode)}
	}
	return &Error{Host: h.Host, Why: fmt.Sprintf("answered %d", resp.StatusCode), RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
}

// reason is what happened in words of our own: the error has the URL, and that of a proxy
// may have its password.
func reason(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "did not answer in time"
	case errors.Is(err, context.Canceled):
		return "was not waited for"
	}
	return "can't be reached"
}

// maxWait is the longest that a hook is left alone.
const maxWait = time.Hour

// retryAfter reads the header: seconds, or a date.
func retryAfter(text string) time.Duration {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && n > 0 {
		return min(time.Duration(n)*time.Second, maxWait)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, min(time.Until(at), maxWait))
	}
	return 0
}
