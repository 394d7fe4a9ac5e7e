package quotatest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/quota"
)

// crashLease is how long a run lives without renewal while processes crash.
const crashLease = 300 * time.Millisecond

// block is how many units a worker holds at a time.
const block = 4

// unreachableWait is how long a worker waits before it asks a ledger again that it could
// not reach: on a busy machine a server is longer away than a call tries, and whoever
// works then sends nothing, and goes on.
const unreachableWait = 100 * time.Millisecond

// work spends until nothing is left, by one of the rules.
func (a *actor) work(ctx context.Context, service, rule string) error {
	if rule != ruleOurs && rule != rulePaced {
		return workWrong(service, rule)
	}
	ledger := &quota.Client{Store: a.store, Loopback: true, Ticks: func() (<-chan time.Time, func()) {
		t := time.NewTicker(a.lease / 3)
		return t.C, t.Stop
	}}
	most := int64(block)
	for {
		run, err := ledger.Begin(ctx, quota.RunSpec{ID: rand.Text(), Max: most, Process: quota.ThisProcess()}, nil)
		var full *quota.BlockedError
		switch {
		case errors.As(err, &full):
			if full.Usable == 0 && full.Held == 0 {
				return nil
			}
			if most = min(block, full.Usable); most == 0 { // others hold the rest, and may give some back
				most = 1
				<-time.After(a.lease / 10)
			}
			continue
		case errors.Is(err, quota.ErrUnreachable):
			<-time.After(unreachableWait)
			continue
		case err != nil:
			return err
		}
		b := buyer{run: run, service: service}
		if rule == rulePaced {
			b.waits(a.store)
		}
		for err == nil {
			err = b.buy(ctx)
		}
		_, endErr := run.End(ctx, quota.Counters{})
		for errors.Is(endErr, quota.ErrUnreachable) {
			<-time.After(unreachableWait)
			_, endErr = run.End(ctx, quota.Counters{})
		}
		for _, err := range []error{err, endErr} {
			if err != nil && !errors.Is(err, quota.ErrHoldUsed) && !errors.Is(err, quota.ErrRunOver) && !errors.Is(err, quota.ErrUnreachable) {
				return err
			}
		}
	}
}

// buyer buys for one run.
type buyer struct {
	run     *quota.Run
	service string
	turns   *turns // nil at no rate
}

// buy spends a unit, sends its request and notes what became of it.
func (b *buyer) buy(ctx context.Context) error {
	to := b.service
	var turn pace.Turn
	var err error
	if b.turns != nil {
		if turn, err = b.turns.pacer.Wait(ctx); err != nil {
			return err
		}
	}
	e, err := b.run.Spend(ctx, quota.SpendSpec{ID: rand.Text(), Units: 1})
	if err != nil {
		return err
	}
	if b.turns != nil {
		if err := onTime(ctx, turn); err != nil {
			return err
		}
		to += b.turns.query()
	}
	settled := quota.Settlement{Spend: e.ID, Outcome: quota.Answered}
	if err := post(to); errors.Is(err, errFree) {
		settled.Outcome, settled.Proof = quota.Refunded, quota.Unbilled
	} else if err != nil {
		settled.Outcome = quota.Unknown
	}
	return b.run.Settle(settled)
}

// The rules by which a worker may count. The wrong ones are those of well-known
// products; they show that the harness tells right from wrong.
const (
	ruleOurs       = "ours"
	rulePaced      = "ours-at-a-rate"
	ruleTTL        = "reserve-until-time-is-up"
	ruleCheckFirst = "check-send-count"
)

// workWrong asks the wrong ledger of the test, which keeps its own in memory and
// never crashes.
func workWrong(service, rule string) error {
	id := rand.Text()
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s%d", id, n)
		err := ask(service, "/take", rule, id)
		switch {
		case errors.Is(err, errRefused):
			return nil
		case errors.Is(err, errHeld):
			<-time.After(crashLease / 20)
			continue
		case err != nil:
			return err
		}
		if err := post(service); errors.Is(err, errFree) {
			continue
		}
		if err := ask(service, "/count", rule, id); err != nil {
			return err
		}
	}
}

// Why a wrong ledger doesn't allow a request: all is counted, or others hold the
// rest.
var (
	errRefused = errors.New("refused")
	errHeld    = errors.New("held by others")
)

func ask(service, path, rule, id string) error {
	request, err := http.NewRequest(http.MethodGet, service+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Rule", rule)
	request.Header.Set("Id", id)
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	switch answer.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusConflict:
		return errRefused
	case http.StatusTooEarly:
		return errHeld
	}
	return errors.New(answer.Status)
}

// crashRates are those at which processes crash: a burst, and then nothing for as long.
var crashRates = []pace.Rate{{Turns: 20, Per: 400 * time.Millisecond}}

// turns are those of one buyer, which asks for one at a time, with the last that it was given.
type turns struct {
	pace.Keeper
	pacer *pace.Pacer
	last  pace.Answer
}

// waits has a buyer wait for its turns.
func (b *buyer) waits(s quota.Store) {
	t := &turns{Keeper: s.(pace.Keeper)}
	t.pacer = pace.New(pace.Config{Keeper: t, Run: b.run.Info().ID, Rates: crashRates})
	b.turns = t
}

// Turn implements [pace.Keeper].
func (t *turns) Turn(ctx context.Context, ask pace.Ask) (pace.Answer, error) {
	a, err := t.Keeper.Turn(ctx, ask)
	if a.Given {
		t.last = a
	}
	return a, err
}

// query says to the service which turn a request has, and its moment.
func (t *turns) query() string {
	return fmt.Sprintf("?turn=%d&moment=%d", t.last.Seq, t.last.Expected.UnixMicro())
}
