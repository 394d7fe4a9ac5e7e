package listing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/listing"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// TestRequestsAreOfTheMomentOfTheReport: what is spent after the figures were read is in
// none of them, and where the ledger says something else of that moment the reader is told.
func TestRequestsAreOfTheMomentOfTheReport(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), journal(t)
	spend := func(run, id, key string) {
		t.Helper()
		_, err := store.Spend(ctx, quota.SpendSpec{ID: id, Run: run, Units: 3, RequestKey: key})
		require.NoError(t, err)
	}
	_, err := store.Begin(ctx, quota.RunSpec{ID: "four", Max: 20, Process: quota.ThisProcess()}, nil)
	require.NoError(t, err)
	spend("four", "open", "early")
	statement, err := store.Statement(ctx, time.Time{})
	require.NoError(t, err)
	b := report.NewBudget(statement.Status, statement, time.Now())

	spend("four", "late", "late")
	require.NoError(t, store.Settle(ctx, quota.Settlement{Spend: "open", Outcome: quota.Answered, Status: 503}))
	require.NoError(t, listing.Requests(ctx, store, &b))
	require.Len(t, b.Requests, 2)
	assert.Equal(t, quota.Group{Name: "", Lately: 6, Tally: statement.Total}.Name, b.Requests[0].Name)
	assert.EqualValues(t, 6, b.Requests[0].Spent)
	assert.Equal(t, quota.Group{Name: "early", Lately: 3, Tally: quota.Tally{Attempts: 1, Spent: 3, Open: 3}}, b.Requests[1])

	b.Total.Spent++
	require.ErrorIs(t, listing.Requests(ctx, store, &b), tally.ErrStale)
	assert.Len(t, b.Requests, 2, "it has them all the same")
}
