package mockapi

import (
	"cmp"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hsharness/hsharness/internal/avalara"
)

// rateLimit counts each account's requests in windows that follow each other.
// A nil rateLimit has no limit.
type rateLimit struct {
	most   int
	window time.Duration

	mu    sync.Mutex
	start time.Time
	made  map[string]int // since start
}

func newRateLimit(most int, window time.Duration) *rateLimit {
	if most == 0 {
		return nil
	}
	return &rateLimit{most: most, window: cmp.Or(window, time.Second), made: make(map[string]int)}
}

// wait counts a request, or says how long until the next may come. The time is that of its
// turn: one of before, while another began a window, would seem to have gone back.
func (l *rateLimit) wait(account string, clock func() time.Time) time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := clock()
	if end := l.start.Add(l.window); now.Before(l.start) || !now.Before(end) { // a mock's clock may go back
		l.start = now
		clear(l.made)
	}
	if _, ok := l.made[account]; !ok && len(l.made) >= maxAccounts {
		account = others
	}
	if l.made[account] == l.most {
		return l.start.Add(l.window).Sub(now)
	}
	l.made[account]++
	return 0
}

// withinRate counts a request against the rate limit. When it returns false the
// reply is the answer: 429 with the whole seconds to wait.
func (h *host) withinRate(account string) (reply, bool) {
	wait := h.rate.wait(account, h.clock.Now)
	if wait == 0 {
		return reply{}, true
	}
	r := failure(http.StatusTooManyRequests, targetRequest, problem(avalara.RateLimitExceededError, ""))
	r.header = map[string]string{"Retry-After": strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10)}
	return r, false
}
