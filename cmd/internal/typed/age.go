package typed

import (
	"errors"
	"fmt"
	"time"

	"github.com/hsharness/hsharness/internal/project"
)

// CheckAge takes an age such as 180d or 12h.
func CheckAge(text string) error {
	_, err := project.ParseAge(text)
	if text == "" || err != nil || text[len(text)-1] != 'd' && !IsSpan(text) {
		return errors.New("want an age such as 180d or 12h")
	}
	return nil
}

// OlderThan reads --older-than; empty is no age at all.
func OlderThan(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	age, err := project.ParseAge(text)
	if err != nil || age < 0 {
		return 0, fmt.Errorf("--older-than %q is no age such as 180d or 12h", text)
	}
	return age, nil
}

// Since reads a flag such as --since: a day of UTC, a time as RFC 3339 has it, or an age
// before now; empty is the zero time.
func Since(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano} {
		if at, err := time.Parse(layout, text); err == nil {
			if at.IsZero() {
				at = at.Add(1) // the first moment of all is a limit, too
			}
			return at.UTC(), nil
		}
	}
	age, err := project.ParseAge(text)
	if err != nil || CheckAge(text) != nil {
		return time.Time{}, fmt.Errorf("%s %q is neither a day such as 2026-05-03, nor a time such as 2026-05-03T08:30:00Z, nor an age such as 30d or 12h", flag, text)
	}
	return now.Add(-age).UTC(), nil
}
