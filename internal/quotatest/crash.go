//go:build unix

package quotatest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The size of one trial.
const (
	crashWorkers = 8
	crashLimit   = 100
	// crashEvery is after how many units, on average, one worker is killed or
	// stopped. The trial is driven by what the service counts and not by time, so
	// that it is as hard on a slow machine as on a fast one.
	crashEvery = 20
	// enoughSeeds make the share of wasted units one that chance hardly moves.
	enoughSeeds = 100
)

// Crashes lets 8 processes spend a limited allowance, kills and stops them at
// random, and compares the ledger with a service that counts for itself, that
// drops a twentieth of its answers after it counted and refuses another
// twentieth uncounted. Per seed: the service counts no more than was granted,
// the ledger no less than the service. Over all seeds at most one unit of a
// hundred is wasted, counted by the ledger and not by the service; of few seeds a
// little more may be, by chance. Then the same at a rate, see [Processes.pacedCrashes].
func (p Processes) Crashes(t *testing.T, seeds int) {
	var mu sync.Mutex
	var counted, wasted int64
	t.Run("seed", func(t *testing.T) {
		for seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				s := p.share(t, crashLimit, crashLease)
				server := crash(s, ruleOurs, uint64(seed))
				s.sweep("sweeper")
				st, err := s.store.Status(t.Context())
				require.NoError(t, err)
				assert.Zero(t, st.Held)
				assert.LessOrEqual(t, server, int64(crashLimit), "over the limit")
				assert.GreaterOrEqual(t, st.Spent, server, "the ledger counted too little")
				assert.Equal(t, int64(crashLimit), st.Spent, "what is left could not be spent")
				t.Logf("service %d, ledger %d of which %d unknown", server, st.Spent, st.Unknown)
				mu.Lock()
				defer mu.Unlock()
				counted, wasted = counted+server, wasted+st.Spent-server
			})
		}
	})
	t.Logf("%d seeds: service %d, wasted %d", seeds, counted, wasted)
	total := float64(counted + wasted)
	most := total / 100
	if seeds < enoughSeeds {
		most += 4 * math.Sqrt(most) // of few units, chance may waste more
	}
	assert.LessOrEqual(t, float64(wasted), most, "more than one of a hundred is wasted")
	p.pacedCrashes(t, max(1, seeds/4))
}

// CrashesOfWrongRules shows that [Processes.Crashes] would notice: two rules
// that are in use elsewhere count too little under the same crashes.
func (p Processes) CrashesOfWrongRules(t *testing.T) {
	for _, rule := range []string{ruleTTL, ruleCheckFirst} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			// Where a kill hits is chance; of so many trials one shows it.
			const trials = 30
			for seed := range uint64(trials) {
				s := p.share(t, crashLimit, crashLease)
				wrong := &wrongLedger{holds: map[string]time.Time{}}
				server := crash(s, rule, seed, wrong.serve)
				wrong.mu.Lock()
				counted := wrong.counted
				wrong.mu.Unlock()
				t.Logf("service %d, ledger %d", server, counted)
				if server > crashLimit && server > counted {
					return
				}
			}
			t.Errorf("in %d trials the rule never went over the limit and counted too little: the harness sees nothing", trials)
		})
	}
}

// crash is one trial. It returns what the service counted.
func crash(s *shared, rule string, seed uint64, others ...func(http.ResponseWriter, *http.Request) bool) int64 {
	service := newCounter(s, seed)
	service.drop, service.free, service.slow = 5, 5, 10*time.Millisecond
	events := make(chan struct{}, 1)
	var since atomic.Int64
	random := rand.New(rand.NewPCG(seed, 1))
	next := random.Int64N(2 * crashEvery)
	var mu sync.Mutex
	service.onCount = func() {
		mu.Lock()
		defer mu.Unlock()
		if since.Add(1) > next {
			since.Store(0)
			next = random.Int64N(2 * crashEvery)
			select {
			case events <- struct{}{}:
			default: // one is on its way
			}
		}
	}
	service.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, other := range others {
			if other(w, r) {
				return
			}
		}
		service.ServeHTTP(w, r)
	})

	type end struct {
		worker int
		answer string
	}
	ends := make(chan end, crashWorkers)
	var waiting sync.WaitGroup
	workers := make([]*child, crashWorkers)
	hire := func(i int) {
		workers[i] = s.start(s.T, s.place, How{Lease: crashLease})
		workers[i].tell("work %s %s", service.URL, rule)
		c := workers[i]
		waiting.Go(func() {
			line, _ := c.out.ReadString('\n') // empty if it was killed
			ends <- end{i, strings.TrimSpace(line)}
		})
	}
	for i := range workers {
		hire(i)
	}
	kills, stops := 0, 0
	var struck [crashWorkers]bool // killed, perhaps when its work was done
	fate := rand.New(rand.NewPCG(seed, 2))
	for working := crashWorkers; working > 0; {
		select {
		case <-events:
			i := fate.IntN(crashWorkers)
			if workers[i] == nil {
				continue
			}
			process := workers[i].cmd.Process
			<-time.After(time.Duration(fate.Int64N(int64(10 * time.Millisecond))))
			if fate.IntN(10) < 6 || kills == 0 { // each trial has one at least
				kills++
				struck[i] = true
				require.NoError(s, process.Kill())
				continue
			}
			stops++
			require.NoError(s, process.Signal(syscall.SIGSTOP))
			after := time.After(time.Duration(fate.Int64N(int64(2 * crashLease))))
			waiting.Go(func() {
				<-after
				_ = process.Signal(syscall.SIGCONT) // it may be killed
			})
		case e := <-ends:
			if e.answer == "ok" {
				if struck[e.worker] {
					_ = workers[e.worker].cmd.Wait() // its end may be the kill's
				} else {
					workers[e.worker].finish()
				}
				workers[e.worker] = nil
				working--
				continue
			}
			require.Empty(s, e.answer, "a worker gave up")
			require.Error(s, workers[e.worker].cmd.Wait(), "it was killed")
			struck[e.worker] = false
			hire(e.worker)
		}
	}
	waiting.Wait()
	s.Logf("%d kills, %d stops", kills, stops)
	require.Positive(s, kills)
	return service.count()
}

// wrongLedger is the ledger of the wrong rules. It is in memory and never fails,
// so whatever goes wrong is the fault of the rule.
type wrongLedger struct {
	mu      sync.Mutex
	holds   map[string]time.Time // until when
	counted int64
}

// serve answers /take and /count.
func (l *wrongLedger) serve(w http.ResponseWriter, r *http.Request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ttl, id := r.Header.Get("Rule") == ruleTTL, r.Header.Get("Id")
	switch r.URL.Path {
	case "/take":
		used := l.counted
		for id, until := range l.holds {
			if !until.After(time.Now()) {
				delete(l.holds, id) // time gives back what was perhaps sent
			} else {
				used++
			}
		}
		if l.counted >= crashLimit {
			w.WriteHeader(http.StatusConflict)
		} else if used >= crashLimit {
			w.WriteHeader(http.StatusTooEarly)
		} else if ttl {
			l.holds[id] = time.Now().Add(crashLease / 4)
		}
		return true
	case "/count":
		delete(l.holds, id)
		l.counted++
		return true
	}
	return false
}
