package recording

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

// ErrNothingPending says that no take of a recording waits to be accepted.
var ErrNothingPending = errors.New("nothing waits to be accepted")

// Withhold makes answers that are bought from here on wait: they are [Pending], and
// answer nothing until [Store.Accept]. So an answer that was bought to be compared is
// never served by accident, whenever its buyer is killed.
func (s *Store) Withhold() { s.withheld.Store(true) }

// Accept makes the latest take of a recording that waits its answer: the one that rec has,
// for nobody has seen what came into the file since, and that goes on waiting. Earlier
// ones that wait become evidence: they are kept, and never answer. Only the shared folder
// is changed; an emergency copy is recovered first. ctx ends only the wait for other
// writers.
func (s *Store) Accept(ctx context.Context, rec *Recording) error {
	unlock, err := s.lockWrite(ctx, rec.Key[:shortLen])
	if err != nil {
		return err
	}
	defer unlock()
	found, err := s.find(s.roots[0], filepath.Base(filepath.Dir(rec.File)), rec.Key)
	if err != nil {
		return err
	}
	want, at := rec.Waiting(), -1
	if found != nil && found.Waiting() != nil && want != nil {
		at = slices.IndexFunc(found.Takes, func(t Take) bool { return t.same(*want) && t.State == Pending })
	}
	if at < 0 {
		return fmt.Errorf("recordings: %s: %w", rec.File, ErrNothingPending)
	}
	next := *found
	next.Takes = slices.Clone(next.Takes) // what is read is shared
	next.Takes[at].State = ""
	for i := range next.Takes[:at] {
		if t := &next.Takes[i]; t.State == Pending {
			t.State = Evidence
		}
	}
	text, err := encode(&next)
	if err != nil {
		return err
	}
	if err := s.write(next.File, text, 0o644); err != nil {
		return err
	}
	s.written.note(Shared, next.File)
	if s.sharing == nil {
		return nil
	}
	s.owe(next.Key)
	_, err = s.push(ctx, &next)
	s.offered(next.Key, err)
	return nil
}

// Waiting is the latest take that waits to be accepted, nil where none does. One that an
// answer followed waits no more.
func (r *Recording) Waiting() *Take {
	for i := len(r.Takes) - 1; i >= 0; i-- {
		switch t := &r.Takes[i]; t.Standing() {
		case Pending:
			return t
		case Answer:
			return nil
		}
	}
	return nil
}
