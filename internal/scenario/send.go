package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// maxAnswer is how much of an answer is read.
const maxAnswer = 30_000_000

// token asks the identity service for a token, with a plain form as the
// service's own documentation shows it.
func (run *caseRun) token(ctx context.Context, step *Step) (*exchange, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	id, secret := run.services.Client()
	switch step.Token.Client.Kind {
	case ClientUnknown:
		id = "no-such-client"
	case ClientWrongSecret:
		secret = "not-the-secret"
	case ClientGiven:
		var err error
		if id, err = step.Token.Client.ID.Render(run.env); err != nil {
			return nil, err
		}
		if secret, err = step.Token.Client.Secret.Render(run.env); err != nil {
			return nil, err
		}
	}
	form.Set("client_id", id)
	form.Set("client_secret", secret)
	if step.Token.Scope != nil {
		scope, err := step.Token.Scope.Render(run.env)
		if err != nil {
			return nil, err
		}
		form.Set("scope", scope)
	}
	body := []byte(form.Encode())
	return run.send(ctx, step.Retry, func() (*http.Request, []byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, run.services.TokenURL(step.Environment), bytes.NewReader(body))
		if err != nil {
			return nil, nil, err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r, body, nil
	})
}

// request calls a classification API through the guard.
func (run *caseRun) request(ctx context.Context, step *Step) (*exchange, error) {
	req := step.Request
	base, err := run.services.APIURL(step.Environment, req.API)
	if err != nil {
		return nil, err
	}
	authorization, err := run.authorization(ctx, step)
	if err != nil {
		return nil, err
	}
	return run.send(ctx, step.Retry, func() (*http.Request, []byte, error) {
		r, body, err := req.prepare(ctx, base, run.env)
		if err != nil {
			return nil, nil, err
		}
		guard.NameTest(r.Header, run.s.Name)
		if authorization != "" && r.Header.Get("Authorization") == "" {
			r.Header.Set("Authorization", authorization)
		}
		return r, body, nil
	})
}

// prepare makes the HTTP request to an API at base, without a token, and its body.
func (r *Request) prepare(ctx context.Context, base string, env Env) (out *http.Request, body []byte, err error) {
	left := room(maxRendered)
	target, err := r.Target(env)
	if err != nil {
		return nil, nil, err
	}
	if r.Body != nil {
		value, err := r.Body.Render(env)
		if err != nil {
			return nil, nil, err
		}
		if err := left.json(value); err != nil {
			return nil, nil, fmt.Errorf("body: %w", err)
		}
		if body, err = json.Marshal(value); err != nil {
			return nil, nil, fmt.Errorf("body: %w", err)
		}
	}
	out, err = http.NewRequestWithContext(ctx, r.Method, base+target, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	for _, h := range r.Headers {
		value, err := h.Value.Render(env)
		if err == nil {
			err = left.take(len(value))
		}
		if err != nil {
			return nil, nil, fmt.Errorf("the header %s: %w", h.Name, err)
		}
		out.Header.Set(h.Name, value)
	}
	return out, body, nil
}

// authorization is the header that the step's auth stands for, "" for none.
func (run *caseRun) authorization(ctx context.Context, step *Step) (string, error) {
	scope := avalara.HostOf(step.Environment, step.Request.API).Scopes[0]
	var token string
	var err error
	switch kind := step.Request.Auth.Kind; kind {
	case AuthNone:
		return "", nil
	case AuthToken:
		token, err = step.Request.Auth.Token.Render(run.env)
	case AuthExpired, AuthBadSignature, AuthWrongScope:
		token, err = run.services.BadToken(step.Environment, step.Request.API, string(kind))
	default:
		token, err = run.services.Token(ctx, step.Environment, scope)
	}
	if err != nil {
		return "", fmt.Errorf("get a token: %w", err)
	}
	return "Bearer " + token, nil
}

// send sends a request, again and again as retry says. What build makes comes with its
// body.
func (run *caseRun) send(ctx context.Context, retry *Retry, build func() (*http.Request, []byte, error)) (*exchange, error) {
	for attempt := 0; ; attempt++ {
		r, body, err := build()
		if err != nil {
			return nil, err
		}
		x, err := run.once(r, body)
		if err != nil {
			return nil, err
		}
		if retry == nil || attempt == retry.Max || !retry.On.Matches(x.status) {
			return x, nil
		}
		wait := time.NewTimer(time.Duration(retry.Interval))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, ended(ctx)
		}
	}
}

func (run *caseRun) once(r *http.Request, body []byte) (*exchange, error) {
	x := &exchange{method: r.Method, url: r.URL.String(), sent: r.Header, request: body}
	start := time.Now()
	resp, err := run.client.Do(r)
	if err != nil {
		var urlError *url.Error
		if errors.As(err, &urlError) {
			err = urlError.Err
		}
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	x.status, x.header = resp.StatusCode, resp.Header
	x.body, err = readAnswer(resp)
	x.elapsed = time.Since(start)
	if err != nil {
		return nil, fmt.Errorf("%s %s: answer %d: %w", r.Method, r.URL.Path, resp.StatusCode, err)
	}
	return x, nil
}

// readAnswer reads a body, of which no more than maxAnswer. Most say how long they are,
// and little room for that is made at once.
func readAnswer(resp *http.Response) ([]byte, error) {
	var all bytes.Buffer
	if length := resp.ContentLength; length > 0 {
		all.Grow(int(min(length, 32<<10)) + bytes.MinRead)
	}
	_, err := all.ReadFrom(io.LimitReader(resp.Body, maxAnswer))
	return all.Bytes(), err
}
