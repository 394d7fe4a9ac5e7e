package recording

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says where recordings are and what tells requests apart.
type Config struct {
	// Dir is the recordings folder. It need not exist. It must not be empty.
	Dir string
	// Ignore lists JSON pointers (RFC 6901) of request body fields that do not
	// tell requests apart; a reference token * means every member or element.
	// An ignored member is as if absent, an ignored element as if null.
	Ignore []string
	// Headers names the request headers that tell requests apart. Credentials,
	// dates, user agents and trace ids are refused.
	Headers []string
	// Secrets are the values that must never be written.
	Secrets []Secret
	// Now is the clock for takes that come without a time. Nil means time.Now.
	Now func() time.Time
}

// Store is a folder of recordings. Its methods may be called concurrently, and
// several processes may share one folder.
type Store struct {
	dir     string
	private string // .hsharness beside dir
	ignore  []pointer
	headers []string
	redact  *redactor
	now     func() time.Time
	disk    disk
	flights flights
	locks   lockFile
	cache   cache
}

// unkeyed lists headers that say who asks, when or along which way, not what.
var unkeyed = []string{
	"Authorization", "Proxy-Authorization", "Cookie", "Date", "User-Agent",
	"Traceparent", "Tracestate", "Baggage", "X-Request-Id", "X-Correlation-Id", "X-Amzn-Trace-Id",
}

// Open checks cfg and returns the store. It touches no file: a folder of any
// size opens at once. All problems with cfg are returned together.
func Open(cfg Config) (*Store, error) {
	s := &Store{now: cfg.Now, disk: realDisk()}
	if s.now == nil {
		s.now = time.Now
	}
	var errs []error
	if cfg.Dir == "" {
		errs = append(errs, errors.New("recordings: no folder given"))
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		errs = append(errs, fmt.Errorf("recordings: %w", err))
	}
	s.dir, s.private = dir, filepath.Join(filepath.Dir(dir), ".hsharness")
	for _, text := range cfg.Ignore {
		p, err := parsePointer(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("recordings: ignore: %w", err))
		}
		s.ignore = append(s.ignore, p)
	}
	for _, name := range cfg.Headers {
		name = http.CanonicalHeaderKey(strings.TrimSpace(name))
		if name == "" || slices.Contains(unkeyed, name) {
			errs = append(errs, fmt.Errorf("recordings: header %q can't tell requests apart: it says who asks or when, not what", name))
		}
		s.headers = append(s.headers, name)
	}
	slices.Sort(s.headers)
	s.headers = slices.Compact(s.headers)
	if s.redact, err = newRedactor(cfg.Secrets); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// Get returns what was recorded for k. Without a recording the error is
// [ErrMiss]; a file that can't be read as one is a [*FileError], never a miss.
// A quarantined recording answers too: it was paid for, and stays on this
// machine. The result is shared and must not be changed.
func (s *Store) Get(k Key) (*Recording, error) {
	for _, root := range []string{s.dir, s.quarantine()} {
		rec, err := s.find(root, k)
		if !errors.Is(err, ErrMiss) {
			return rec, err
		}
	}
	return nil, fmt.Errorf("%w for %s %s, key %s", ErrMiss, k.Inputs.Method, k.Inputs.Path, k.short())
}

// find looks for k in its own folder first, then in the others: an operation
// that was renamed keeps its recordings.
func (s *Store) find(root string, k Key) (*Recording, error) {
	rec, err := s.in(filepath.Join(root, k.folder()), k)
	if !errors.Is(err, ErrMiss) {
		return rec, err
	}
	folders, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	for _, f := range folders {
		if !f.IsDir() || f.Name() == k.folder() {
			continue
		}
		if rec, err := s.in(filepath.Join(root, f.Name()), k); !errors.Is(err, ErrMiss) {
			return rec, err
		}
	}
	return nil, ErrMiss
}

// in looks for k in one folder. Two keys that begin alike are told apart by the
// key in the file: the second one's file is named by its whole key.
func (s *Store) in(folder string, k Key) (*Recording, error) {
	for _, name := range []string{k.short(), k.Sum} {
		rec, err := s.cache.read(filepath.Join(folder, name+".json"))
		switch {
		case errors.Is(err, os.ErrNotExist):
			// A second one may outlive the first.
		case err != nil:
			return nil, err
		case rec.Key == k.Sum:
			return rec, nil
		}
	}
	return nil, ErrMiss
}

// cacheSize is how many parsed recordings are kept; beyond it the cache starts
// anew, which is simple and costs one more read each.
const cacheSize = 4096

// cache keeps parsed recordings for as long as their files stay the same.
type cache struct {
	mu   sync.RWMutex
	kept map[string]cached
}

type cached struct {
	info os.FileInfo
	rec  *Recording
}

// read returns the recording in file. A file is the same one while identity,
// size and modification time are: writers replace files, never change them.
func (c *cache) read(file string) (*Recording, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	c.mu.RLock()
	old, ok := c.kept[file]
	c.mu.RUnlock()
	if ok && os.SameFile(old.info, info) && old.info.Size() == info.Size() && old.info.ModTime().Equal(info.ModTime()) {
		return old.rec, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	rec, err := decode(file, raw)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= cacheSize {
		c.kept = make(map[string]cached)
	}
	c.kept[file] = cached{info, rec}
	return rec, nil
}
