//go:build unix

package quotatest

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/pace"
)

// pacedCrashes is [Processes.Crashes] at a rate: whoever is killed or stopped, no turn
// is used twice, no more requests come in than the rate lets through, and who is dead
// keeps no turn from the others. A unit whose request waits for its moment is lost with
// its process, so what is wasted is not judged.
func (p Processes) pacedCrashes(t *testing.T, seeds int) {
	t.Run("at a rate", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				s := p.share(t, crashLimit, crashLease)
				judge := turnJudge{began: time.Now(), seen: map[string]bool{}}
				server := crash(s, rulePaced, uint64(seed), judge.serve)
				s.sweep("sweeper")
				st, err := s.store.Status(t.Context())
				require.NoError(t, err)
				assert.GreaterOrEqual(t, st.Spent, server, "the ledger counted too little")
				assert.Equal(t, int64(crashLimit), st.Spent, "what is left could not be spent")
				a, err := s.store.(pace.Keeper).Turn(t.Context(), pace.Ask{Run: "sweeper", Rates: crashRates})
				require.NoError(t, err)
				assert.Equal(t, 1, a.Waiting, "the dead do not wait")
				judge.judge(t)
			})
		}
	})
}

// turnJudge judges at the service, by its own count and clock.
type turnJudge struct {
	began time.Time

	mu    sync.Mutex
	seen  map[string]bool
	twice []string
	all   int
	ahead int // how many came before the rate let so many through
	// inTime are those that came at their moment or a little after it. One that was
	// stopped on its way comes when it comes.
	inTime []time.Time
	over   int // of those, how many were too many in a window
}

// serve sees each request, and leaves its answer to the service.
func (j *turnJudge) serve(_ http.ResponseWriter, r *http.Request) bool {
	came := time.Now()
	moment, err := strconv.ParseInt(r.FormValue("moment"), 10, 64)
	j.mu.Lock()
	defer j.mu.Unlock()
	seq := r.FormValue("turn")
	if j.seen[seq] || err != nil {
		j.twice = append(j.twice, r.URL.String())
	}
	j.seen[seq] = true
	j.all++
	rate := crashRates[0]
	if windows := 1 + int(came.Sub(j.began)/rate.Per); j.all > windows*rate.Turns {
		j.ahead++
	}
	late := came.Sub(time.UnixMicro(moment))
	if late < -rate.Margin()/4 || late > rate.Margin()/2 {
		return false
	}
	j.inTime = append(j.inTime, came)
	if last := len(j.inTime) - 1; last >= rate.Turns && came.Sub(j.inTime[last-rate.Turns]) < rate.Per {
		j.over++
	}
	return false
}

func (j *turnJudge) judge(t *testing.T) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	t.Logf("%d requests at %s in %s, %d of them at their moment", j.all, crashRates[0], time.Since(j.began).Round(time.Millisecond), len(j.inTime))
	assert.Empty(t, j.twice, "a turn was used twice")
	assert.Zero(t, j.ahead, "more came in than the rate lets through")
	assert.Zero(t, j.over, "more came in than a window has room for")
}

// minute is a rate of which a test sees one turn, unless it looks by a clock that is ahead.
const minute = "1/1m"

// after is the ledger as one sees it whose clock is a minute and more ahead.
func (s *shared) after() pace.Keeper {
	s.Helper()
	later, err := s.Open(s.Context(), s.place, How{Lease: long, Ahead: 70 * time.Second})
	require.NoError(s, err)
	s.Cleanup(func() { assert.NoError(s, later.Close()) })
	return later.(pace.Keeper)
}

// other begins a run of the test. The function has it ask, now and a minute later, and
// returns both answers: no admission comes in between, which would end the dead.
func (s *shared) other() func() (now, then pace.Answer) {
	s.Helper()
	s.sweep("other")
	return func() (now, then pace.Answer) {
		ask := pace.Ask{Run: "other", Rates: pace.ParseAll([]string{minute})}
		now, err := s.store.(pace.Keeper).Turn(s.Context(), ask)
		require.NoError(s, err)
		then, err = s.after().Turn(s.Context(), ask)
		require.NoError(s, err)
		return now, then
	}
}

func rowDeadInLine(s *shared) {
	first, dead := s.child(long), s.child(long)
	first.must("begin a 10")
	dead.must("begin b 10")
	ask := s.other()
	assert.Equal(s, "turn 1", first.do("turn a 0 "+minute))
	assert.Equal(s, "waits", dead.do("turn b 0 "+minute))
	dead.kill()
	now, then := ask()
	assert.Equal(s, 1, now.Ahead, "the dead is the next, and nobody knows yet")
	assert.True(s, then.Given, "its lease has an hour to go")
	assert.EqualValues(s, 2, then.Seq)
	first.finish()
}

func rowDeadWithTurn(s *shared) {
	c := s.child(long)
	c.must("begin a 10")
	assert.Equal(s, "turn 1", c.do("turn a 0 "+minute))
	ask := s.other()
	c.kill()
	now, then := ask()
	assert.False(s, now.Given, "its request may have been sent")
	assert.True(s, then.Given)
	assert.EqualValues(s, 2, then.Seq, "none is handed out twice")
}

func rowInsideTurn(s *shared) {
	c := s.child(long)
	c.must("begin a 10")
	c.diesInside(InTransaction, "turn a 0 "+minute)
	now, _ := s.other()()
	assert.True(s, now.Given, "nobody has it")
	assert.EqualValues(s, 1, now.Seq)
}
