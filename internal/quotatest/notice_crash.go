package quotatest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/quota"
)

// The size of one trial of tellers.
const (
	tellers = 8
	// tellersLimit is what they spend, and once more after it was granted.
	tellersLimit = 60
	// tellersLease is how long a notice is one's own: longer than a trial, so that nobody
	// who lives is taken for dead on a slow machine. Who comes after it has its clock ahead.
	tellersLease = time.Hour
)

// toldMarks are what the hook of a trial is told of.
var toldMarks = []notice.Mark{"10%", "20%", "30%", "40%", "50%", "60%", "70%", "80%", "90%", "100%", notice.Exhausted}

// tells spends until nothing is left, a unit a run, and tells the hook at url what there
// is to tell after each. It tells of each step, under a name that the hook is given too.
func (a *actor) tells(ctx context.Context, name, url string) error {
	for {
		run := rand.Text()
		_, err := a.store.Begin(ctx, quota.RunSpec{ID: run, Max: 1, Process: quota.ThisProcess()}, nil)
		var full *quota.BlockedError
		switch {
		case errors.As(err, &full) && full.Usable+full.Held == 0:
			return a.tell(ctx, name, url)
		case errors.As(err, &full): // others hold the rest, and may give some back
			<-time.After(5 * time.Millisecond)
			continue
		case err != nil:
			return err
		}
		if _, err := a.store.Spend(ctx, quota.SpendSpec{ID: spendID(run, 0), Run: run, Units: 1}); err != nil {
			return err
		}
		if _, err := a.store.End(ctx, run, quota.Counters{}); err != nil {
			return err
		}
		if err := a.tell(ctx, name, url); err != nil {
			return err
		}
	}
}

// tell notes what there is to tell, and sends all that is due.
func (a *actor) tell(ctx context.Context, name, url string) error {
	with, err := notice.Of(a.store)
	if err != nil {
		return err
	}
	if err := with.NoteNotices(ctx, []notice.Hook{{Name: "team", At: toldMarks}}); err != nil {
		return err
	}
	for {
		n, ok, err := with.ClaimNotice(ctx, []string{"team"}, name, tellersLease)
		if err != nil || !ok {
			return err
		}
		fmt.Fprintln(a.out, "sends", n.ID)
		out := notice.Outcome{ID: n.ID, By: name, Delivered: true}
		if err := ask(url+"/"+n.ID+"/"+strings.TrimSuffix(string(n.Mark), "%"), "", "", name); err != nil {
			out.Delivered, out.Why = false, "it failed"
		}
		if err := with.SettleNotice(ctx, out); err != nil {
			return err
		}
		fmt.Fprintln(a.out, "told", n.ID)
	}
}

// told is a hook, and what it was told: its count is the truth.
type told struct {
	*httptest.Server
	mu     sync.Mutex
	ids    map[string][]string // by mark
	came   map[string]int      // by notice
	onTold func(name string)
}

// newTold refuses one message of ten, which the sender has to send again.
func newTold(t testing.TB, seed uint64) *told {
	h := &told{ids: map[string][]string{}, came: map[string]int{}}
	random := mathrand.New(mathrand.NewPCG(seed, 2))
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.URL.Path, "/")
		h.mu.Lock()
		refuse, first := random.IntN(10) == 0, h.came[parts[1]] == 0
		if !refuse {
			h.came[parts[1]]++
			if first {
				h.ids[parts[2]] = append(h.ids[parts[2]], parts[1])
			}
		}
		h.mu.Unlock()
		h.onTold(r.Header.Get("Id"))
		if refuse {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

// Tellers lets 8 processes pass the marks of an allowance together, and tell a hook of
// them, while some are killed at random moments, half of them while they send. By the
// hook's own count each notice comes once, and once more for each process that was killed
// between the hook's answer and the ledger's note of it, as the same notice. A grant arms
// the marks that it brings the allowance under, and they are told once more.
func (p Processes) Tellers(t *testing.T, seeds int) {
	trials(t, seeds, p.tellers)
}

func (p Processes) tellers(t *testing.T, seed uint64) {
	s := p.share(t, tellersLimit, long)
	hook := newTold(t, seed)
	random := mathrand.New(mathrand.NewPCG(seed, 3))
	at := newMoments(2)
	hook.onTold = func(name string) {
		if name != "late" {
			at.saw(name)
		}
	}
	said := newSaid()
	kills := 0
	race := func() {
		workers := newGang(s.T, tellers, func(i int) (*child, string) {
			c, name := s.child(long), rand.Text()
			c.tell("tells %s %s", name, hook.URL)
			return c, name
		}, said)
		workers.run(at.strike(func(name string) {
			if random.IntN(2) == 0 { // at once: it may not have heard the answer
				workers.killNamed(name)
			} else {
				workers.killSoon(random)
			}
		}))
		kills += workers.kills
		// The leases of the dead have passed for somebody who comes later.
		c := s.start(s.T, s.place, How{Lease: long, Ahead: 2 * tellersLease})
		c.tell("tells late %s", hook.URL)
		for line := ""; line != "ok"; line = c.answer() {
			require.True(t, line == "" || spoken[strings.Fields(line)[0]], line)
		}
		c.finish()
	}
	judge := func(want map[string]int) {
		t.Helper()
		hook.mu.Lock()
		defer hook.mu.Unlock()
		got := map[string]int{}
		twice := 0
		for mark, ids := range hook.ids {
			got[mark] = len(ids)
			for _, id := range ids {
				twice += hook.came[id] - 1
				assert.LessOrEqual(t, hook.came[id], 1+said.lastWords("sends "+id), "the notice of %s came again, and nobody was killed who sent it", mark)
			}
		}
		assert.Equal(t, want, got)
		with, err := notice.Of(s.store)
		require.NoError(t, err)
		left, err := with.Undelivered(t.Context())
		require.NoError(t, err)
		assert.Empty(t, left)
		t.Logf("marks %d, processes %d, kills %d: notices that came twice %d", len(want), tellers, kills, twice)
	}
	race()
	once := map[string]int{}
	for _, mark := range toldMarks {
		once[strings.TrimSuffix(string(mark), "%")] = 1
	}
	judge(once)
	// Half of twice as much is spent now.
	_, err := s.store.Grant(t.Context(), quota.GrantSpec{ID: "more", Units: tellersLimit})
	require.NoError(t, err)
	race()
	for _, mark := range []string{"60", "70", "80", "90", "100", string(notice.Exhausted)} {
		once[mark]++
	}
	judge(once)
	assert.Positive(t, kills)
}
