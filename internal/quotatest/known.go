package quotatest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/tally"
	"github.com/hsharness/hsharness/quota"
)

// knownOfAnother hands over journals with a refusal that the ledger never had. One that
// says that it goes exactly as far as this ledger is believed, or the others would prove
// nothing; one that differs in any single thing is not.
func knownOfAnother(f *fixture) {
	f.mustBegin("run", 5)
	f.mustSpend("run", 1, 1)
	require.NoError(f, f.end("run"))
	f.walked()
	is := f.known.Upto()
	refusals := func(change func(*tally.Upto)) int {
		upto := is
		change(&upto)
		now := f.clock.Now()
		known, part := new(tally.Journal), tally.NewPart(1)
		part.Spend(tally.Attempt{Seq: upto.Spends, At: now.UnixMicro(), Run: []byte("run"), Units: 1})
		part.Entry(quota.Entry{Seq: upto.Spends, Time: now, Kind: quota.KindBlock, Refusals: []quota.Refusal{{Rule: "never"}}})
		known.Statement(tally.Read{Upto: upto, Now: now, Parts: []*tally.Part{part}}, time.Time{})
		s, _, err := f.store.(tally.Summer).Sum(f.ctx, time.Time{}, known)
		require.NoError(f, err)
		assert.EqualValues(f, 1, s.Total.Spent)
		return len(s.Blocked)
	}
	assert.Equal(f, 1, refusals(func(*tally.Upto) {}), "as it is")
	assert.Zero(f, refusals(func(u *tally.Upto) { u.Ledger = "another" }), "of another ledger")
	assert.Zero(f, refusals(func(u *tally.Upto) { u.Mark = tally.Mark(quota.Entry{Seq: u.Head}) }), "with another entry at its end")
	assert.Zero(f, refusals(func(u *tally.Upto) { u.Head++ }), "longer than the ledger")
}

// knownBehindAnOpenSpend has a spend that is open for long. What comes behind it is read
// each time anew: it knows what was tried before, and nothing of it counts twice.
func knownBehindAnOpenSpend(f *fixture) {
	f.mustBegin("first", 20)
	f.mustBegin("second", 20)
	f.try("first", 1, "key", 200)
	f.try("second", 1, "key", 200)
	f.walked()
	f.mustSpend("first", 2, 1)
	f.try("second", 2, "key", 200)
	f.try("second", 3, "another", 400)
	assert.ErrorIs(f, f.begin("much", 500), quota.ErrBlocked)
	for range 3 {
		f.walked()
		s := f.statement()
		assert.Equal(f, [4]int64{2, 1, 1, 1}, [4]int64{s.Total.Repeated, s.Total.Retried, s.Total.Refused, s.Total.Open})
		assert.EqualValues(f, 1, s.Blocked[0].Times)
	}
}
