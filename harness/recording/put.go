package recording

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
)

// Put appends t to what is recorded for k. When it returns nil the take is on
// disk. A take of cost 0 that answers like the last one is not written again.
//
// A take that still holds a secret after redaction goes to quarantine and the
// error is a [*QuarantineError]. Any other error is a [*WriteError] with the
// place of the emergency copy. ctx ends only the wait for other writers.
func (s *Store) Put(ctx context.Context, k Key, t Take) error {
	t = s.prepare(k, t)
	err := s.put(ctx, k, t)
	var aside *QuarantineError
	if err == nil || errors.As(err, &aside) {
		return err
	}
	failed := &WriteError{Err: err}
	for _, dir := range []string{filepath.Join(s.private, "emergency"), filepath.Join(os.TempDir(), "hsharness-emergency")} {
		if failed.Copy, failed.CopyErr = Emergency(dir, k, t); failed.CopyErr == nil {
			break
		}
	}
	return failed
}

// prepare completes and redacts a take. The caller's stays as it is.
func (s *Store) prepare(k Key, t Take) Take {
	if t.RecordedAt.IsZero() {
		t.RecordedAt = s.now()
	}
	t.RecordedAt = t.RecordedAt.UTC()
	t.Request, t.Redactions = k.request, slices.Clone(k.redactions)
	note := func(where string) { t.Redactions = append(t.Redactions, where) }
	kept := make(http.Header, len(t.Response.Header))
	for name, values := range t.Response.Header {
		kept[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	// The body may change its length, and whoever serves it knows it anyway.
	kept.Del("Content-Length")
	t.Response.Header = s.redact.header(kept, "response", note)
	_, t.Response.Body = s.redact.body(t.Response.Body, "response", note)
	return t
}

func (s *Store) put(ctx context.Context, k Key, t Take) error {
	// One writer a file name, not a key: two keys may begin alike.
	unlock, err := s.lock(ctx, "write-"+k.short())
	if err != nil {
		return err
	}
	defer unlock()
	rec, err := s.Get(k)
	switch {
	case errors.Is(err, ErrMiss):
		rec = &Recording{Format: Format, Key: k.Sum, Inputs: k.Inputs}
	case err != nil:
		return err
	case t.Cost == 0 && s.alike(rec.Latest(), &t):
		return nil
	}
	next := *rec
	next.Takes = append(slices.Clone(rec.Takes), t)
	text, err := encode(&next)
	if err != nil {
		return err
	}
	if names := s.redact.leaks(text); len(names) > 0 {
		file, err := s.place(s.quarantine(), k)
		if err != nil {
			return err
		}
		if err := s.writePrivate(file, text); err != nil {
			return err
		}
		return &QuarantineError{File: file, Secrets: names}
	}
	file := rec.File
	if file == "" || !within(s.dir, file) {
		if file, err = s.place(s.dir, k); err != nil {
			return err
		}
	}
	return s.disk.write(file, text, 0o644)
}

// alike tells that two takes answer the same, ignored fields aside.
func (s *Store) alike(a, b *Take) bool {
	return a.Response.Status == b.Response.Status && bytes.Equal(s.counts(a.Response.Body), s.counts(b.Response.Body))
}

// counts is what counts of a redacted body.
func (s *Store) counts(body []byte) []byte {
	n, ok := parseJSON(body)
	if !ok {
		return body
	}
	return s.canonicalBody(&n, body)
}

// place is where a new recording of k goes under root: the short name, or the
// whole key where another key has that.
func (s *Store) place(root string, k Key) (string, error) {
	file := filepath.Join(root, k.folder(), k.short()+".json")
	switch rec, err := s.cache.read(file); {
	case errors.Is(err, os.ErrNotExist):
		return file, nil
	case err != nil:
		return "", err
	case rec.Key == k.Sum:
		return file, nil
	}
	return filepath.Join(root, k.folder(), k.Sum+".json"), nil
}

func (s *Store) quarantine() string { return filepath.Join(s.private, "quarantine") }

// writePrivate writes a file of mode 0600 that git does not see.
func (s *Store) writePrivate(file string, text []byte) error {
	if err := hide(s.private, filepath.Dir(file)); err != nil {
		return err
	}
	return s.disk.write(file, text, 0o600)
}

// Emergency keeps t in a file of its own in dir, readable by its owner only, and
// returns its name. It is for a take that could not be written where it belongs;
// [Store.Put] does this by itself.
func Emergency(dir string, k Key, t Take) (string, error) {
	text, err := encode(&Recording{Format: Format, Key: k.Sum, Inputs: k.Inputs, Takes: []Take{t}})
	if err != nil {
		return "", err
	}
	if err := hide(dir, dir); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, k.folder()+"-"+k.short()+"-*.json") // mode 0600
	if err != nil {
		return "", fmt.Errorf("recordings: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("recordings: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return f.Name(), nil
}
