package quota

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// line is one line of a high-water mark file:
//
//	entry SEQ MARK SUM
//	begin SEQ MARK AFTER SUM
//	accept SEQ MARK SUM
//
// SUM is a checksum of the text before it, and each write begins with a line end:
// a line that a full disk or a power cut left half written says nothing, and
// spoils no other. Files of earlier versions have "SEQ MARK" and "reset SEQ MARK".
type line struct {
	word string
	seq  int64
	mark string
	// after is, of a begin, up to where the file had been compared with the
	// ledger before that entry was written: whatever ledger has the entry has all
	// that stands before.
	after int64
	// start is where the line stands in the file.
	start int64
}

// What a line says.
const (
	// wordEntry: the entry is in the ledger.
	wordEntry = "entry"
	// wordBegin: a run began, and the ledger has the entry.
	wordBegin = "begin"
	// wordAccept: a person accepted the ledger as it was; what stands before does
	// not count any more.
	wordAccept = "accept"
)

// text is the line as it is written.
func (l line) text() string {
	text := fmt.Sprintf("%s %d %s", l.word, l.seq, l.mark)
	if l.word == wordBegin {
		text += fmt.Sprintf(" %d", l.after)
	}
	return fmt.Sprintf("\n%s %08x\n", text, crc32.ChecksumIEEE([]byte(text)))
}

// parseLine reads a line without its end. It is false for one that is not whole.
func parseLine(text string) (l line, ok bool) {
	fields := strings.Split(text, " ")
	switch {
	case len(fields) == 2: // of an earlier version
		fields = append([]string{wordEntry}, fields...)
	case len(fields) == 3 && fields[0] == "reset": // too
		fields[0] = wordAccept
	default:
		n := len(fields) - 1
		before, sum := strings.Join(fields[:n], " "), fields[n]
		if fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(before))) != sum {
			return l, false
		}
		fields = fields[:n]
	}
	want := map[string]int{wordEntry: 3, wordBegin: 4, wordAccept: 3}
	if len(fields) < 3 || len(fields) != want[fields[0]] || len(fields[2]) != markLength {
		return l, false
	}
	if _, err := hex.DecodeString(fields[2]); err != nil {
		return l, false
	}
	l = line{word: fields[0], mark: fields[2]}
	var err error
	if l.seq, err = strconv.ParseInt(fields[1], 10, 64); err != nil || l.seq < 1 {
		return l, false
	}
	if l.word == wordBegin {
		if l.after, err = strconv.ParseInt(fields[3], 10, 64); err != nil || l.after < 0 {
			return l, false
		}
	}
	return l, true
}

// parseLines reads a part of a file that starts at an offset, and with a line.
func parseLines(text string, start int64) part {
	p := part{end: start}
	for raw := range strings.Lines(text) {
		body, whole := strings.CutSuffix(raw, "\n")
		if !whole {
			break // somebody is writing it, or nobody ever will
		}
		if l, ok := parseLine(body); ok {
			l.start = p.end
			p.lines = append(p.lines, l)
		} else if body != "" {
			p.wrong = true
		}
		p.end += int64(len(raw))
	}
	return p
}

// unproved leaves out what needs no comparison with a ledger: what stands before
// the last accept, and before that which the last begin proves.
func unproved(lines []line) []line {
	from, begin := int64(0), line{}
	for _, l := range lines {
		switch l.word {
		case wordAccept:
			from, begin = l.start, line{}
		case wordBegin:
			begin = l
		}
	}
	var rest []line
	for _, l := range lines {
		if l.start >= max(from, begin.after) || l == begin {
			rest = append(rest, l)
		}
	}
	return rest
}
