package report

import (
	"fmt"
	"strings"
	"time"
)

// Remaining says what is left, or why it is not known.
func (b Bill) Remaining() string {
	switch {
	case b.Left != nil:
		return fmt.Sprintf("%d left", *b.Left)
	case b.NotLeft != "":
		return b.NotLeft
	case b.Next != "":
		return "no ledger (" + b.Next + ")"
	}
	return "no ledger"
}

// Line is the bill in one line.
func (b Bill) Line() string {
	b = b.legible()
	parts := []string{fmt.Sprintf("spent %d", b.Spent)}
	if b.Asked != "" {
		parts = append(parts, fmt.Sprintf("%s instead of %s, by %s", b.Mode, b.Asked, b.ModeLimitedBy))
	}
	if b.Unknown > 0 {
		parts[0] += fmt.Sprintf(" (%d of them unknown)", b.Unknown)
	}
	if b.AskedAgain > 0 {
		parts = append(parts, fmt.Sprintf("asked again %d", b.AskedAgain))
	}
	if b.Replayed > 0 {
		parts = append(parts, fmt.Sprintf("replayed %d", b.Replayed))
	}
	if b.Missed > 0 {
		parts = append(parts, fmt.Sprintf("missed %d", b.Missed))
	}
	if b.Unbought > 0 {
		parts = append(parts, b.mocked())
	}
	if b.Mode == "offline" || b.WouldHaveSpent > 0 {
		parts = append(parts, fmt.Sprintf("would have spent %d", b.WouldHaveSpent))
	}
	if b.Waited != nil {
		parts = append(parts, fmt.Sprintf("%s waited, %s at most", plural(b.Waited.Requests, "request"), time.Duration(b.Waited.LongestMS)*time.Millisecond))
	}
	if b.Proxy != "" {
		parts = append(parts, "through the proxy "+b.Proxy)
	}
	if b.Seal == "intercept" {
		parts = append(parts, "intercepted, not sealed")
	}
	if len(b.AskedFor) > 0 {
		parts = append(parts, b.AskedText())
	}
	return strings.Join(append(parts, b.Remaining()), " · ")
}

// AskedText says which hosts were asked for and are not there.
func (b Bill) AskedText() string {
	text := fmt.Sprintf("asked for %s that %s not here: %s",
		plural(len(b.AskedFor)+b.AskedForMore, "host"), are(len(b.AskedFor)+b.AskedForMore), strings.Join(b.AskedFor, ", "))
	if b.AskedForMore > 0 {
		text += fmt.Sprintf(" and %d more", b.AskedForMore)
	}
	return text
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// mocked says how many answers are the mock's in place of a recording, and what those
// would cost.
func (b Bill) mocked() string {
	came := "answers"
	if b.Unbought == 1 {
		came = "answer"
	}
	text := fmt.Sprintf("%d %s came from the mock: never bought", b.Unbought, came)
	switch {
	case b.UnboughtUnits == 0:
		return text
	case b.Buy == "":
		return fmt.Sprintf("%s (buying them: %s)", text, plural(b.UnboughtUnits, "unit"))
	}
	return fmt.Sprintf("%s (buying them: %s: %s)", text, plural(b.UnboughtUnits, "unit"), b.Buy)
}
