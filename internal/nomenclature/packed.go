package nomenclature

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// The packed tables are a run of chapters: two digits, the length of what follows
// (four bytes, big-endian), and a frame of Zstandard. Unpacked, a chapter has the texts
// of all tables, parted by [nextTable]: they describe the same goods in much the same
// words, and so together take less than each alone. In the text of a table there is a
// line for each code, in order:
//
//	depth, tail, then a tab and a text for each further step of the description
//
// Depth is one character, '0' and up: how many steps of the line before begin this
// description, too. Tail is the digits in which the code differs from the code
// before, where both have the same length, else "=" and the whole code.

const nextTable = "\f"

// chapters finds where each chapter of a packed table stands.
func chapters(data []byte) (map[string][]byte, error) {
	index := make(map[string][]byte)
	for len(data) > 0 {
		if len(data) < 6 {
			return nil, errors.New("it ends within the head of a chapter")
		}
		n := binary.BigEndian.Uint32(data[2:])
		if uint64(n) > uint64(len(data)-6) {
			return nil, fmt.Errorf("chapter %q is longer than the table", data[:2])
		}
		index[string(data[:2])] = data[6 : 6+n]
		data = data[6+n:]
	}
	return index, nil
}

// unpacker is for all tables: to make one takes longer than to unpack a chapter.
var unpacker = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
})

// unpack reads what a chapter has of a table, by its place in the file. Its texts share
// one piece of memory.
func unpack(block []byte, table int) ([]Line, error) {
	d, err := unpacker()
	if err != nil {
		return nil, err
	}
	raw, err := d.DecodeAll(block, nil)
	if err != nil {
		return nil, err
	}
	texts := strings.Split(string(raw), nextTable)
	if table >= len(texts) {
		return nil, fmt.Errorf("it has %d tables", len(texts))
	}
	return readRows(texts[table])
}

func readRows(text string) ([]Line, error) {
	lines := make([]Line, 0, strings.Count(text, "\n"))
	var before Line
	for len(text) > 0 {
		row, rest, _ := strings.Cut(text, "\n")
		text = rest
		head, steps, _ := strings.Cut(row, "\t")
		if head == "" {
			return nil, errors.New("a line without a depth")
		}
		depth, tail, length := int(head[0]-'0'), head[1:], len(before.Code)
		code, whole := strings.CutPrefix(tail, "=")
		if !whole && len(tail) <= length {
			code = before.Code[:length-len(tail)] + tail
		}
		if depth < 0 || depth > len(before.Path) || !isDigits(code) || !whole && len(code) != length {
			return nil, fmt.Errorf("%q does not follow %q", head, before.Code)
		}
		line := Line{Code: code, Path: make([]string, depth, depth+1+strings.Count(steps, "\t"))}
		copy(line.Path, before.Path)
		for step := range strings.SplitSeq(steps, "\t") {
			line.Path = append(line.Path, step)
		}
		lines = append(lines, line)
		before = line
	}
	return lines, nil
}

// Pack is the packed form of tables, each of which has its lines in order of their
// codes, for the tool that makes the file. What compress does to a chapter has to be
// Zstandard.
func Pack(compress func(chapter []byte) ([]byte, error), tables ...[]Line) ([]byte, error) {
	of := make(map[string][]string) // of a chapter the text of each table
	for i, lines := range tables {
		for len(lines) > 0 {
			chapter, n := lines[0].Code[:2], 1
			for n < len(lines) && lines[n].Code[:2] == chapter {
				n++
			}
			if of[chapter] == nil {
				of[chapter] = make([]string, len(tables))
			}
			of[chapter][i] = rows(lines[:n])
			lines = lines[n:]
		}
	}
	var out []byte
	for _, chapter := range slices.Sorted(maps.Keys(of)) {
		block, err := compress([]byte(strings.Join(of[chapter], nextTable)))
		if err != nil {
			return nil, err
		}
		out = append(out, chapter...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(block))) //nolint:gosec // a chapter is some kilobytes
		out = append(out, block...)
	}
	return out, nil
}

// rows are the lines of a chapter as unpack reads them.
func rows(lines []Line) string {
	var text strings.Builder
	var before Line
	for _, l := range lines {
		depth := 0
		for depth < len(l.Path)-1 && depth < len(before.Path) && l.Path[depth] == before.Path[depth] {
			depth++
		}
		tail := "=" + l.Code
		if len(l.Code) == len(before.Code) {
			same := 0
			for same < len(l.Code) && l.Code[same] == before.Code[same] {
				same++
			}
			tail = l.Code[same:]
		}
		text.WriteByte('0' + byte(depth)) //nolint:gosec // descriptions have some ten steps
		text.WriteString(tail)
		for _, step := range l.Path[depth:] {
			text.WriteString("\t" + step)
		}
		text.WriteByte('\n')
		before = l
	}
	return text.String()
}

// isDigits tells whether a code is digits and nothing else, two or more.
func isDigits(code string) bool {
	return len(code) >= 2 && strings.Trim(code, "0123456789") == ""
}
