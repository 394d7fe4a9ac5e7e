package listing

import (
	"cmp"
	"context"
	"slices"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// Requests adds to a report what was spent on each request, by its key, the dearest first.
// It reads the whole journal twice, which a report does for nobody who did not ask.
func Requests(ctx context.Context, store quota.Store, b *report.Budget) error {
	runs, err := store.Runs(ctx, 0)
	if err != nil {
		return session.Failed(err)
	}
	fate, err := became(ctx, store, runs)
	if err != nil {
		return session.Failed(err)
	}
	earlier := b.From.Add(b.From.Sub(b.Made))
	by := map[string]*quota.Group{}
	for e, err := range store.Entries(ctx, 0) {
		if err != nil {
			return session.Failed(err)
		}
		is, there := fate[e.ID]
		if e.Kind != quota.KindSpend || !there {
			continue
		}
		g := by[e.RequestKey]
		if g == nil {
			g = &quota.Group{Name: e.RequestKey}
			by[e.RequestKey] = g
		}
		switch {
		case !e.Time.Before(b.From):
			g.Lately += is.Spent
		case !e.Time.Before(earlier):
			g.Before += is.Spent
		}
		if !e.Time.Before(b.Since) {
			tally.Add(&g.Tally, &is)
		}
	}
	b.Requests = []quota.Group{}
	for _, g := range by {
		if g.Attempts > 0 || g.Before > 0 {
			b.Requests = append(b.Requests, *g)
		}
	}
	slices.SortFunc(b.Requests, func(a, b quota.Group) int {
		return cmp.Or(cmp.Compare(b.Spent, a.Spent), cmp.Compare(a.Name, b.Name))
	})
	return nil
}
