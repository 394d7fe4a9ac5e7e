package guard

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// ErrStopped is matched by every [*StoppedError].
var ErrStopped = errors.New("the run is stopped")

// StoppedError refuses every metered request after the sandbox answered one in
// a way that makes more of them no use.
type StoppedError struct {
	// Status is that of the answer: 403, 429, 401 to a fresh token, or one that
	// means exhausted.
	Status int `json:"status"`
	// Exhausted says that the answer means that nothing is left, which blocks
	// all further runs too.
	Exhausted bool `json:"exhausted"`
}

func (e *StoppedError) Error() string {
	if e.Exhausted {
		return fmt.Sprintf("the sandbox answered %d: its allowance is exhausted, and every run is blocked until a grant or a reconciliation", e.Status)
	}
	return fmt.Sprintf("the sandbox answered %d, which stops the run: nothing more is sent", e.Status)
}

// Is reports a match with [ErrStopped].
func (e *StoppedError) Is(target error) bool { return target == ErrStopped }

// refusal is what the requests after that answer get, and what the run ends
// with even if none follows.
func (e *StoppedError) refusal(units int) *Refusal {
	if e.Exhausted {
		return &Refusal{Verdict: Blocked, Units: units, Err: e}
	}
	return &Refusal{Verdict: Stopped, Units: units, Err: e}
}

// stops tells whether an answer to a metered request stops the run. The status
// is enough where the body did not arrive whole.
func (b *buyer) stops(sent attempt) *StoppedError {
	var body []byte
	if sent.answer != nil {
		body = sent.answer.body
	}
	exhausted := slices.ContainsFunc(b.exhausted, func(rule ExhaustedRule) bool { return rule.matches(sent.status, body) })
	if exhausted || sent.status == http.StatusTooManyRequests || sent.status == http.StatusForbidden {
		return &StoppedError{sent.status, exhausted}
	}
	return nil
}
