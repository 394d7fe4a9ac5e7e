package recording

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/share"
)

// Sharing is where a store keeps what it writes besides its folder, for machines that
// don't see that.
type Sharing struct {
	With share.Store
	// Keep is how long an answer is shared, from when it was bought; 0 is for ever.
	// Most is how many bytes all of them may have; 0 is no limit.
	Keep time.Duration
	Most int64
	// Warn is told what is kept in the folder and not shared. Nil is nobody.
	Warn func(error)
}

// shareWait is how long sharing an answer may keep its client waiting.
const shareWait = 10 * time.Second

// ShareError says that the answers that machines share could not be asked for: nothing
// may be bought, for somebody may have bought it.
type ShareError struct{ Err error }

func (e *ShareError) Error() string {
	return fmt.Sprintf("the answers that machines share can't be asked, so nothing is bought: %v", e.Err)
}

// Unwrap is what the ledger said.
func (e *ShareError) Unwrap() error { return e.Err }

// Share makes the store share what it writes from here on. [Store.Lock] then is the single
// flight of a key over all machines, and brings what others bought into the folder. It
// must be called before the store is used.
func (s *Store) Share(with Sharing) { s.sharing = &with }

// since is when what is still shared was bought at the earliest.
func (w *Sharing) since(now time.Time) time.Time {
	if w.Keep == 0 {
		return time.Time{}
	}
	return now.Add(-w.Keep)
}

// Fetch brings what is shared for a key into the folder. A store that shares nothing has
// nothing to fetch. The error is a [*ShareError], a [*SharedError] for an answer that
// is not what it should be, or one of the write.
func (s *Store) Fetch(ctx context.Context, k Key) error {
	if s.sharing == nil {
		return nil
	}
	found, err := s.sharing.With.ShareOf(ctx, k.Sum, s.sharing.since(s.now()))
	if err != nil {
		return &ShareError{err}
	}
	_, err = s.adopt(ctx, k.Sum, k.folder(), found)
	return err
}

// claim makes this process the only one that buys the answer of k, and fetches what the
// one before bought.
func (s *Store) claim(ctx context.Context, k Key) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, flightWait)
	defer cancel()
	release, err = s.sharing.With.ShareClaim(ctx, k.Sum)
	if err != nil {
		return nil, &ShareError{err}
	}
	if err := s.Fetch(ctx, k); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// adopt writes what is shared of one key into the folder, and tells whether that changed
// anything. It is checked as a file is.
func (s *Store) adopt(ctx context.Context, sum, folder string, found []share.Answer) (changed bool, err error) {
	var rec *Recording
	for _, a := range found {
		one, err := s.shared(a, sum)
		if err != nil {
			return false, err
		}
		if rec == nil {
			rec = one
			continue
		}
		rec.Takes, rec.Headers = settled(rec.Takes, one.Takes), one.Headers
	}
	if rec == nil {
		return false, nil
	}
	unlock, err := s.lockWrite(ctx, sum[:shortLen])
	if err != nil {
		return false, err
	}
	defer unlock()
	old, err := s.find(s.roots[0], folder, sum)
	if err != nil {
		return false, err
	}
	if old != nil && slices.EqualFunc(settled(old.Takes, rec.Takes), old.Takes, func(a, b Take) bool { return a.same(b) && a.State == b.State }) {
		return false, nil
	}
	return true, s.add(rec, folder, settled)
}

// settled is mergeTakes, where a take of both that was pending becomes what it is now.
func settled(old, more []Take) []Take {
	now := make(map[purchase]*Take, len(more))
	for i := range more {
		if t := &more[i]; t.State != Pending && now[t.purchase()] == nil {
			now[t.purchase()] = t
		}
	}
	old = slices.Clone(old)
	for i := range old {
		if old[i].State != Pending {
			continue
		}
		if t := now[old[i].purchase()]; t != nil {
			old[i].State, old[i].judged = t.State, t.judged
		}
	}
	return mergeTakes(old, more)
}

// shared reads an answer as strictly as a file: it must be the text that its hash says,
// one take of the key that was asked for, and without a secret. The error is a
// [*SharedError].
func (s *Store) shared(a share.Answer, sum string) (*Recording, error) {
	rec, err := s.read(a, sum)
	var wrong *FileError
	if errors.As(err, &wrong) {
		return nil, &SharedError{wrong, s.sharing.With.ShareRemoval(a.Hash)}
	}
	return rec, err
}

// read is shared, with a [*FileError].
func (s *Store) read(a share.Answer, sum string) (*Recording, error) {
	name := "the shared answer " + a.Hash[:min(shortLen, len(a.Hash))] + " of " + sum[:min(shortLen, len(sum))]
	fail := func(format string, args ...any) (*Recording, error) {
		return nil, &FileError{File: name, Err: fmt.Errorf("damaged recording: "+format, args...)}
	}
	switch {
	case max(a.Bytes, int64(len(a.Text))) > share.Largest: // of such a row no text is read
		return fail("it has %d bytes, and %d at most are shared", max(a.Bytes, int64(len(a.Text))), share.Largest)
	case share.Sum(a.Text) != a.Hash:
		return fail("its text has the hash %s", share.Sum(a.Text))
	}
	if names := s.redact.leaks(a.Text); len(names) > 0 {
		return fail("it holds %s", names[0])
	}
	rec, err := decode(name, a.Text)
	if err != nil {
		return nil, err
	}
	state := State(a.State)
	switch t := &rec.Takes[0]; {
	case rec.Key != sum:
		return fail("it answers another request: its key is %s", rec.Key)
	case len(rec.Takes) != 1:
		return fail("%d takes instead of one", len(rec.Takes))
	case t.State != "" || t.Key != rec.Key:
		return fail("its take says its state, or not its key")
	case state == "" || !state.valid():
		return fail("its state is %q, want answer, evidence or pending", a.State)
	default:
		if state != Answer { // an answer is one by its status, as in a file
			t.State = state
		}
		t.judged = s.answers.judge(t.Response)
	}
	return rec, nil
}

// shareable is a take of a recording as it is shared.
func (s *Store) shareable(rec *Recording, folder string, t Take) (share.Answer, error) {
	a := share.Answer{
		Key: rec.Key, Operation: folder, Environment: rec.Inputs.Environment,
		State: string(t.Standing()), Entry: t.Entry, BoughtAt: t.RecordedAt,
	}
	t.State, t.Key = "", rec.Key
	text, err := encode(&Recording{Format: Format, Key: rec.Key, Inputs: rec.Inputs, Headers: rec.Headers, Takes: []Take{t}})
	if err != nil {
		return a, err
	}
	a.Text, a.Bytes, a.Hash = text, int64(len(text)), share.Sum(text)
	if names := s.redact.leaks(text); len(names) > 0 {
		return a, fmt.Errorf("recordings: the answer of %s holds %s and is not shared", rec.Key[:shortLen], names[0])
	}
	if len(text) > share.Largest {
		return a, &share.LargeError{Bytes: a.Bytes}
	}
	return a, nil
}

// offer shares a take that was just written. What can't be shared now answers here all the
// same, and is shared by the next run that buys.
func (s *Store) offer(ctx context.Context, k Key, t Take) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shareWait)
	defer cancel()
	a, err := s.shareable(&Recording{Key: k.Sum, Inputs: k.Inputs, Headers: s.headers}, k.folder(), t)
	if err == nil && t.Cost == 0 { // polls repeat themselves on every machine
		var known bool
		if known, err = s.knownFree(ctx, &t); known {
			s.settleDebt(k.Sum)
			return
		}
	}
	if err == nil {
		err = s.sharing.With.ShareAdd(ctx, a, s.sharing.Most)
	}
	s.offered(k.Sum, err)
}

// knownFree tells whether the last shared take of a state answers as this one.
func (s *Store) knownFree(ctx context.Context, t *Take) (bool, error) {
	found, err := s.sharing.With.ShareOf(ctx, t.Key, s.sharing.since(s.now()))
	if err != nil {
		return false, err
	}
	for _, a := range slices.Backward(found) {
		one, err := s.shared(a, t.Key)
		if err != nil {
			return false, err
		}
		if last := one.Latest(); last.Standing() == t.Standing() {
			return s.alike(last, t), nil
		}
	}
	return false, nil
}

// offered notes how sharing ended. What will never be shared is no debt.
func (s *Store) offered(sum string, err error) {
	var large *share.LargeError
	var full *share.FullError
	if err == nil || errors.As(err, &large) || errors.As(err, &full) {
		s.settleDebt(sum)
	}
	if err != nil && s.sharing.Warn != nil {
		if large == nil && full == nil {
			err = fmt.Errorf("the answer %s is kept, and not shared yet: %w", sum[:shortLen], err)
		}
		s.sharing.Warn(err)
	}
}
