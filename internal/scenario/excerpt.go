package scenario

import (
	"sync"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/secret"
)

// reach is how many characters around a place are looked at for secrets, at least, in
// each direction. What is printed is far less: a secret that begins before it would be as
// long. The line of a table may be all of it.
const reach = 16 << 10

// excerpts are parts of the lines of a file without what looks like a secret: hundreds of
// errors may be in one of them, and to look takes long. It may be used from several
// goroutines.
type excerpts struct {
	mu     sync.Mutex
	masked map[stretch]string
}

// stretch is one of a line of that number, with reach characters.
type stretch struct{ line, index int }

// of is what is shown of a line, and the place of a column in it. A nil x keeps nothing.
func (x *excerpts) of(line string, number, column int) (string, int) {
	at := stretch{number, (column - 1) / reach}
	rest, skipped := beyond(line, max(at.index-1, 0)*reach)
	text := x.mask(rest, at)
	column -= skipped
	const near = 2 * shownWidth // on each side, of which window takes less
	text, skipped = beyond(text, max(min(column-1, utf8.RuneCountInString(text))-near, 0))
	after, _ := beyond(text, 2*near)
	return window([]rune(text[:len(text)-len(after)]), column-skipped)
}

// mask is a stretch of a line and those beside it, with which rest begins, without secrets.
func (x *excerpts) mask(rest string, at stretch) string {
	if x != nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		if masked, ok := x.masked[at]; ok {
			return masked
		}
	}
	after, _ := beyond(rest, (min(at.index, 1)+2)*reach)
	masked := secret.MaskLine(rest[:len(rest)-len(after)])
	if x != nil {
		if x.masked == nil {
			x.masked = map[stretch]string{}
		}
		x.masked[at] = masked
	}
	return masked
}

// beyond is what follows on the first n characters of a text, and how many it had of them.
func beyond(text string, n int) (rest string, had int) {
	for ; had < n && text != ""; had++ {
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
	return text, had
}

// shownWidth is how many characters of a line are printed.
const shownWidth = 160

// window cuts a line that is too long to print to what stands around a column,
// and returns that column's place in it.
func window(line []rune, column int) (string, int) {
	if len(line) <= shownWidth {
		return string(line), column
	}
	from := min(max(column-shownWidth/2, 0), len(line)-shownWidth)
	cut := "…" + string(line[from:from+shownWidth]) + "…"
	return cut, max(column-from, 0) + 1
}
