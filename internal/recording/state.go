package recording

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// State says what a take is good for.
type State string

const (
	// Answer answers every later request for the same. A take whose file names
	// no state counts as one, if its status does.
	Answer State = "answer"
	// Evidence was paid for and is kept, but never answers: a passing failure is
	// not what the service says to a request. It is asked for again.
	Evidence State = "evidence"
	// Pending was bought to compare it with an older take, and is not accepted
	// yet; see [Store.Withhold]. It never answers.
	Pending State = "pending"
)

func (s State) valid() bool {
	return s == "" || s == Answer || s == Evidence || s == Pending
}

// statusForm is one line of the setting: a status, or a class of them.
var statusForm = pattern.New(`^[1-5]([0-9][0-9]|xx)$`)

// passing are the statuses below 500 that say nothing about the request: who
// asks must pay, log in (at a proxy too) or wait, or was too slow.
var passing = []int{401, 402, 403, 407, 408, 429}

// answers tells which statuses are answers.
type answers struct {
	patterns []string // empty is the default
	never    func(status int, body []byte) bool
}

// parseAnswers reads the setting; nil is the default.
func parseAnswers(patterns []string, never func(int, []byte) bool) (answers, error) {
	a := answers{patterns: patterns, never: never}
	if patterns != nil && len(patterns) == 0 {
		return a, errors.New("recordings: answers is empty: every answer would be bought again and again")
	}
	var errs []error
	for _, p := range patterns {
		if !statusForm.MatchString(p) {
			errs = append(errs, fmt.Errorf("recordings: answers: %q is no status such as 404 or 2xx", p))
		}
	}
	return a, errors.Join(errs...)
}

// status judges by the status alone.
func (a answers) status(status int) bool {
	if a.patterns == nil {
		return status/100 == 2 || status/100 == 4 && !slices.Contains(passing, status)
	}
	text := fmt.Sprintf("%03d", status)
	return slices.ContainsFunc(a.patterns, func(p string) bool {
		class, isClass := strings.CutSuffix(p, "xx")
		return p == text || isClass && len(text) == 3 && text[:1] == class
	})
}

// judge is the state that a take has by its answer.
func (a answers) judge(m Message) State {
	if !a.status(m.Status) || a.never != nil && a.never(m.Status, m.Body) {
		return Evidence
	}
	return Answer
}

// AnswerStatus tells whether an answer of that status is one that answers later
// requests, as far as the status alone says.
func (s *Store) AnswerStatus(status int) bool { return s.answers.status(status) }

// Standing is what the take counts as: its State, or what the store that read it
// makes of its status. A take that no store has read and that has no state
// counts as an answer.
func (t *Take) Standing() State {
	switch {
	case t.State != "":
		return t.State
	case t.judged != "":
		return t.judged
	}
	return Answer
}

// Answer is the take that answers now: the latest of the answers, nil where there
// is none.
func (r *Recording) Answer() *Take {
	for i := len(r.Takes) - 1; i >= 0; i-- {
		if r.Takes[i].Standing() == Answer {
			return &r.Takes[i]
		}
	}
	return nil
}

// answering lists the takes that answer, in order.
func (r *Recording) answering() []*Take {
	var all []*Take
	for i := range r.Takes {
		if r.Takes[i].Standing() == Answer {
			all = append(all, &r.Takes[i])
		}
	}
	return all
}

// lastLike is the latest take of a state, nil where there is none.
func (r *Recording) lastLike(state State) *Take {
	for i := len(r.Takes) - 1; i >= 0; i-- {
		if r.Takes[i].Standing() == state {
			return &r.Takes[i]
		}
	}
	return nil
}
