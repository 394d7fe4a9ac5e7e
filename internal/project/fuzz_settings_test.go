package project

import "testing"

// FuzzSettings checks what a project file says as texts: an age is none below zero, a
// percentage is between 0 and 100.
func FuzzSettings(f *testing.F) {
	for _, text := range []string{"", "30d", "-1d", "106752d", "1h", "2%", "100%", "101%", "512MB", "0KB", "-0%", "1e2%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseAge(text); err == nil && d < 0 {
			t.Fatalf("%q is %s", text, d)
		}
		if n, err := ParseSize(text); err == nil && n <= 0 {
			t.Errorf("%q is a size of %d", text, n)
		}
		if n, err := ParsePercent(text); err == nil && n < 0 {
			t.Fatalf("%q is %d", text, n)
		}
		_ = checkScheduleFile(text)
		_ = checkDriftPlace(text)
	})
}
