package mockapi

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/hsharness/hsharness/internal/avalara"
)

// errLongLine is of a line that this program has not written.
var errLongLine = fmt.Errorf("more than %d bytes in one line", maxStateLine)

// replay applies what a file says, one line after the other. A last line that is not
// whole is what was being written when the process ended: nobody got an answer to it.
func (s *state) replay(file io.Reader, env avalara.Environment) error {
	r := bufio.NewReaderSize(file, 64<<10)
	line, err := stateLine(r, nil)
	if err != nil {
		return fmt.Errorf("can't be read in line 1: %w", err)
	}
	var h head
	if err := json.Unmarshal(line, &h); err != nil {
		return fmt.Errorf("is no JSON of this program (%w); restore it, or remove it to count from zero", err)
	}
	if h.Format != 1 && h.Format != 2 || h.Environment != env {
		return fmt.Errorf("has format %d of the %s, not format 1 or 2 of the %s", h.Format, h.Environment, env)
	}
	for account, n := range h.Served {
		if err := s.canHave(account, n); err != nil {
			return err
		}
		s.served[account] = n
	}
	for number := 2; ; number++ {
		_, err := r.Peek(1)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			line, err = stateLine(r, line[:0])
		}
		if err != nil {
			return fmt.Errorf("can't be read in line %d: %w", number, err)
		}
		var c change
		if err := json.Unmarshal(line, &c); err != nil {
			if _, end := r.Peek(1); errors.Is(end, io.EOF) {
				break
			}
			return fmt.Errorf("is damaged in line %d (%w); restore it, or remove it to count from zero", number, err)
		}
		if err := s.canHave(c.Account, c.Served); err != nil {
			return fmt.Errorf("is damaged in line %d: it %w; restore it, or remove it to count from zero", number, err)
		}
		s.apply(c)
	}
	s.last = max(s.last, h.LastItem)
	return nil
}

// canHave tells whether an account can have used n units. Several that are new at the same
// moment may be a few more than maxAccounts.
func (s *state) canHave(account string, n int64) error {
	if n < 0 || n > maxServed {
		return fmt.Errorf("has %d units for account %.200s, and 0 to %d can be", n, account, int64(maxServed))
	}
	_, known := s.served[account]
	if !known && n > 0 && account != others && len(s.served) > 2*maxAccounts {
		return fmt.Errorf("has more than %d accounts", 2*maxAccounts)
	}
	return nil
}

// stateLine reads a line into line, with its end.
func stateLine(r *bufio.Reader, line []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxStateLine {
			return nil, errLongLine
		}
		line = append(line, part...)
		switch {
		case err == nil || errors.Is(err, io.EOF):
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
