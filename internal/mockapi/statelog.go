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
// anew, without what is over.
type stateLog struct {
	file string
	size int64
}

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
	data, err := files.Read(file, files.Large)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("state file: %w", err)
	default:
		if err := s.replay(data, env); err != nil {
			return fmt.Errorf("state file %s %w", file, err)
		}
	}
	if data, err = s.snapshot(env); err == nil {
		err = files.Replace(file, data)
	}
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	s.log = &stateLog{file: file, size: int64(len(data))}
	return nil
}

// replay applies what a file says. A last line that is not whole is what was
// being written when the process ended: nobody got an answer to it.
func (s *state) replay(data []byte, env avalara.Environment) error {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	var h head
	if err := json.Unmarshal(first, &h); err != nil {
		return fmt.Errorf("is no JSON of this program (%w); restore it, or remove it to count from zero", err)
	}
	if h.Format != 1 && h.Format != 2 || h.Environment != env {
		return fmt.Errorf("has format %d of the %s, not format 1 or 2 of the %s", h.Format, h.Environment, env)
	}
	for account, n := range h.Served {
		if n < 0 {
			return fmt.Errorf("has %d units for account %s", n, account)
		}
		s.served[account] = n
	}
	for number := 2; len(rest) > 0; number++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		var c change
		switch err := json.Unmarshal(line, &c); {
		case err == nil:
			s.apply(c)
		case len(rest) > 0:
			return fmt.Errorf("is damaged in line %d (%w); restore it, or remove it to count from zero", number, err)
		}
	}
	s.last = max(s.last, h.LastItem)
	return nil
}

// snapshot is a whole state file.
func (s *state) snapshot(env avalara.Environment) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	err := enc.Encode(head{Format: 2, Environment: env, Served: s.served, LastItem: s.last})
	for _, key := range s.order {
		err = errors.Join(err, enc.Encode(change{Account: key.account, Put: s.kept[key]}))
	}
	return b.Bytes(), err
}

// append adds a line and flushes it. The size tells when another program has
// the file, or a line that failed could not be taken back.
func (l *stateLog) append(c change) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("state file: %w", err)
		}
	}()
	line, err := json.Marshal(c)
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
	line = append(line, '\n')
	if _, err = f.Write(line); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(l.size))
	}
	l.size += int64(len(line))
	return nil
}
