package pace

import (
	"fmt"
	"time"
)

// WaitError says that a request would have to wait for its turn longer than it may.
// It was not sent, and nothing was spent.
type WaitError struct {
	Expected time.Duration `json:"-"`
	MaxWait  time.Duration `json:"-"`
	// Seconds are the same in numbers.
	ExpectedSeconds float64 `json:"expected_seconds"`
	MaxWaitSeconds  float64 `json:"max_wait_seconds"`
	// Requests is how many requests of this run come first, and Runs how many other runs.
	Requests int `json:"requests_ahead"`
	Runs     int `json:"runs_ahead"`
	// Pause is why an account is paused, empty where it is not.
	Pause string `json:"pause,omitempty"`
}

func (e *WaitError) Error() string {
	text := fmt.Sprintf("the request would wait %s for its turn, and may wait %s: %d requests of this run and %d other runs come first",
		e.Expected.Round(time.Second), e.MaxWait, e.Requests, e.Runs)
	if e.Pause != "" {
		text += ", and the account is paused: " + e.Pause
	}
	return text
}

// Longer is a time in whole minutes that would do.
func (e *WaitError) Longer() string {
	return fmt.Sprintf("%dm", int(e.Expected/time.Minute)+1)
}
