package pace

import (
	"context"
	"sync"
	"time"
)

// Config makes a [Pacer].
type Config struct {
	Keeper Keeper
	// Run is the id of the run, which must have begun.
	Run   string
	Rates []Rate
	// MaxWait is how long a request may wait. Zero is any time.
	MaxWait time.Duration
	// Waits is told while requests wait, at most once a second or so, and once more with
	// none when none does. It is called by one goroutine at a time. Nil is nobody.
	Waits func(Progress)
}

// Progress is how requests of a run wait.
type Progress struct {
	// Requests is how many wait, 0 for none any more.
	Requests int
	// Runs is how many other runs have their turn first.
	Runs int
	// Wait is how long the first of them is expected to wait from now.
	Wait  time.Duration
	Pause Pause
}

// Waited is how long requests of a run waited for their turn.
type Waited struct {
	Requests int           `json:"requests"`
	Longest  time.Duration `json:"-"`
	Total    time.Duration `json:"-"`
}

// counts is from when on a request has waited: less is what it takes to ask.
const counts = 100 * time.Millisecond

// Pacer waits for the turns of one run. It may be used by many goroutines, whose
// requests have their turns in the order in which they came.
type Pacer struct {
	cfg  Config
	line chan struct{} // who has it asks for the next turn

	mu     sync.Mutex
	ended  context.Context
	end    context.CancelCauseFunc
	denied error
	queued int
	waited Waited
	last   Answer
	ahead  time.Duration // of the ledger's clock to ours
	trip   time.Duration // of the answer that ahead was taken from; 0 before
	paused time.Time     // by our clock
	told   time.Time
}

// New makes the pacer of a run.
func New(cfg Config) *Pacer {
	p := &Pacer{cfg: cfg, line: make(chan struct{}, 1)}
	p.ended, p.end = context.WithCancelCause(context.Background())
	return p
}

// Interrupt fails what waits now with err; what comes later waits anew.
func (p *Pacer) Interrupt(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end(err)
	p.ended, p.end = context.WithCancelCause(context.Background())
}

// Deny fails what waits, and what comes, with err.
func (p *Pacer) Deny(err error) {
	p.mu.Lock()
	p.denied = err
	p.mu.Unlock()
	p.Interrupt(err)
}

// Waited says how long requests waited so far.
func (p *Pacer) Waited() Waited {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waited
}

// Wait waits until a request has a turn: [*WaitError], the end of ctx, what
// [Pacer.Deny] was given, or an error of the ledger.
func (p *Pacer) Wait(ctx context.Context) (Turn, error) {
	began := time.Now()
	p.mu.Lock()
	p.queued++
	err, ended := p.denied, p.ended
	if err == nil {
		err = p.tooLong(0, p.queued-1)
	}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.queued--
	}()
	if err != nil {
		return Turn{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ended, func() { cancel(context.Cause(ended)) })()
	select {
	case p.line <- struct{}{}:
	case <-ctx.Done():
		return Turn{}, context.Cause(ctx)
	}
	defer func() { <-p.line }()
	turn, err := p.ask(ctx, began)
	if err != nil {
		return Turn{}, err
	}
	p.count(turn.At.Sub(began))
	return turn, nil
}

// tooLong tells whether a request would wait longer than it may: by the last
// answer, with so many requests of this run before it. The caller holds the lock.
func (p *Pacer) tooLong(waited time.Duration, before int) error {
	if p.cfg.MaxWait <= 0 || p.last.Now.IsZero() || p.last.Given && before == 0 {
		return nil
	}
	// Each request of this run waits for one turn of every other run.
	rate := p.cfg.Rates[0]
	for _, r := range p.cfg.Rates {
		if r.Per*time.Duration(rate.Turns) > rate.Per*time.Duration(r.Turns) {
			rate = r
		}
	}
	expected := max(0, time.Until(p.last.Expected.Add(-p.ahead)))
	if before > 0 {
		expected += rate.Per * time.Duration(before*max(p.last.Waiting, 1)) / time.Duration(rate.Turns)
		if p.last.Given { // there may be room
			expected -= min(expected, rate.Per)
		}
	}
	if waited+expected <= p.cfg.MaxWait {
		return nil
	}
	return &WaitError{
		Expected: waited + expected, MaxWait: p.cfg.MaxWait, ExpectedSeconds: (waited + expected).Seconds(), MaxWaitSeconds: p.cfg.MaxWait.Seconds(),
		Requests: before, Runs: p.last.Ahead, Pause: p.last.Pause.Why,
	}
}

// ask asks for a turn until there is one. Who has the line may.
func (p *Pacer) ask(ctx context.Context, began time.Time) (Turn, error) {
	for {
		asked := time.Now()
		a, err := p.cfg.Keeper.Turn(ctx, Ask{Run: p.cfg.Run, Rates: p.cfg.Rates})
		if err != nil {
			if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil {
				err = cause
			}
			p.leave()
			return Turn{}, err
		}
		p.heard(a, asked, time.Now())
		if a.Given {
			p.tell(Progress{})
			return Turn{p, a.Seq, p.here(a.Expected)}, nil
		}
		p.mu.Lock()
		err = p.tooLong(time.Since(began), 0)
		queued := p.queued
		p.mu.Unlock()
		if err != nil {
			p.leave()
			return Turn{}, err
		}
		p.tell(Progress{Requests: queued, Runs: a.Ahead, Wait: time.Until(p.here(a.Expected)), Pause: a.Pause})
		if err := sleep(ctx, p.here(a.Again)); err != nil {
			p.leave()
			return Turn{}, err
		}
	}
}

// leave says that nothing waits, unless another request is about to ask.
func (p *Pacer) leave() {
	p.mu.Lock()
	alone := p.queued <= 1
	p.mu.Unlock()
	if !alone {
		return
	}
	p.tell(Progress{})
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	_ = p.cfg.Keeper.Leave(ctx, p.cfg.Run) // else it is passed over when it does not come
}

// leaveTime is how long the ledger may take to hear that nothing waits any more.
const leaveTime = time.Second

// heard keeps what an answer says, and of the clocks what the quickest one did.
func (p *Pacer) heard(a Answer, asked, got time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = a
	if a.Pause.Until.After(a.Now) {
		p.paused = got.Add(a.Pause.Until.Sub(a.Now))
	}
	if trip := got.Sub(asked); p.trip == 0 || trip <= p.trip {
		p.trip, p.ahead = max(trip, 1), a.Now.Sub(asked.Add(trip/2))
	} else {
		p.trip += p.trip / 16 // clocks drift
	}
}

// here is a moment of the ledger's clock by ours.
func (p *Pacer) here(at time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return at.Add(-p.ahead)
}

func (p *Pacer) count(wait time.Duration) {
	if wait < counts {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waited.Requests++
	p.waited.Total += wait
	p.waited.Longest = max(p.waited.Longest, wait)
}

// tellEvery is how often who waits is told of.
const tellEvery = time.Second

func (p *Pacer) tell(progress Progress) {
	if p.cfg.Waits == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if progress.Requests == 0 && p.told.IsZero() || progress.Requests > 0 && now.Sub(p.told) < tellEvery {
		return
	}
	p.told = now
	if progress.Requests == 0 {
		p.told = time.Time{}
	}
	p.cfg.Waits(progress)
}

// Pause pauses the account because of an answer, in this process at once.
func (p *Pacer) Pause(ctx context.Context, wait time.Duration, why string) error {
	p.mu.Lock()
	if until := time.Now().Add(wait); until.After(p.paused) {
		p.paused = until
	}
	p.mu.Unlock()
	return p.cfg.Keeper.Pause(ctx, wait, why)
}
