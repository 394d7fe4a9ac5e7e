package tally

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hsharness/hsharness/quota"
)

// Summer is a store that sums up what came since it was last asked.
type Summer interface {
	// Sum is [quota.Store.Statement]. It reads what the journal, which an earlier call
	// made, has not, or everything where that is nil or not of this ledger as it is.
	// The journal that it returns takes its place, nil after an error: the one that was handed over must
	// not be used any more.
	Sum(ctx context.Context, since time.Time, known *Journal) (quota.Statement, *Journal, error)
}

// Sum is that of a store that can go on from a journal, and of another one a statement
// without one.
func Sum(ctx context.Context, store quota.Store, since time.Time, known *Journal) (quota.Statement, *Journal, error) {
	if s, ok := store.(Summer); ok {
		return s.Sum(ctx, since, known)
	}
	statement, err := store.Statement(ctx, since)
	return statement, nil, err
}

// ErrStale is that a journal is not of the ledger as it is.
var ErrStale = errors.New("what is known of the ledger is out of date")

// Journal is what statements need of a ledger's journal up to an entry. The zero value
// is that of a ledger without any. It is for one goroutine.
type Journal struct {
	upto                    Upto
	runs, tests, operations words
	spends                  []spent
	keys                    keys
	rest                    []quota.Entry
	last                    look
}

// look is what the latest statement was made of besides the journal.
type look struct {
	runs       []quota.RunInfo
	tail       tail
	since, now time.Time
}

// Runs are those of the moment of the latest statement, in the order of the store.
func (j *Journal) Runs() []quota.RunInfo { return j.last.runs }

// Upto says how far a journal goes.
type Upto struct {
	// Ledger is the id of the ledger.
	Ledger string
	// Spends is the last entry whose spends are in it, and Head the one up to which it
	// is known what became of them.
	Spends, Head int64
	// Mark tells the entry at Head from any other that could stand there; see [Mark].
	Mark string
	// Missing are the numbers up to Head that had no entry, in the words of a store in
	// which one may come late: behind others, with a number below theirs.
	Missing string
}

// Upto says how far the journal goes.
func (j *Journal) Upto() Upto { return j.upto }

// Mark tells an entry from any other.
func Mark(e quota.Entry) string {
	text, err := json.Marshal(e)
	if err != nil { // a time of a year that JSON can't say
		return ""
	}
	sum := sha256.Sum256(text)
	return string(sum[:])
}

// Read is what a store read of a ledger at one moment.
type Read struct {
	// Upto is how far it goes when the next one continues it: Spends is before every
	// spend that may still have another outcome.
	Upto Upto
	// Now is when, and Runs are all there are.
	Now  time.Time
	Runs []quota.RunInfo
	// Parts are the spends and the other entries after [Upto.Spends] of the journal, in
	// order.
	Parts []*Part
}

// Statement continues the journal with what was read, and sums it up from since on. It is
// false when the runs say something else, so that nothing it says can be believed: a
// ledger that was read from its beginning has what it has.
func (j *Journal) Statement(r Read, since time.Time) (quota.Statement, bool) {
	whole := j.upto == (Upto{})
	tail := j.take(r)
	j.upto, j.last = r.Upto, look{r.Runs, tail, since, r.Now}
	s := newSums(since, r.Now)
	s.begin(j, r.Runs)
	for _, spends := range [][]spent{j.spends, tail.spends} {
		for i := range spends {
			s.spend(&spends[i])
		}
	}
	for _, entries := range [][]quota.Entry{j.rest, tail.rest} {
		for i := range entries {
			s.entry(entries[i])
		}
	}
	return s.statement(), whole || s.balanced()
}

// tail is what came after the end of a journal.
type tail struct {
	spends []spent
	rest   []quota.Entry
}

// take adds what was read and is final. What is not is the tail.
func (j *Journal) take(r Read) tail {
	t, after := tail{}, &keys{under: &j.keys}
	endings := map[int64]ending{}
	for _, p := range r.Parts {
		maps.Copy(endings, p.endings)
	}
	final, all := make([]int, len(r.Parts)), 0
	numbers := make([][3][]int32, len(r.Parts))
	for i, p := range r.Parts {
		p.end(endings)
		final[i] = p.upto(r.Upto.Spends)
		all += final[i]
		numbers[i] = [3][]int32{j.runs.of(&p.runs), j.tests.of(&p.tests), j.operations.of(&p.operations)}
	}
	j.spends = slices.Grow(j.spends, all)
	j.keys.expect(j.keys.used + all)
	live := j.live(r.Runs)
	for i, p := range r.Parts {
		of := &numbers[i]
		for n := range p.spends {
			if n%ahead == 0 {
				j.keys.fetch(p.spends[n:min(n+ahead, len(p.spends))])
			}
			u := &p.spends[n]
			s := u.spent
			s.run, s.test, s.operation = of[0][u.run], of[1][u.test], of[2][u.operation]
			if n < final[i] {
				s.is = j.keys.sort(u, s.run, live[s.run])
				j.spends = append(j.spends, s)
			} else {
				s.is = after.sort(u, s.run, live[s.run])
				t.spends = append(t.spends, s)
			}
		}
		for _, e := range p.rest {
			if e.Seq <= r.Upto.Spends {
				j.rest = append(j.rest, e)
			} else {
				t.rest = append(t.rest, e)
			}
		}
	}
	return t
}

// modeLive is how a run says that it buys again what is there.
const modeLive = "live"

// live tells of each run, by its number, whether it buys again on purpose.
func (j *Journal) live(runs []quota.RunInfo) []bool {
	live := make([]bool, len(j.runs.all))
	for i := range runs {
		if n, ok := j.runs.numbers[runs[i].ID]; ok {
			live[n] = runs[i].Mode == modeLive
		}
	}
	return live
}

// Each says what each spend of a whole journal counts as, by its Seq.
func Each(runs []quota.RunInfo, p *Part, each func(seq int64, is quota.Tally)) {
	j := Journal{}
	all := j.take(Read{Runs: runs, Parts: []*Part{p}})
	for i := range all.spends {
		var is quota.Tally
		all.spends[i].add(&is)
		each(p.spends[i].seq, is)
	}
}
