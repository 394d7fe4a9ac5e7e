// Package rebuy asks for what was bought before once more, behind a guard that its
// caller made. It may touch recordings, and the services that the guard is behind.
package rebuy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/cmd/internal/drift"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/services"
)

// Possible tells whether the request of a recording can be sent again, and its
// answer would be a take of that very file: it cost something at the sandbox, no
// secret was taken out of what it asked for, and its key is what it was.
func Possible(store *recording.Store, r *recording.Recording) bool {
	t := r.Shown()
	if r.Inputs.Environment != string(avalara.Sandbox) || t.Cost == 0 ||
		redacted(r.Inputs.Path) || redacted(r.Inputs.Query) || redacted(string(t.Request.Body)) {
		return false
	}
	answers, err := store.Get(keyOf(store, r))
	file, fileErr := filepath.Abs(r.File)
	return err == nil && fileErr == nil && answers.File == file
}

// keyOf is the key that a recording's request has now.
func keyOf(store *recording.Store, r *recording.Recording) recording.Key {
	asked := r.Shown().Request
	return store.Key(recording.Request{
		Environment: r.Inputs.Environment, API: r.Inputs.API, Method: r.Inputs.Method,
		Path: r.Inputs.Path, Query: r.Inputs.Query, Header: asked.Header, Body: asked.Body,
	})
}

// redacted tells whether text has a mark in a secret's place, spelled as it is
// or as in a URL.
func redacted(text string) bool {
	return strings.Contains(text, "{{secret:") || strings.Contains(strings.ToUpper(text), "%7B%7BSECRET")
}

// EvidenceError says that a recorded request was asked again and that what came is
// no answer.
type EvidenceError struct {
	// File is the recording, as it is shown, and Status what came.
	File   string
	Status int
}

func (e *EvidenceError) Error() string {
	return fmt.Sprintf("the sandbox's %d is kept as evidence, and %s answers as before", e.Status, e.File)
}

// Asker asks services with a client that they accept. Why is verify or refresh.
type Asker struct {
	Services *services.Local
	Client   *http.Client
	Why      string
}

// test names what is bought again in the ledger: by the recording, as a report names it.
func (a Asker) test(store *recording.Store, r *recording.Recording) string {
	name := r.File
	if file, err := filepath.Abs(r.File); err == nil {
		if below, err := filepath.Rel(store.Dir(), file); err == nil {
			name = filepath.ToSlash(below)
		}
	}
	return a.Why + " " + name
}

// Ask sends a recorded request once more and compares the take that came of it with the
// one that answers. One that waits is accepted if it is the same answer. Where another
// verification bought the answer since the recording was read, that one is compared, and
// nothing is bought. The ledger notes it as the test Why, such as verify, of the recording.
func (a Asker) Ask(ctx context.Context, store *recording.Store, r *recording.Recording, policy drift.Policy) (drift.Comparison, error) {
	unlock, err := store.Lock(ctx, keyOf(store, r))
	if err != nil {
		return drift.Comparison{}, &FailedError{err}
	}
	defer unlock()
	now, err := store.Read(r.File)
	if err != nil { // it was removed, or damaged: what came could be compared with nothing
		return drift.Comparison{}, &FailedError{err}
	}
	if c, seen, err := settle(ctx, store, r, now, policy); seen {
		return c, err
	}
	base, err := a.Services.APIURL(avalara.Sandbox, avalara.API(r.Inputs.API))
	if err != nil {
		return drift.Comparison{}, err
	}
	target := base + r.Inputs.Path
	if r.Inputs.Query != "" {
		target += "?" + r.Inputs.Query
	}
	recorded := r.Shown().Request
	req, err := http.NewRequestWithContext(ctx, r.Inputs.Method, target, bytes.NewReader(recorded.Body))
	if err != nil {
		return drift.Comparison{}, (fmt.Errorf("%s: %w", show.Path(r.File), err))
	}
	for name, values := range recorded.Header {
		if !redacted(strings.Join(values, " ")) {
			req.Header[name] = values
		}
	}
	req.Header.Set(guard.TestHeader, a.test(store, r))
	resp, err := a.Client.Do(req)
	if err != nil {
		return drift.Comparison{}, &FailedError{err}
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return drift.Comparison{}, &FailedError{err}
	}
	if verdict := resp.Header.Get(guard.VerdictHeader); verdict != "" {
		return drift.Comparison{}, &FailedError{fmt.Errorf("%s: %s", show.Path(r.File), verdict)}
	}
	now, err = store.Read(r.File)
	switch {
	case err != nil:
		return drift.Comparison{}, err
	case len(now.Takes) <= len(r.Takes):
		return drift.Comparison{}, &FailedError{hint.Diagnose.About(fmt.Errorf("%s: the answer that was bought could not be recorded", show.Path(r.File)))}
	}
	c, seen, err := settle(ctx, store, r, now, policy)
	if !seen {
		return c, &EvidenceError{show.Path(r.File), now.Latest().Response.Status}
	}
	return c, err
}

// settle compares what came into a recording's file since it was read with what answered
// then: the first that is another answer, else the last, which is accepted if it waits.
// Nothing is seen where nothing that may answer came.
func settle(ctx context.Context, store *recording.Store, r, now *recording.Recording, policy drift.Policy) (c drift.Comparison, seen bool, err error) {
	var last *recording.Take
	for i := range now.Takes {
		t := &now.Takes[i]
		if t.Cost == 0 || t.Standing() == recording.Evidence || indexOf(r, t) >= 0 {
			continue
		}
		last, seen = t, true
		if c = policy.Takes(r, indexOf(r, r.Shown()), now, i); c.Drifted() {
			c.Pending = t.Standing() == recording.Pending
			return c, true, nil
		}
	}
	if !seen || last.Standing() != recording.Pending {
		return c, seen, nil
	}
	return c, true, store.Accept(ctx, now)
}

// indexOf is the place of a take among its recording's.
func indexOf(r *recording.Recording, t *recording.Take) int {
	return slices.IndexFunc(r.Takes, func(other recording.Take) bool {
		return other.RecordedAt.Equal(t.RecordedAt) && other.Entry == t.Entry
	})
}

// FailedError says that an answer did not come, or could not be kept. Its text is
// that of the error it wraps.
type FailedError struct{ Err error }

func (e *FailedError) Error() string { return e.Err.Error() }

// Unwrap is why.
func (e *FailedError) Unwrap() error { return e.Err }
