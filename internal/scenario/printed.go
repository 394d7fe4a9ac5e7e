package scenario

import (
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
	if len(p.kept) > 2*(maxPrinted+reach) {
		p.drop()
	}
	return len(b), nil
}

// drop leaves what may be shown, and before it as much as a secret may be long.
func (p *printed) drop() {
	if over := len(p.kept) - maxPrinted - reach; over > 0 {
		p.left += over
		p.kept = append(p.kept[:0], p.kept[over:]...)
	}
}

// text is what is kept, from the beginning of a line on, and how much there was before.
// What mask hides is hidden before it is cut: half of a secret would not be found.
func (p *printed) text(mask func(string) string) string {
	p.drop()
	kept, left := mask(string(p.kept)), p.left
	over := max(0, len(kept)-maxPrinted)
	if left > 0 {
		over = max(over, min(len(kept), len(mask(string(p.kept[:reach]))))) // where half of one may stand
	}
	if left += over; left == 0 {
		return kept
	}
	kept = kept[over:]
	if i := strings.IndexByte(kept, '\n'); i >= 0 && i < len(kept)-1 {
		kept, left = kept[i+1:], left+i+1
	}
	return fmt.Sprintf("%s (%d bytes before this are left out)\n%s", ellipsis, left, strings.ToValidUTF8(kept, ""))
}
