// Package hook tells hooks of Slack and Teams, and servers of one's own, what a ledger
// noted for them: never on the path of a request, each notice once, and again only where
// nobody knows whether it arrived. A hook's URL is a secret: no error, log or ledger has
// it. It may touch the project file, the ledger's notices and the network, the latter by
// the environment's proxies.
package hook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/secret"
)

// Hook is one who is told.
type Hook struct {
	// Name is that in the ledger, empty for one with an Err. Template is what is sent, Host
	// where to, and Setting the key in the project file.
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
		h := Hook{Template: n.Kind(), Setting: text.Path, At: n.At}
		if h.Err = text.Unset(getenv); h.Err == nil {
			u, err := notice.ReadURL(text.Value(getenv))
			if err != nil {
				h.Err = fmt.Errorf("%s: %w", text.Path, err)
			} else {
				h.url, h.Host, h.Name = u, u.Host, name(h.Template, u)
			}
		}
		hooks[i] = h
	}
	return hooks
}

// name tells a hook from others in the ledger, and tells nobody its URL. Two projects that
// write the same variable and mean two channels have two hooks, and two that mean the same
// channel have one. What is not sent tells none from another, see RFC 3986 6.2.3.
func name(template string, u *url.URL) string {
	sent := *u
	sent.Fragment, sent.RawFragment = "", ""
	if sent.Path == "" {
		sent.Path = "/"
	}
	sum := sha256.Sum256([]byte("a hook of hsharness: " + sent.String()))
	return template + "-" + hex.EncodeToString(sum[:6])
}

// Noted are the hooks that a ledger is to note notices for: those that can be told. One
// that is there twice has the marks of both.
func Noted(hooks []Hook) []notice.Hook {
	var noted []notice.Hook
	for _, h := range hooks {
		if h.Err != nil {
			continue
		}
		i := slices.IndexFunc(noted, func(n notice.Hook) bool { return n.Name == h.Name })
		if i < 0 {
			noted = append(noted, notice.Hook{Name: h.Name, At: h.At})
			continue
		}
		for _, m := range h.At {
			if !slices.Contains(noted[i].At, m) {
				noted[i].At = append(slices.Clone(noted[i].At), m)
			}
		}
	}
	return noted
}

// sendTime is how long one attempt may take.
const sendTime = 10 * time.Second

// Sender sends. It follows no redirect and keeps no connection.
type Sender struct {
	client *http.Client
	// secrets are what no text of a message may hold.
	secrets *secret.Finder
}

// NewSender makes a sender for a project that goes through the proxies of the environment,
// which loopback is never asked through.
func NewSender(p *project.Project, getenv func(string) string) *Sender {
	known := []secret.Secret{{Name: "client_secret", Value: p.ClientSecret().Value(getenv)}}
	for i := range p.Notify {
		known = append(known, secret.Secret{Name: "hook", Value: p.HookURL(i).Value(getenv)})
	}
	finder, err := secret.NewFinder(secret.Searchable(known...)...)
	if err != nil {
		panic(err) // each can be looked for
	}
	return &Sender{
		secrets: finder.Tokens(),
		client: &http.Client{
			Transport: &http.Transport{
				Proxy: guard.ReadProxy("environment", getenv).For, DisableKeepAlives: true, TLSHandshakeTimeout: sendTime, MaxResponseHeaderBytes: 1 << 16,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// timely is a message that is sent while nobody else may send it, and not after that: a
// process that was stopped for so long goes on by its own last look at the clock.
type timely struct {
	io.Reader
	until time.Time
}

// errTooLate is why a message was not sent.
var errTooLate = errors.New("another may send it by now")

func (t timely) Read(p []byte) (int, error) {
	// A machine that was suspended has a monotonic clock that stood still.
	if now := time.Now(); now.After(t.until) || now.Round(0).After(t.until.Round(0)) {
		return 0, errTooLate
	}
	return t.Reader.Read(p)
}

// Error says why a hook was not told, without its URL.
type Error struct {
	// Host is where it is, Why what happened there.
	Host, Why string
	// RetryAfter is how long it wants to be left alone; 0 is that it did not say.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return e.Host + " " + e.Why }

// Send sends a message once, and does not begin to after until.
func (s *Sender) Send(ctx context.Context, h Hook, m Message, until time.Time) error {
	if h.Err != nil {
		return h.Err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	body := m.masked(s.secrets).body(h.Template)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.String(), timely{bytes.NewReader(body), until})
	if err != nil {
		return &Error{Host: h.Host, Why: "can't be asked"} // the error has the URL
	}
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", m.ID)
	r.Header.Set("User-Agent", "hsharness")
	resp, err := s.client.Do(r)
	if err != nil {
		return &Error{Host: h.Host, Why: reason(err)}
	}
	_ = resp.Body.Close() // the status says all, and the rest may have no end
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
	case errors.Is(err, errTooLate):
		return "was not asked: " + errTooLate.Error()
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
