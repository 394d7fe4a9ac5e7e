package ending

import (
	"fmt"
	"strings"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/report"
)

// Again is the command that runs some scenarios, which words choose, as the run of a bill
// did. What a run has bought is recorded, so that it costs nothing the second time but for
// what is still missing.
func Again(b report.Bill, words ...string) string {
	words = append([]string{"hsharness", "run"}, words...)
	if b.Mode != guard.Offline.String() {
		words = append(words, "--mode", b.Mode)
		if mode, err := guard.ParseMode(b.Mode); err == nil && mode.Buys() {
			words = append(words, "--max-spend", fmt.Sprint(b.MaxSpend))
		}
	}
	for i, w := range words {
		words[i] = plain.Word(w)
	}
	return strings.Join(words, " ")
}
