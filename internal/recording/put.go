package recording

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Put appends t to what is recorded for k. When it returns nil the take is on
// disk. A take of cost 0 that answers like the last one of its state is not
// written again. A take without a state whose status is no answer becomes
// [Evidence]; after [Store.Withhold] one that cost something becomes [Pending].
//
// A take that still holds a secret after redaction goes to quarantine and the
// error is a [*QuarantineError]. Any other error is a [*WriteError] with the
// place of the emergency copy. ctx ends only the wait for other writers.
func (s *Store) Put(ctx context.Context, k Key, t Take) error {
	t = s.prepare(k, t)
	if s.sharing != nil {
		s.owe(k.Sum)
	}
	appended := func(old, more []Take) []Take { return slices.Concat(old, more) }
	wrote, err := s.put(ctx, k, t, appended)
	// Files that others have open are closed soon, and what is not kept is bought again.
	for pause := 10 * time.Millisecond; pause < time.Second && outOfFiles(err); pause *= 2 {
		time.Sleep(pause)
		wrote, err = s.put(ctx, k, t, mergeTakes) // the first try may have written it
	}
	var aside *QuarantineError
	secret := errors.As(err, &aside)
	switch {
	case s.sharing == nil:
	case secret, err == nil && !wrote:
		s.settleDebt(k.Sum)
	default: // one that could not be written was paid for as well
		s.offer(ctx, k, t)
	}
	if err == nil || secret {
		return err
	}
	failed := &WriteError{Err: err}
	for _, r := range s.roots {
		if r.place != Emergency {
			continue
		}
		if failed.Copy, failed.CopyErr = s.emergency(r, k, t); failed.CopyErr == nil {
			s.written.note(Emergency, failed.Copy)
			break
		}
	}
	return failed
}

// outOfFiles tells that this process, or its system, has as many files open as it may.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// prepare completes and redacts a take. The caller's stays as it is.
func (s *Store) prepare(k Key, t Take) Take {
	if t.RecordedAt.IsZero() {
		t.RecordedAt = s.now()
	}
	t.RecordedAt = t.RecordedAt.UTC()
	t.Key = k.Sum
	t.Request, t.Redactions = k.request, slices.Clone(k.redactions)
	note := func(where string) { t.Redactions = append(t.Redactions, where) }
	kept := make(http.Header, len(t.Response.Header))
	for name, values := range t.Response.Header {
		kept[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	// The body may change its length, and whoever serves it knows it anyway.
	kept.Del("Content-Length")
	t.Response.Header = s.redact.header(kept, "response", note)
	t.Response.Body, _ = s.redact.body(t.Response.Body, "response", note)
	t.judged = s.answers.judge(t.Response)
	switch {
	case t.State != "":
	case t.judged == Evidence:
		t.State = Evidence
	case t.Cost > 0 && s.withheld.Load():
		t.State = Pending
	}
	return t
}

func (s *Store) put(ctx context.Context, k Key, t Take, join func(old, more []Take) []Take) (wrote bool, err error) {
	unlock, err := s.lockWrite(ctx, k.short())
	if err != nil {
		return false, err
	}
	defer unlock()
	rec, err := s.get(k, k.Sum)
	if err != nil && !errors.Is(err, ErrMiss) {
		return false, err
	}
	if rec != nil && t.Cost == 0 {
		if last := rec.lastLike(t.Standing()); last != nil && s.alike(last, &t) {
			return false, nil
		}
	}
	one := &Recording{Format: Format, Key: k.Sum, Inputs: k.Inputs, Headers: s.headers, Takes: []Take{t}}
	return true, s.add(one, k.folder(), join)
}

// add joins the takes of rec to the recording of its key, in the shared folder or,
// where they hold a secret, in quarantine. The caller holds the lock.
func (s *Store) add(rec *Recording, operation string, join func(old, more []Take) []Take) error {
	text, file, err := s.joined(s.roots[0], rec, operation, join)
	if err != nil {
		return err
	}
	names := s.redact.leaks(text)
	if len(names) == 0 {
		if err := s.write(file, text, 0o644); err != nil {
			return err
		}
		s.written.note(Shared, file)
		return nil
	}
	if text, file, err = s.joined(s.roots[1], rec, operation, join); err != nil {
		return err
	}
	if err := hide(s.private, filepath.Dir(file)); err != nil {
		return err
	}
	if err := s.write(file, text, 0o600); err != nil {
		return err
	}
	s.written.note(Quarantine, file)
	return &QuarantineError{File: file, Secrets: names}
}

// joined is the text of a place's recording with the takes of rec, and the file it
// belongs into.
func (s *Store) joined(r root, rec *Recording, operation string, join func(old, more []Take) []Take) (text []byte, file string, err error) {
	next := *rec
	old, err := s.find(r, operation, rec.Key)
	switch {
	case err != nil:
		return nil, "", err
	case old == nil:
		file, err = s.free(r, operation, rec.Key)
	default:
		next, file = *old, old.File
		next.Takes = join(next.Takes, rec.Takes)
		// From now on it is known what the answer was asked with.
		if rec.Answer() != nil {
			next.Headers = rec.Headers
		}
	}
	if err != nil {
		return nil, "", err
	}
	if text, err = encode(&next); err == nil {
		err = s.fits(file, len(text))
	}
	return text, file, err
}

// fits tells whether a file of that many bytes can be read again.
func (s *Store) fits(file string, bytes int) error {
	if most := cmp.Or(s.longest, largest); bytes > most {
		return fmt.Errorf("recordings: %s would have %d bytes, and %d at most can be read again: "+
			"call it otherwise, such as %[1]s.full, and the next answer begins a new file", file, bytes, most)
	}
	return nil
}

// free is where a new recording goes: the short name, or the whole key where
// another key has that.
func (s *Store) free(r root, operation, sum string) (string, error) {
	folder := filepath.Join(r.dir, operation)
	file := filepath.Join(folder, sum[:shortLen]+".json")
	switch _, err := s.named(r, file); {
	case errors.Is(err, os.ErrNotExist):
		return file, nil
	case err != nil:
		return "", err
	}
	return filepath.Join(folder, sum+".json"), nil
}

// alike tells that two takes answer the same, ignored fields aside.
func (s *Store) alike(a, b *Take) bool {
	return a.Response.Status == b.Response.Status && bytes.Equal(s.counts(a.Response.Body), s.counts(b.Response.Body))
}

// counts is what counts of a redacted body.
func (s *Store) counts(body []byte) []byte { return s.canonicalBody(body, isJSON(body)) }

// emergency keeps t in a file of its own, readable by its owner only, and returns
// its name. It needs no lock, for that may be what failed.
func (s *Store) emergency(r root, k Key, t Take) (string, error) {
	text, err := encode(&Recording{Format: Format, Key: k.Sum, Inputs: k.Inputs, Headers: s.headers, Takes: []Take{t}})
	if err != nil {
		return "", err
	}
	random := make([]byte, 4)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	file := filepath.Join(r.dir, k.folder(), k.short()+"-"+hex.EncodeToString(random)+".json")
	if r.ours != nil {
		parent := filepath.Dir(r.dir)
		if err := os.Mkdir(parent, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("recordings: %w", err)
		}
		if !r.ours() {
			return "", fmt.Errorf("recordings: %s is not this user's own", parent)
		}
	}
	if err := hide(r.dir, filepath.Dir(file)); err != nil {
		return "", err
	}
	return file, s.write(file, text, 0o600)
}
