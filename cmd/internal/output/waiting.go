package output

import (
	"fmt"
	"io"
	"time"

	"github.com/hsharness/hsharness/internal/pace"
)

// Waiting tells on a terminal how requests wait for their turn, in one line that is
// wiped when none does. A nil terminal is nobody who watches.
func Waiting(terminal io.Writer) func(pace.Progress) {
	if terminal == nil {
		return nil
	}
	return func(p pace.Progress) {
		if p.Requests == 0 {
			fmt.Fprint(terminal, "\r\x1b[K")
			return
		}
		text := fmt.Sprintf("waits for its turn: %s, %d other runs first", p.Wait.Round(time.Second), p.Runs)
		if p.Requests > 1 {
			text = fmt.Sprintf("%d requests wait for their turn: the first %s, %d other runs first", p.Requests, p.Wait.Round(time.Second), p.Runs)
		}
		if p.Pause != (pace.Pause{}) {
			text += ", the account is paused"
		}
		fmt.Fprintf(terminal, "\r\x1b[K%s", text)
	}
}
