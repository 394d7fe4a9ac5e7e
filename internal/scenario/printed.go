package scenario

import (
	"bytes"
	"fmt"
	"strings"
)

// maxPrinted is how much of what a command printed is kept, in bytes: the end, where most
// say what went wrong.
const maxPrinted = 64 << 10

// printed keeps the end of what a command prints, which may be endless. The zero value has
// nothing yet. It may be used by one goroutine at a time.
type printed struct {
	kept []byte
	left int // bytes before kept
}

// Write implements [io.Writer]; it takes everything.
func (p *printed) Write(b []byte) (int, error) {
	p.kept = append(p.kept, b...)
	if len(p.kept) > 2*maxPrinted {
		p.drop()
	}
	return len(b), nil
}

func (p *printed) drop() {
	if over := len(p.kept) - maxPrinted; over > 0 {
		p.left += over
		p.kept = append(p.kept[:0], p.kept[over:]...)
	}
}

// String is what is kept, from the beginning of a line on, and how much there was before.
func (p *printed) String() string {
	p.drop()
	if p.left == 0 {
		return string(p.kept)
	}
	kept, left := p.kept, p.left
	if i := bytes.IndexByte(kept, '\n'); i >= 0 && i < len(kept)-1 {
		kept, left = kept[i+1:], left+i+1
	}
	return fmt.Sprintf("%s (%d bytes before this are left out)\n%s", ellipsis, left, strings.ToValidUTF8(string(kept), ""))
}
