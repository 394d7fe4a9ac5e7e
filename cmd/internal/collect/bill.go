package collect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/report"
)

// longestBill bounds a bill, in bytes. It names each recording that a run wrote: this is
// room for 50,000 of them and more.
const longestBill = 8 << 20

// Bill is the bill of a run in a file: its last line. What stands before it, which may be
// all that a run found out, is passed over.
func Bill(name string) (*report.Bill, error) {
	if name == "" {
		return nil, errors.New("of which run? Give --bill FILE")
	}
	f, err := files.Open(name, files.Data)
	if err != nil {
		return nil, fmt.Errorf("there is no bill: %w", err)
	}
	last, err := lastLine(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("there is no bill: %s: %w", name, err)
	}
	var b struct {
		report.Bill
		Run *string `json:"run"`
	}
	err = json.Unmarshal(last, &b)
	if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		return nil, fmt.Errorf("%s has no bill of a run: in its last line %s is the %s", name, strings.TrimPrefix(wrong.Field, "Bill."), wrong.Value)
	}
	if err != nil || b.Run == nil {
		return nil, fmt.Errorf("%s has no bill: the run was killed before its end", name)
	}
	b.Bill.Run = *b.Run
	return &b.Bill, nil
}

// lastLine is the last line that is not blank, of longestBill bytes at most.
func lastLine(r io.Reader) ([]byte, error) {
	var last []byte
	long, over := false, false // last has more bytes than are kept, and a line break after it
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		for part := range bytes.Lines(buf[:n]) {
			text := bytes.TrimRight(part, "\r\n")
			if over && len(bytes.TrimSpace(text)) > 0 {
				last, long, over = last[:0], false, false
			}
			if over {
				continue
			}
			long = long || len(last)+len(text) > longestBill
			if !long {
				last = append(last, text...)
			}
			over = len(text) < len(part)
		}
		switch {
		case errors.Is(err, io.EOF) && long:
			return nil, fmt.Errorf("its last line has more than %d bytes, which is no bill of a run", longestBill)
		case errors.Is(err, io.EOF):
			return last, nil
		case err != nil:
			return nil, err
		}
	}
}
