package pace

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// LongestPause is the most that an account is paused for by one answer, whatever it
// says; after that the service is asked again.
const LongestPause = time.Hour

// shortestPause is that of an answer that says to try again at once.
const shortestPause = time.Second

// RetryAfter is how long an answer says to wait: its header Retry-After, which is a
// number of seconds or a date, by the answer's own date where it has one. It is
// false for one that says nothing that can be understood.
func RetryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	values := header.Values("Retry-After")
	if len(values) != 1 {
		return 0, false
	}
	text := strings.Trim(values[0], " \t")
	if text == "" {
		return 0, false
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 32)
		if err != nil { // it has more digits than any time
			return LongestPause, true
		}
		return bounded(time.Duration(seconds) * time.Second), true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if sent, err := http.ParseTime(header.Get("Date")); err == nil {
		now = sent
	}
	return bounded(at.Sub(now)), true
}

func bounded(wait time.Duration) time.Duration { return min(max(wait, shortestPause), LongestPause) }
