package recording

import (
	"context"
	"os"
	"time"
)

// Canonical is the RFC 8785 form of raw, for the RFC's own vectors.
func Canonical(raw []byte) ([]byte, error) {
	n, ok := parseJSON(raw)
	if !ok {
		return nil, errAmbiguous
	}
	return n.canonical(nil)
}

// Both are what counts of a JSON text without what the pointers name: as it is made while
// the text is read, and by its tree. Empty is no form.
func Both(raw []byte, ignore ...string) (read, tree string) {
	n, ok := parseJSON(raw)
	if !ok {
		return "", ""
	}
	var pointers []pointer
	for _, text := range ignore {
		p, err := parsePointer(text)
		if err != nil {
			return "", err.Error()
		}
		pointers = append(pointers, p)
	}
	if out, ok := canonicalOf(raw, pointers); ok {
		read = string(out)
	}
	if n = n.without(pointers); n.exact() {
		out, _ := n.canonical(nil)
		tree = string(out)
	}
	return read, tree
}

// CanonicalNumber is one number's form.
func CanonicalNumber(f float64) string { return string(canonicalNumber(nil, f)) }

// Decode reads a file's text.
func Decode(file string, raw []byte) (*Recording, error) { return decode(file, raw) }

// Encode is a file's text.
func Encode(r *Recording) ([]byte, error) { return encode(r) }

// FailFill makes the store's disk fail to take a file's text.
func (s *Store) FailFill(fail func(f *os.File, text []byte) error) { s.disk.fill = fail }

// FailRename makes the store's disk fail to rename.
func (s *Store) FailRename(fail func(from, to string) error) { s.disk.rename = fail }

// WaitForWriters sets how long another writer is waited for.
func (s *Store) WaitForWriters(limit time.Duration) { s.writeWait = limit }

// ReadAtOnce sets how many bytes of shared answers are read at once.
func (s *Store) ReadAtOnce(bytes int64) { s.portion = bytes }

// LockWrite takes the lock of whoever writes the recording of k.
func (s *Store) LockWrite(ctx context.Context, k Key) (unlock func(), err error) {
	return s.lockWrite(ctx, k.short())
}

// WaitingForWriter is how many goroutines wait for that lock.
func (s *Store) WaitingForWriter(k Key) int {
	s.flights.mu.Lock()
	defer s.flights.mu.Unlock()
	if one := s.flights.held["write-"+k.short()]; one != nil {
		return one.waiting - 1
	}
	return 0
}

// LimitFiles sets how long a file may become, in bytes.
func (s *Store) LimitFiles(longest int) { s.longest = longest }

// Cached is how many recordings the store keeps in memory, and how many bytes their files
// have.
func (s *Store) Cached() (files int, bytes int64) {
	s.cache.mu.RLock()
	defer s.cache.mu.RUnlock()
	return len(s.cache.kept), s.cache.bytes
}

// LimitCache sets how many bytes the files of all that the store keeps in memory may have.
func (s *Store) LimitCache(most int64) { s.cache.most = most }

// Short tells whether a number is taken to be exact by its length.
func Short(number []byte) bool { return short(number) }
