package listing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// bought is a spend of a [requests].
type bought struct {
	request int // by its place
	at      time.Time
	is      quota.Tally
}

// requests are what a journal says of request keys.
type requests struct {
	part   *tally.Part
	spends map[int64]*bought // by their entries
	groups []quota.Group
	places map[string]int
}

// Requests adds to a report what was spent on each request, by its key, the dearest first.
// It reads the journal once more, which a report does for nobody who did not ask, and as
// far as the report goes: all figures are of one moment. [tally.ErrStale] is that the
// journal says something else of that moment by now.
func Requests(ctx context.Context, store quota.Store, b *report.Budget) error {
	r := requests{part: tally.NewPart(b.Total.Attempts), spends: map[int64]*bought{}, places: map[string]int{}}
	if err := r.read(ctx, store, b.Seq); err != nil {
		return session.Failed(err)
	}
	runs, err := store.Runs(ctx, 0) // how each was begun, which never changes
	if err != nil {
		return session.Failed(err)
	}
	tally.Each(runs, r.part, func(seq int64, is quota.Tally) { r.spends[seq].is = is })
	var total quota.Tally
	earlier := b.From.Add(b.From.Sub(b.Made))
	for _, s := range r.spends {
		g := &r.groups[s.request]
		switch {
		case !s.at.Before(b.From):
			g.Lately += s.is.Spent
		case !s.at.Before(earlier):
			g.Before += s.is.Spent
		}
		if !s.at.Before(b.Since) {
			tally.Add(&g.Tally, &s.is)
			tally.Add(&total, &s.is)
		}
	}
	b.Requests = slices.DeleteFunc(r.groups, func(g quota.Group) bool { return g.Attempts == 0 && g.Before == 0 })
	slices.SortFunc(b.Requests, func(a, b quota.Group) int {
		return cmp.Or(cmp.Compare(b.Spent, a.Spent), cmp.Compare(a.Name, b.Name))
	})
	if total != b.Total {
		return fmt.Errorf("the requests of ledger %s add up to %d units, its report says %d: %w", b.LedgerID, total.Spent, b.Total.Spent, tally.ErrStale)
	}
	return nil
}

// read takes the entries up to one.
func (r *requests) read(ctx context.Context, store quota.Store, upto int64) error {
	spends, open := map[string]int64{}, map[int64]bool{}
	for e, err := range store.Entries(ctx, 0) {
		if err != nil {
			return err
		}
		if e.Seq > upto {
			break
		}
		switch e.Kind {
		case quota.KindSpend:
			spends[e.ID], open[e.Seq] = e.Seq, true
			r.spend(e)
		case quota.KindSettle, quota.KindRefund:
			spend := spends[e.ID]
			delete(open, spend)
			r.part.Ending(spend, e.Outcome, e.Status) // a late answer comes later
		}
	}
	for spend := range open {
		r.part.Ending(spend, "", 0)
	}
	return nil
}

func (r *requests) spend(e quota.Entry) {
	n, ok := r.places[e.RequestKey]
	if !ok {
		n = len(r.groups)
		r.places[e.RequestKey] = n
		r.groups = append(r.groups, quota.Group{Name: e.RequestKey})
	}
	r.spends[e.Seq] = &bought{request: n, at: e.Time}
	r.part.Spend(tally.NewAttempt(e))
}
