package ledger

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/hsharness/hsharness/internal/strictjson"
	"github.com/hsharness/hsharness/quota"
)

// maxExportLine bounds a line of an export. An entry's texts are bounded, and
// so is what a block says of each rule.
const maxExportLine = 4 << 20

// exportLines are the lines of an export, with file:line:column for what is wrong
// with one.
type exportLines struct {
	name  string
	lines *bufio.Scanner
	line  int
	text  []byte // of the line
}

// scan goes on to the next line.
func (l *exportLines) scan() bool {
	if !l.lines.Scan() {
		return false
	}
	l.line, l.text = l.line+1, append(l.text[:0], l.lines.Bytes()...)
	if l.line == 1 {
		l.text = bytes.TrimPrefix(l.text, []byte("\ufeff")) // a BOM says nothing
	}
	return true
}

// decode reads the line.
func (l *exportLines) decode(v any) error {
	err := strictjson.Decode(l.text, v)
	var wrong *strictjson.Error
	if errors.As(err, &wrong) {
		return strictjson.Place(l.name, l.line, l.text, wrong.Offset, wrong.Error())
	}
	return err
}

// wrong is what is wrong with a member of the line.
func (l *exportLines) wrong(member, message string) error {
	return strictjson.Place(l.name, l.line, l.text, strictjson.Offset(l.text, member), message)
}

// ReadExport reads the first line of an export and returns the entries that
// follow. They end with an error before the first that is wrong, by itself or
// after those before it.
func ReadExport(name string, r io.Reader) (ExportHeader, iter.Seq2[quota.Entry, error], error) {
	l := &exportLines{name: name, lines: bufio.NewScanner(r)}
	l.lines.Buffer(nil, maxExportLine)
	var header ExportHeader
	if !l.scan() {
		if err := l.lines.Err(); err != nil {
			return header, nil, l.unread(err)
		}
		return header, nil, fmt.Errorf("%s: it is empty", name)
	}
	if err := l.header(&header); err != nil {
		return header, nil, err
	}
	return header, func(yield func(quota.Entry, error) bool) {
		for e, err := range quota.Checked(l.entries(header), nil) {
			var wrong *quota.EntryError
			if errors.As(err, &wrong) {
				err = l.wrong(wrong.Member, "the entries don't add up: "+wrong.Detail)
			}
			if err != nil {
				err = &ExportError{err}
			}
			if !yield(e, err) {
				return
			}
		}
	}, nil
}

// header reads the first line.
func (l *exportLines) header(h *ExportHeader) error {
	var peek struct{ Format json.Number }
	if json.Unmarshal(l.text, &peek) == nil && peek.Format != "1" {
		return l.wrong("format", fmt.Sprintf("this is no export of a ledger in format %d", exportFormat))
	}
	if err := l.decode(h); err != nil {
		return err
	}
	if hash, err := hex.DecodeString(h.Account); err != nil || len(hash) != 32 {
		return l.wrong("account", "account: want a SHA-256 in hexadecimal digits")
	}
	if h.Seq < 1 || h.Seq >= quota.MaxSeq {
		return l.wrong("seq", fmt.Sprintf("seq: %d, want 1 to %d", h.Seq, int64(quota.MaxSeq-1)))
	}
	var wrong *quota.MemberError
	if err := h.Info().Validate(); errors.As(err, &wrong) {
		return l.wrong(wrong.Member, wrong.Error())
	}
	return nil
}

// entry reads the line as an entry.
func (l *exportLines) entry(header ExportHeader) (quota.Entry, error) {
	var e quota.Entry
	err := l.decode(&e)
	switch {
	case err != nil:
	case e.Seq > header.Seq:
		err = l.wrong("seq", fmt.Sprintf("seq: the export is to end at entry %d", header.Seq))
	case e.Allowance != header.Allowance:
		err = l.wrong("allowance", fmt.Sprintf("allowance: %q, and the ledger's is %q", e.Allowance, header.Allowance))
	}
	return e, err
}

// entries reads the lines after the first, up to the first that is wrong by itself.
func (l *exportLines) entries(header ExportHeader) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		var last int64
		for l.scan() {
			e, err := l.entry(header)
			if err != nil {
				err = l.andMore(header, err)
			}
			if !yield(e, err) || err != nil {
				return
			}
			last = e.Seq
		}
		if err := l.lines.Err(); err != nil {
			yield(quota.Entry{}, l.unread(err))
		} else if last != header.Seq {
			yield(quota.Entry{}, l.wrong("seq", fmt.Sprintf("it ends at entry %d and should go on to %d", last, header.Seq)))
		}
	}
}

// maxTold is how many lines of an export that are wrong are told.
const maxTold = 20

// andMore adds what is wrong with later lines to what is wrong with this one.
func (l *exportLines) andMore(header ExportHeader, first error) error {
	errs := []error{first}
	for l.scan() {
		_, err := l.entry(header)
		if err == nil {
			continue
		}
		if len(errs) == maxTold {
			return errors.Join(append(errs, fmt.Errorf("%s: and more after line %d", l.name, l.line-1))...)
		}
		errs = append(errs, err)
	}
	if err := l.lines.Err(); err != nil {
		errs = append(errs, l.unread(err))
	}
	return errors.Join(errs...)
}

// unread is why the next line could not be read.
func (l *exportLines) unread(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("the line has more than %d MB, and no line of an export does", maxExportLine>>20)
	}
	return fmt.Errorf("%s:%d:1: %w", l.name, l.line+1, err)
}

// ExportError says what is wrong with an export, with file:line:column. Its text is
// that of the error it wraps.
type ExportError struct{ Err error }

func (e *ExportError) Error() string { return e.Err.Error() }

// Unwrap is what is wrong.
func (e *ExportError) Unwrap() error { return e.Err }
