package recording

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Config says where recordings are and what tells requests apart.
type Config struct {
	// Dir is the recordings folder. It need not exist. It must not be empty.
	Dir string
	// Ignore lists JSON pointers (RFC 6901) of request body fields that do not
	// tell requests apart; a reference token * means every member or element.
	// An ignored member is as if absent, an ignored element as if null.
	Ignore []string
	// Headers names the request headers that tell requests apart, besides
	// Accept-Language, which always does. Credentials, dates, user agents and
	// trace ids are refused.
	Headers []string
	// Answers lists the statuses that are answers: 404, or 2xx for a class. Any
	// other is kept as [Evidence] and asked for again. Nil means 2xx and 4xx
	// except 401, 402, 403, 407, 408 and 429.
	Answers []string
	// NeverAnswer recognizes what is no answer whatever its status, such as the
	// message of a service that has nothing left. Nil recognizes nothing.
	NeverAnswer func(status int, body []byte) bool
	// Secrets are the values that must never be written.
	Secrets []Secret
	// Now is the clock for takes that come without a time. Nil means time.Now.
	Now func() time.Time
}

// Store is a folder of recordings. Its methods may be called concurrently, and
// several processes may share one folder.
type Store struct {
	dir     string
	private string // .hsharness beside dir, or beside what dir is a link to
	roots   []root
	ignore  []pointer
	headers []string // that count, sorted
	answers answers
	redact  *redactor
	now     func() time.Time
	disk    disk
	flights flights
	locks   lockFile
	// writeWait is how long another writer is waited for. Zero means 10 seconds.
	writeWait time.Duration
	// portion is how many bytes of shared answers are read at once. Zero means 8 MiB.
	portion int64
	// longest is how long a file may become, in bytes. Zero means [largest].
	longest  int
	cache    cache
	nearby   nearby
	written  written
	withheld atomic.Bool // see Withhold
	sharing  *Sharing    // nil where the folder is all there is
}

// unkeyed lists headers that say who asks, when or along which way, not what.
var unkeyed = []string{
	"Authorization", "Proxy-Authorization", "Cookie", "Date", "User-Agent",
	"Traceparent", "Tracestate", "Baggage", "X-Request-Id", "X-Correlation-Id", "X-Amzn-Trace-Id",
}

// headerName is a token (RFC 9110 §5.6.2).
var headerName = pattern.New("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// CheckHeader says why a header can't be one of [Config.Headers]; nil if it can.
func CheckHeader(name string) error {
	switch {
	case !headerName.MatchString(name):
		return fmt.Errorf("%q is no name of a header", name)
	case slices.Contains(unkeyed, http.CanonicalHeaderKey(name)):
		return fmt.Errorf("header %q can't tell requests apart: it says who asks or when, not what", http.CanonicalHeaderKey(name))
	}
	return nil
}

// CheckIgnore says why a text can't be one of [Config.Ignore]; nil if it can.
func CheckIgnore(pointer string) error {
	_, err := parsePointer(pointer)
	return err
}

// Open checks cfg and returns the store. It opens no file: a folder of any
// size opens at once. All problems with cfg are returned together.
func Open(cfg Config) (*Store, error) {
	s := &Store{now: cfg.Now}
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
	home := realFolder(dir)
	s.dir, s.private = dir, besideFolder(dir, home)
	s.roots = roots(s.dir, home, s.private)
	for _, text := range cfg.Ignore {
		p, err := parsePointer(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("recordings: ignore: %w", err))
		}
		s.ignore = append(s.ignore, p)
	}
	for _, name := range cfg.Headers {
		if err := CheckHeader(name); err != nil {
			errs = append(errs, fmt.Errorf("recordings: %w", err))
		}
		s.headers = append(s.headers, http.CanonicalHeaderKey(name))
	}
	s.headers = append(s.headers, acceptLanguage)
	slices.Sort(s.headers)
	s.headers = slices.Compact(s.headers)
	if s.answers, err = parseAnswers(cfg.Answers, cfg.NeverAnswer); err != nil {
		errs = append(errs, err)
	}
	if s.redact, err = newRedactor(cfg.Secrets); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// Get returns what was recorded for k in all places, whatever its state. Without
// a recording the error is [ErrMiss]; a file that can't be read as one is a
// [*FileError], never a miss. The result is shared and must not be changed.
func (s *Store) Get(k Key) (*Recording, error) {
	rec, err := s.get(k, k.Sum)
	if errors.Is(err, ErrMiss) || err == nil && rec.Answer() == nil {
		// What failed hides no answer that was paid for before.
		switch older, olderErr := s.older(k); {
		case olderErr == nil && (err != nil || older.Answer() != nil):
			return older, nil
		case olderErr != nil && !errors.Is(olderErr, ErrMiss):
			return nil, olderErr
		}
	}
	if errors.Is(err, ErrMiss) {
		return nil, fmt.Errorf("%w for %s %s, key %s", ErrMiss, k.Inputs.Method, k.Inputs.Path, k.short())
	}
	return rec, err
}

// Answer returns the recording of k and the take that answers now. Where only
// takes that never answer are kept, the error is an [*EvidenceError], which is a
// miss too; else errors are those of [Store.Get].
func (s *Store) Answer(k Key) (*Recording, *Take, error) {
	rec, err := s.Get(k)
	if err != nil {
		return nil, nil, err
	}
	if take := rec.Answer(); take != nil {
		return rec, take, nil
	}
	return nil, nil, &EvidenceError{Recording: rec}
}
