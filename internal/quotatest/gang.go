package quotatest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// said is what children told, line by line.
type said struct {
	mu    sync.Mutex
	lines []string
	last  map[string]int // the last lines of those that were killed
}

func newSaid() *said { return &said{last: map[string]int{}} }

func (s *said) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines
}

// lastWords is how many children were killed after they had told this, and nothing more.
func (s *said) lastWords(line string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[line]
}

// gang is children that do the same, each until it tells ok. For one that is killed another
// one is started.
type gang struct {
	t     testing.TB
	hire  func(i int) (*child, string)
	said  *said
	ends  chan gangEnd
	done  sync.WaitGroup
	kills int

	mu      sync.Mutex
	workers []*child // nil when its work is done
	names   []string
	struck  []bool
}

// gangEnd is how the work of one ended: with ok, an error, or nothing for one that was killed.
type gangEnd struct {
	worker int
	answer string
}

func newGang(t testing.TB, n int, hire func(i int) (*child, string), said *said) *gang {
	g := &gang{t: t, hire: hire, said: said, ends: make(chan gangEnd, n), workers: make([]*child, n), names: make([]string, n), struck: make([]bool, n)}
	for i := range n {
		g.start(i)
	}
	return g
}

func (g *gang) start(i int) {
	c, name := g.hire(i)
	g.mu.Lock()
	g.workers[i], g.names[i], g.struck[i] = c, name, false
	g.mu.Unlock()
	g.done.Go(func() {
		last := ""
		for {
			line, err := c.out.ReadString('\n')
			line = strings.TrimSuffix(line, "\n")
			if err != nil { // it was killed, perhaps within a line
				g.said.mu.Lock()
				g.said.last[last]++
				g.said.mu.Unlock()
				g.ends <- gangEnd{i, ""}
				return
			}
			if verb, _, _ := strings.Cut(line, " "); verb == "ok" || !spoken[verb] {
				g.ends <- gangEnd{i, line}
				return
			}
			last = line
			g.said.mu.Lock()
			g.said.lines = append(g.said.lines, line)
			g.said.mu.Unlock()
		}
	})
}

// spoken are the words that begin what a child tells while it works. Anything else is its
// end.
var spoken = map[string]bool{"asks": true, "shared": true, "has": true, "sends": true, "told": true}

// kill ends one by SIGKILL, unless it has done its work.
func (g *gang) kill(i int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.workers[i] != nil && !g.struck[i] {
		g.struck[i] = true
		g.kills++
		_ = g.workers[i].cmd.Process.Kill() // it may just have ended
	}
}

// killNamed is kill for the one that has that name now.
func (g *gang) killNamed(name string) {
	g.mu.Lock()
	i := -1
	for n := range g.names {
		if g.names[n] == name {
			i = n
		}
	}
	g.mu.Unlock()
	if i >= 0 {
		g.kill(i)
	}
}

// run waits until all have done their work, while strike is called again and again until
// it returns false, which it must once stop is closed.
func (g *gang) run(strike func(stop <-chan struct{}) bool) {
	g.t.Helper()
	stop := make(chan struct{})
	var striking sync.WaitGroup
	striking.Go(func() {
		for strike(stop) {
		}
	})
	failed := ""
	for working := len(g.workers); working > 0; {
		e := <-g.ends
		g.mu.Lock()
		c, struck := g.workers[e.worker], g.struck[e.worker]
		if e.answer != "" {
			g.workers[e.worker] = nil
		}
		g.mu.Unlock()
		switch {
		case e.answer == "" && !struck:
			failed = "a child ended by itself"
			working--
		case e.answer == "":
			_ = c.cmd.Wait() // it was killed
			g.start(e.worker)
		default:
			if e.answer != "ok" {
				failed = e.answer
			}
			_ = c.in.Close()
			_ = c.cmd.Wait() // its end may be a kill's
			working--
		}
	}
	close(stop)
	striking.Wait()
	g.done.Wait()
	require.Empty(g.t, failed, "a child gave up")
}

// trials runs a trial for each seed, side by side.
func trials(t *testing.T, seeds int, trial func(t *testing.T, seed uint64)) {
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			trial(t, uint64(seed))
		})
	}
}

// moments are when a gang is struck: at each so-manyth request that its service sees.
type moments struct {
	every int64
	seen  atomic.Int64
	next  chan string // who asked
}

func newMoments(every int64) *moments { return &moments{every: every, next: make(chan string, 1)} }

// saw is called by the service for each request, with the name of who asks.
func (m *moments) saw(name string) {
	if m.seen.Add(1)%m.every == 0 {
		select {
		case m.next <- name:
		default: // one is on its way
		}
	}
}

// strike is for [gang.run]: it calls hit at the next moment.
func (m *moments) strike(hit func(name string)) func(stop <-chan struct{}) bool {
	return func(stop <-chan struct{}) bool {
		select {
		case <-stop:
			return false
		case name := <-m.next:
			hit(name)
			return true
		}
	}
}

// killSoon is kill for any of them, a few milliseconds from now.
func (g *gang) killSoon(random *rand.Rand) {
	<-time.After(time.Duration(random.Int64N(int64(5 * time.Millisecond))))
	g.kill(random.IntN(len(g.workers)))
}
