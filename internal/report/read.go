package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxBytes is how long the JSON of a run may be, in bytes.
const MaxBytes = 512 << 20

// bounds are what the JSON of a run may have: a short text makes a hundred times its length
// of values. One of 100,000 rows has less, also where all of them failed, each with two
// exchanges, in one line. An item of a list is as large as an object in memory, whatever it
// is in the text.
type bounds struct{ bytes, line, objects, values int }

var widest = bounds{bytes: MaxBytes, line: 256 << 20, objects: 2_000_000, values: 10_000_000}

// ReadJSON reads what [JSON] wrote of a run, or of several one after the other, a line at a
// time. What ends without a bill was cut. Beyond [MaxBytes], and as many values as such a
// file can have, it is an error with the place.
func ReadJSON(name string, from io.Reader) (scenarios []Scenario, bills []Bill, err error) {
	return new(Parts).ReadJSON(name, from)
}

// combined are the bounds of several files, which are in memory at once.
var combined = bounds{bytes: 2 * MaxBytes, objects: 4_000_000, values: 20_000_000}

// Parts are files of one run, which have bounds together. The zero value has none yet.
type Parts struct{ had bounds }

// ReadJSON is [ReadJSON] of one more of them.
func (p *Parts) ReadJSON(name string, from io.Reader) (scenarios []Scenario, bills []Bill, err error) {
	err = p.read(name, from, func(s Scenario) { scenarios = append(scenarios, s) }, func(b Bill) { bills = append(bills, b) })
	return scenarios, bills, err
}

func (p *Parts) read(name string, from io.Reader, scenario func(Scenario), bill func(Bill)) error {
	lines := lines{name: name, from: bufio.NewReaderSize(from, 64<<10), most: widest, all: combined, before: p.had}
	defer func() { p.had = lines.sum() }()
	ended := false
	for {
		text, err := lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var s struct {
			Scenario
			Exit *int `json:"exit"` // a bill has one
		}
		err = json.Unmarshal(text, &s)
		if ended = s.Exit != nil; err == nil && ended {
			var b Bill
			if err = json.Unmarshal(text, &b); err == nil {
				err = possible(b.figures()...)
			}
			if err == nil {
				bill(b)
			}
		}
		switch {
		case err != nil:
			return fmt.Errorf("%s:%d:1: no line of a run's JSON: %w", name, lines.number, inWords(err))
		case !ended && s.File != "":
			if err := s.possible(); err != nil {
				return fmt.Errorf("%s:%d:1: no line of a run's JSON: %w", name, lines.number, err)
			}
			scenario(s.Scenario)
		}
	}
	if !ended {
		return fmt.Errorf("%s:%d:1: it ends without a bill, so it is no run's JSON, or a part of it", name, max(1, lines.number))
	}
	return nil
}

// lines are those of the JSON of a run, whose values are counted as they are read.
type lines struct {
	name          string
	from          *bufio.Reader
	most, had     bounds
	all, before   bounds // of all files together, and of those before this one
	number        int
	text, escaped bool   // inside a text, behind its backslash
	open          []byte // what is open: [ and {, the innermost last
	line          []byte
}

// next is the next line, which the one after it overwrites, or [io.EOF].
func (l *lines) next() ([]byte, error) {
	l.line, l.open, l.text, l.escaped = l.line[:0], l.open[:0], false, false
	l.number++
	for {
		part, err := l.from.ReadSlice('\n')
		l.count(part)
		if err := l.within(len(l.line) + len(part)); err != nil {
			return nil, err
		}
		if errors.Is(err, bufio.ErrBufferFull) && len(l.line) == 0 && !bytes.HasPrefix(bytes.TrimSpace(part), []byte("{")) {
			return nil, fmt.Errorf("%s:%d:1: no line of a run's JSON: it is long, and does not begin with {", l.name, l.number)
		}
		l.line = append(l.line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(l.line) > 0, err == nil:
			return l.line, nil
		case errors.Is(err, io.EOF):
			l.number--
			return nil, io.EOF
		default:
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
	}
}

// within says what there is too much of, where the line has so many bytes.
func (l *lines) within(line int) error {
	wrong := func(format string, most int) error {
		return fmt.Errorf("%s:%d:1: %s, the most that are read of a run's JSON: run it in parts (shards), each with a JSON of its own", l.name, l.number, fmt.Sprintf(format, most))
	}
	switch sum := l.sum(); {
	case line > l.most.line:
		return wrong("the line has more than %d bytes", l.most.line)
	case l.had.bytes > l.most.bytes:
		return wrong("the file has more than %d bytes", l.most.bytes)
	case l.had.objects > l.most.objects:
		return wrong("the file has more than %d objects and items of lists", l.most.objects)
	case l.had.values > l.most.values:
		return wrong("the file has more than %d values", l.most.values)
	case sum.bytes > l.all.bytes, sum.objects > l.all.objects, sum.values > l.all.values:
		return fmt.Errorf("%s:%d:1: with the files before it, more than %d MB, %d objects and items of lists, or %d values, the most that are put together: put fewer together",
			l.name, l.number, l.all.bytes>>20, l.all.objects, l.all.values)
	}
	return nil
}

// sum is what was read so far of all files.
func (l *lines) sum() bounds {
	return bounds{bytes: l.before.bytes + l.had.bytes, objects: l.before.objects + l.had.objects, values: l.before.values + l.had.values}
}

// count counts the values that begin in a part of a line.
func (l *lines) count(part []byte) {
	l.had.bytes += len(part)
	for _, c := range part {
		switch {
		case l.escaped:
			l.escaped = false
		case l.text:
			l.escaped, l.text = c == '\\', c != '"'
		case c == '"':
			l.text = true
		case c == '{':
			if !l.inList() { // there it was counted as an item
				l.had.objects++
			}
			l.open = append(l.open, c)
		case c == '[':
			l.had.objects++ // its first item
			l.had.values++
			l.open = append(l.open, c)
		case c == ',':
			l.had.values++
			if l.inList() { // whatever comes
				l.had.objects++
			}
		case c == ']', c == '}':
			l.open = l.open[:max(0, len(l.open)-1)]
		}
	}
}

func (l *lines) inList() bool { return len(l.open) > 0 && l.open[len(l.open)-1] == '[' }

// inWords is an error of the decoder without the names of Go's types.
func inWords(err error) error {
	var is *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &is):
		return err
	case is.Field == "":
		return fmt.Errorf("it is a JSON %s, and an object is wanted", is.Value)
	}
	return fmt.Errorf("%s can't be a JSON %s", strings.TrimPrefix(is.Field, "Scenario."), is.Value)
}
