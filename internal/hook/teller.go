package hook

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hsharness/hsharness/internal/notice"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

const (
	// lease is how long a notice is one's own to send. It is longer than an attempt may
	// take with what comes before and after it.
	lease = sendTime + 20*time.Second
	// every is how often the ledger is looked at; soon how long after a spend.
	every = 10 * time.Second
	soon  = time.Second
	// ending is how long the end of a command may take for what is not delivered.
	ending = 3 * time.Second
	// noting is how long the ledger may take.
	noting = 2 * time.Second
	// least is how long the ledger is left alone between two looks for what is due: another
	// process may have it, and goes on with it for as long as a hook hangs.
	least = 200 * time.Millisecond
)

// Teller notes and delivers what the hooks of a project are to be told of one ledger,
// beside whatever spends from it. A nil Teller has no hook, and does nothing.
type Teller struct {
	ledger quota.Store
	store  notice.Store
	hooks  map[string]Hook // those that can be told, by name
	named  []Hook          // by the project, in its order
	sender *Sender
	by     string
	warn   func(format string, args ...any)

	spent    chan struct{}
	stop     chan struct{}
	stopOnce sync.Once
	running  sync.WaitGroup
	done     atomic.Int64
	cut      context.CancelFunc // ends what the background does
	looking  context.Context
}

// NewTeller makes one, nil where the project names no hook. Warn is told what can't be
// sent, and is never given a URL. What can't be told fails nothing.
func NewTeller(p *project.Project, getenv func(string) string, ledger quota.Store, warn func(format string, args ...any)) *Teller {
	if len(p.Notify) == 0 {
		return nil
	}
	store, err := notice.Of(ledger)
	if err != nil {
		warn("nobody is told: %v", err)
		return nil
	}
	t := &Teller{
		ledger: ledger, store: store, hooks: map[string]Hook{}, sender: NewSender(p, getenv), by: rand.Text(), warn: warn,
		spent: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	t.looking, t.cut = context.WithCancel(context.Background())
	t.named = Of(p, getenv)
	for _, h := range t.named {
		if h.Err != nil {
			warn("nothing is sent to %s: %v", h.Setting, h.Err)
			continue
		}
		t.hooks[h.Name] = h
	}
	return t
}

// Start looks at once and from then on in the background, until [Teller.Finish].
func (t *Teller) Start() {
	if t == nil {
		return
	}
	within, cancel := context.WithTimeout(t.looking, noting)
	if all, err := t.store.Undelivered(within); err == nil {
		for _, text := range Late(t.named, all) {
			t.warn("%s", text)
		}
	}
	cancel()
	t.running.Go(func() {
		wait := time.Duration(0)
		for {
			timer := time.NewTimer(wait)
			select {
			case <-t.stop:
				timer.Stop()
				return
			case <-timer.C:
			case <-t.spent:
				timer.Stop()
				if !t.pause(t.looking, soon) { // what others spend meanwhile is told with it
					return
				}
			}
			wait = t.look(t.looking)
		}
	})
}

// Spent tells it that something was spent. It never waits.
func (t *Teller) Spent() {
	if t == nil {
		return
	}
	select {
	case t.spent <- struct{}{}:
	default: // it is told already
	}
}

// pause waits; false is that it is to stop.
func (t *Teller) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.stop:
	case <-ctx.Done():
	}
	return false
}

// look notes and delivers, and says when to look again.
func (t *Teller) look(ctx context.Context) time.Duration {
	t.note(ctx)
	t.deliver(ctx)
	return every
}

// note writes down what there is to tell. What it can't, whoever looks next does.
func (t *Teller) note(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, noting)
	defer cancel()
	_ = t.store.NoteNotices(within, Noted(t.named))
}

// deliver sends all that is due, to all hooks at once: one that hangs keeps no other from
// being told.
func (t *Teller) deliver(ctx context.Context) {
	if len(t.hooks) == 0 {
		return
	}
	within, cancel := context.WithTimeout(ctx, noting)
	defer cancel()
	info, err := t.ledger.Info(within)
	if err != nil {
		return
	}
	var all sync.WaitGroup
	for name := range t.hooks {
		all.Go(func() {
			for ctx.Err() == nil {
				if sent, err := t.one(ctx, info, name); err != nil || !sent {
					return
				}
			}
		})
	}
	all.Wait()
}

// one claims a notice for a hook, sends it and notes what became of it. False is that there
// is none. Whoever is killed after the hook has it and before that is noted is the only one
// who lets it come twice.
func (t *Teller) one(ctx context.Context, info quota.Info, hook string) (bool, error) {
	within, cancel := context.WithTimeout(ctx, noting)
	defer cancel()
	claimed := time.Now()
	n, ok, err := t.store.ClaimNotice(within, []string{hook}, t.by, lease)
	if err != nil || !ok {
		return false, err
	}
	out := notice.Outcome{ID: n.ID, By: t.by, Delivered: true}
	m := message(n, info.Allowance, info.LedgerID)
	m.Sent = claimed
	m.Standing = Standing(ctx, t.ledger, m)
	if err := t.sender.Send(ctx, t.hooks[n.Hook], m, claimed.Add(lease-sendTime)); err != nil {
		out.Delivered, out.Why, out.Wait = false, err.Error(), backoff(n.Tries, err)
	}
	if out.Delivered {
		t.done.Add(1)
	}
	// However the command ends: that it was sent is to be known.
	within, cancel = context.WithTimeout(context.WithoutCancel(ctx), noting)
	defer cancel()
	return true, t.store.SettleNotice(within, out)
}

// Standing is how an allowance stands, as a report says it first. Where there is no ledger,
// or it can't be asked in time, it is what the notice says.
func Standing(ctx context.Context, ledger quota.Store, m Message) string {
	within, cancel := context.WithTimeout(ctx, noting)
	defer cancel()
	if ledger == nil {
		return m.standing()
	}
	s, err := ledger.Status(within)
	if err != nil {
		return m.standing()
	}
	_, text, _ := report.Summary(within, s, ledger, time.Now()) // what it says without the journal is enough
	return text
}

// Finish looks once more, and tries what is not delivered for a short time. It returns
// within some seconds, whatever the hooks do.
func (t *Teller) Finish(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ending)
	defer cancel()
	t.Drain(ctx)
}

// Drain is Finish for who has the time that ctx gives.
func (t *Teller) Drain(ctx context.Context) {
	t.note(ctx) // before a hook that hangs has used the time up
	t.halt(ctx)
	for {
		t.deliver(ctx)
		wait, more := t.due(ctx)
		if !more || !pauseFor(ctx, max(wait, least)) {
			return
		}
	}
}

// Delivered is how many notices it has delivered.
func (t *Teller) Delivered() int { return int(t.done.Load()) }

// Close ends what is in the background, and looks no more. It may come after Finish.
func (t *Teller) Close() {
	if t == nil {
		return
	}
	t.cut()
	t.halt(t.looking)
}

// halt ends the background; what is being sent may be waited for until ctx ends.
func (t *Teller) halt(ctx context.Context) {
	t.stopOnce.Do(func() { close(t.stop) })
	defer context.AfterFunc(ctx, t.cut)()
	t.running.Wait()
}

// due is how long it takes until something can be tried again, and whether there is
// anything of which that is soon.
func (t *Teller) due(ctx context.Context) (time.Duration, bool) {
	all, err := t.store.Undelivered(ctx)
	deadline, ok := ctx.Deadline()
	if err != nil || !ok {
		return 0, false
	}
	first := deadline
	for _, n := range all {
		if _, ours := t.hooks[n.Hook]; ours && n.Tries > 0 && n.Next.Before(first) {
			first = n.Next
		}
	}
	return time.Until(first), first.Before(deadline)
}

func pauseFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
