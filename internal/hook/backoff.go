package hook

import (
	"errors"
	"time"
)

const (
	// maxTries is how often a notice is tried; never is when it is tried after that.
	maxTries = 30
	never    = 100 * 365 * 24 * time.Hour
)

// backoff is how long a hook is left alone after so many attempts and one more.
func backoff(tries int64, err error) time.Duration {
	if tries >= maxTries-1 {
		return never
	}
	wait := min(time.Second<<max(0, min(tries, 20)), maxWait) // a ledger's row may have any number
	var told *Error
	if errors.As(err, &told) {
		wait = max(wait, told.RetryAfter)
	}
	return wait
}
