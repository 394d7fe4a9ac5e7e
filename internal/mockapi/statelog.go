package mockapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/files"
)

// stateLog is the state file: a head with the counts, then a line of JSON for
// each change. A line is on disk before the request that made it is answered,
// so that a killed process has counted all that it served. Opening it writes it
// anew, without what is over, and so does a change that made it long.
type stateLog struct {
	file  string
	env   avalara.Environment
	size  int64
	anew  int64 // the size at which it is written anew
	grows int64 // how much it may grow before that, at least
	// half is the size of what was to replace the file, while it is not known whether that
	// is there for good; 0 where it is. replace puts it there: a test's own, or nil.
	half    int64
	replace func(name string, data []byte) error
}

// A state has a head of 23 MB at most, by maxAccounts and maxAccountName, and
// lines of twice maxKeptBytes. A file is written anew when it has grown by half of
// that, so one that is longer than maxState is not of this program.
const (
	maxState     = 256 << 20
	maxStateLine = 32 << 20
	stateGrows   = 1 << 20
	// maxServed is how many units an account may have used: one more is a number still.
	maxServed = 1 << 53
)

// head is the first line. Format 1, which is still read, had nothing after it.
type head struct {
	Format      int                 `json:"format"`
	Environment avalara.Environment `json:"environment"`
	Served      map[string]int64    `json:"served"`
	LastItem    int64               `json:"last_item"`
}

// open reads the state file into s and writes it once, so that a folder that
// can't be written is known at the start.
func (s *state) open(file string, env avalara.Environment) error {
	f, err := files.Open(file, maxState)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("state file: %w", err)
	default:
		err = s.replay(f, env)
		_ = f.Close() // it was read
		if err != nil {
			return fmt.Errorf("state file %s %w", file, err)
		}
	}
	s.log = &stateLog{file: file, env: env, grows: stateGrows}
	return s.rewrite()
}

// rewrite writes the file anew, as short as it can be.
func (s *state) rewrite() error {
	data, err := s.snapshot(s.log.env)
	if err == nil {
		replace := s.log.replace
		if replace == nil {
			replace = files.Replace
		}
		s.log.half = int64(len(data))
		err = replace(s.log.file, data)
	}
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	s.log.size, s.log.half = int64(len(data)), 0
	s.log.later()
	return nil
}

// later waits with writing it anew until that is worth what it costs.
func (l *stateLog) later() { l.anew = l.size + max(l.grows, l.size/2) }

// snapshot is a whole state file.
func (s *state) snapshot(env avalara.Environment) ([]byte, error) {
	all, err := asLine(head{Format: 2, Environment: env, Served: s.served, LastItem: s.last})
	for _, key := range s.order {
		line, wrong := asLine(change{Account: key.account, Put: s.kept[key]})
		all, err = append(all, line...), errors.Join(err, wrong)
	}
	return all, err
}

// asLine is v as a line. Its texts are as long as they are: of a < six bytes were made.
func asLine(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// isHalf tells whether the file was replaced, and then the last flush failed: a crash might
// bring the old one back, so nothing may be counted in the new one until it is flushed.
func (l *stateLog) isHalf() bool {
	if l.half == 0 || l.half == l.size {
		return false
	}
	f, err := files.OpenFile(l.file, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return false // whoever opens it next says why
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	return err == nil && info.Size() == l.half
}

// append adds a line and flushes it. The size tells when another program has
// the file, or a line that failed could not be taken back.
func (l *stateLog) append(c change) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("state file: %w", err)
		}
	}()
	line, err := asLine(c)
	if err != nil {
		return err
	}
	f, err := files.OpenFile(l.file, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	switch info, err := f.Stat(); {
	case err != nil:
		return err
	case info.Size() != l.size:
		return fmt.Errorf("%s has %d bytes, not the %d that were written; is it another program's too?", l.file, info.Size(), l.size)
	}
	if _, err = f.Write(line); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(l.size))
	}
	l.size += int64(len(line))
	return nil
}
