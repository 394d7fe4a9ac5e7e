package quota

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// place is an offset in a file. The zero place is before the first line of any.
type place struct {
	file   os.FileInfo
	offset int64
}

// in is the offset of the place in that file.
func (p place) in(file os.FileInfo) int64 {
	if p.file == nil || !os.SameFile(p.file, file) {
		return 0
	}
	return p.offset
}

// last is the later of two places. A file that took the place of another counts
// alone.
func (p place) last(q place) place {
	if p.in(q.file) > q.offset {
		return p
	}
	return q
}

// tail is how much of a file is read at most that was not read before. Lines of
// concurrent writers are out of order by no more lines than there are writers,
// so the highest entries are near the end.
const tail = 64 << 10

// open opens the file for reading.
func (t *trail) open() (*os.File, os.FileInfo, error) {
	f, err := openRegular(t.w.file(t.ledger), os.O_RDONLY)
	if err != nil {
		return nil, nil, unusable(err)
	}
	file, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, unusable(err)
	}
	return f, file, nil
}

// part is what was read of a file.
type part struct {
	lines []line
	// end is where the last whole line ends.
	end int64
	// wrong says that a whole line is none of ours.
	wrong bool
}

// readFrom reads the lines behind an offset: from known, at which one starts, or
// from anywhere behind it.
func readFrom(f *os.File, from, known, size int64) (part, error) {
	text, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	if err != nil {
		return part{}, fmt.Errorf("%w: %w", ErrNoHighWater, err)
	}
	whole := string(text)
	if from > known { // perhaps in the middle of a line
		_, whole, _ = strings.Cut(whole, "\n")
		from += int64(len(text) - len(whole))
	}
	return parseLines(whole, from), nil
}
