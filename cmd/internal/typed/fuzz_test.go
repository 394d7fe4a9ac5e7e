package typed

import (
	"testing"
	"time"
)

// FuzzTyped checks what people type as numbers, times and rates: what is taken is
// within its bounds.
func FuzzTyped(f *testing.F) {
	for _, text := range []string{"", "0", "1", "-1", "9223372036854775807", "1e3", "1_000", "0100", "7d", "24h", "2562048h", "20/1m", "20/0s", "9223372036854775807/1ns", "2026-01-31", "yesterday", "106751d"} {
		f.Add(text)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := ParseNumber(text, 1, 1000); err == nil && (n < 1 || n > 1000) {
			t.Fatalf("number %q is %d", text, n)
		}
		if d, err := ParseSpan(text); err == nil && d < 0 {
			t.Fatalf("span %q is %s", text, d)
		}
		if n, window, err := ParseRate(text); err == nil && (n < 1 || window <= 0) {
			t.Fatalf("rate %q is %d/%s", text, n, window)
		}
		if d, err := OlderThan(text); err == nil && d < 0 {
			t.Fatalf("age %q is %s", text, d)
		}
		_, _ = Since("--since", text, now)
		_ = new(Schedules).Set(text)
	})
}
