package recording

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/share"
)

// push shares the takes of one recording that are not shared, and says how many those
// were.
func (s *Store) push(ctx context.Context, rec *Recording) (pushed int, err error) {
	known, err := s.sharing.With.ShareOf(ctx, rec.Key, time.Time{})
	if err != nil {
		return 0, err
	}
	lacking := s.lacking(rec, known)
	for _, a := range lacking {
		if err := s.pushOne(ctx, rec, a); err != nil {
			return pushed, err
		}
		pushed++
	}
	return pushed, nil
}

// pushOne shares an answer of a recording. That there is no room for it is said, and no
// error.
func (s *Store) pushOne(ctx context.Context, rec *Recording, a share.Answer) error {
	err := s.sharing.With.ShareAdd(ctx, a, s.sharing.Most)
	var full *share.FullError
	if errors.As(err, &full) {
		s.unshared(rec, err)
		return nil
	}
	return err
}

// unshared tells that an answer of a recording stays where it is.
func (s *Store) unshared(rec *Recording, why error) {
	if s.sharing.Warn != nil {
		s.sharing.Warn(fmt.Errorf("%s: %w", rec.File, why))
	}
}

// lacking are the takes of a recording that are not among what is shared, or are in
// another state by now.
func (s *Store) lacking(rec *Recording, known []share.Answer) []share.Answer {
	var all []share.Answer
	since := s.sharing.since(s.now())
	for _, t := range rec.Takes {
		if t.RecordedAt.Before(since) {
			continue
		}
		a, err := s.shareable(rec, filepath.Base(filepath.Dir(rec.File)), t)
		if err != nil {
			s.unshared(rec, err)
			continue
		}
		there := slices.IndexFunc(known, func(k share.Answer) bool { return k.Hash == a.Hash })
		if there < 0 || known[there].State == string(Pending) && a.State != string(Pending) {
			all = append(all, a)
		}
	}
	return all
}

// Moved is what [Store.Pull] or [Store.Push] moved, or would.
type Moved struct {
	// Answers are how many answers were lacking there, and Bytes how long they are.
	Answers int   `json:"answers"`
	Bytes   int64 `json:"bytes"`
	// Recordings are the keys that they belong to, sorted.
	Recordings []string `json:"recordings"`
	// Shared is how many answers are shared in all, before.
	Shared int `json:"shared"`
	// Left is how many were not moved since the share has no room, or may not hold
	// them.
	Left int `json:"left"`
}

func (m *Moved) add(a share.Answer) {
	m.Answers++
	m.Bytes += a.Bytes
	if n := len(m.Recordings); n == 0 || m.Recordings[n-1] != a.Key {
		m.Recordings = append(m.Recordings, a.Key)
	}
}

// portion is how many bytes of answers are read at once.
const portion = 8 << 20

// Pull brings what is shared and not in the folder into it; dry only looks. Each step
// tells progress how many answers came of how many. A recording of the folder that can't
// be read, and an answer that is not what it should be, keep nothing else from coming.
func (s *Store) Pull(ctx context.Context, dry bool, progress func(done, of int)) (Moved, error) {
	m := Moved{Recordings: []string{}}
	listed, err := s.sharing.With.ShareList(ctx, s.sharing.since(s.now()))
	if err != nil {
		return m, &ShareError{err}
	}
	m.Shared = len(listed)
	var wrong error
	here := map[string]State{}
	for rec := range s.Each(&wrong) {
		for _, t := range rec.Takes {
			if a, _ := s.shareable(rec, "", t); a.Hash != "" {
				here[a.Hash] = t.Standing()
			}
		}
	}
	listed = slices.DeleteFunc(listed, func(a share.Answer) bool {
		state, ok := here[a.Hash]
		return ok && (state != Pending || a.State == string(Pending))
	})
	var damage damages
	if wrong != nil {
		damage.add(0, wrong)
	}
	done, of := 0, len(listed)
	for part := range portions(listed, cmp.Or(s.portion, portion)) {
		done += len(part)
		if !dry {
			var hashes []string
			for _, a := range part {
				hashes = append(hashes, a.Hash)
			}
			found, err := s.sharing.With.ShareRead(ctx, hashes)
			var tooMuch *share.TooMuchError
			switch {
			case errors.As(err, &tooMuch):
				damage.add(len(part), err)
				m.Left += len(part)
				continue
			case err != nil:
				return m, errors.Join(damage.all(), &ShareError{err})
			}
			part = found
		}
		for one := range byKey(part) {
			if !dry {
				if _, err := s.adopt(ctx, one[0].Key, slug(one[0].Operation), one); err != nil {
					damage.add(len(one), err)
					m.Left += len(one)
					continue
				}
			}
			for _, a := range one {
				m.add(a)
			}
		}
		progress(done, of)
	}
	return m, damage.all()
}

// told is how much of what is shared and damaged is told in full.
const told = 20

// damages are what was wrong with what is shared: others may have written so much of it
// that nobody reads the half.
type damages struct {
	errs    []error
	further int
}

// add adds what is wrong with so many answers.
func (d *damages) add(answers int, err error) {
	if len(d.errs) < told {
		d.errs = append(d.errs, err)
		return
	}
	d.further += answers
}

func (d *damages) all() error {
	if d.further == 0 {
		return errors.Join(d.errs...)
	}
	return errors.Join(append(d.errs, fmt.Errorf("and %d shared answers more that are not what they should be", d.further))...)
}

// portions are answers that are sorted by their key in parts that are read at once: all of
// one key, and of further ones as long as they have no more than most bytes together.
func portions(all []share.Answer, most int64) func(yield func([]share.Answer) bool) {
	return func(yield func([]share.Answer) bool) {
		var bytes int64
		n := 0
		for one := range byKey(all) {
			more := extent(one)
			if n > 0 && bytes+more > most {
				if !yield(all[:n]) {
					return
				}
				all, n, bytes = all[n:], 0, 0
			}
			n, bytes = n+len(one), bytes+more
		}
		if n > 0 {
			yield(all[:n])
		}
	}
}

// extent is what answers count for when they are read. What is longer than any is not.
func extent(all []share.Answer) (bytes int64) {
	for _, a := range all {
		bytes += share.RowBytes
		if a.Bytes <= share.Largest {
			bytes += a.Bytes
		}
	}
	return bytes
}

// byKey goes through answers that are sorted by their key, all of one key at once.
func byKey(all []share.Answer) func(yield func([]share.Answer) bool) {
	return func(yield func([]share.Answer) bool) {
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n].Key == all[0].Key {
				n++
			}
			if !yield(all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}

// Push shares what is in the folder and is not shared; dry only looks. What is in
// quarantine, and copies that were not brought home, stay.
func (s *Store) Push(ctx context.Context, dry bool, progress func(done, of int)) (Moved, error) {
	m := Moved{Recordings: []string{}}
	listed, err := s.sharing.With.ShareList(ctx, time.Time{})
	if err != nil {
		return m, &ShareError{err}
	}
	m.Shared = len(listed)
	known := map[string][]share.Answer{}
	for one := range byKey(listed) {
		known[one[0].Key] = one
	}
	// They go out in the order of their keys, and one is in memory at a time.
	var wrong error
	type named struct{ key, file string }
	var all []named
	for rec := range s.Each(&wrong) {
		all = append(all, named{strings.Clone(rec.Key), rec.File})
	}
	slices.SortStableFunc(all, func(a, b named) int { return cmp.Compare(a.key, b.key) })
	warn := s.sharing.Warn
	s.sharing.Warn = func(err error) {
		m.Left++
		if warn != nil {
			warn(err)
		}
	}
	defer func() { s.sharing.Warn = warn }()
	for i, one := range all {
		if s.place(one.file) != Shared {
			continue
		}
		rec, err := s.Read(one.file)
		if err != nil { // it was there a moment ago
			wrong = errors.Join(wrong, err)
			continue
		}
		for _, a := range s.lacking(rec, known[rec.Key]) {
			left := m.Left
			if !dry {
				if err := s.pushOne(ctx, rec, a); err != nil {
					return m, errors.Join(wrong, &ShareError{err})
				}
			}
			if m.Left == left {
				m.add(a)
			}
		}
		if !dry {
			s.settleDebt(rec.Key)
		}
		progress(i+1, len(all))
	}
	return m, wrong
}
