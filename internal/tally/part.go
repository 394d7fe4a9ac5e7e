// Package tally makes a [quota.Statement] of what a ledger's journal says: every store
// reads, and the sums are made here, so that all of them mean the same. It may touch
// nothing: it is handed what was read.
//
// # How a million entries are summed up
//
// A [Part] keeps of each spend the few bytes that any sum needs, whatever day it is made
// on. Stretches of the journal can be read at the same time, each into a part of its own.
// A [Journal] then goes through the spends in their order and notes what each counts as:
// that depends on those before it, and on nothing that comes later, once its outcome is
// known for good. So a journal can be kept, and be handed to the next look, which reads
// only what came since; see [Summer].
//
// # Why what is kept can be believed
//
// Entries are never changed and never deleted. A journal that is kept has only spends
// whose outcome is known, and goes back to reading everything when the entry that it ended with is
// not there as it was, when an outcome was changed since, or when the units of any run
// are not those that the ledger says it spent. What is wrong costs time, and no figure.
package tally

import (
	"crypto/sha256"
	"errors"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/hsharness/hsharness/quota"
)

// Attempt is a spend as a [Part] takes it. The bytes are not kept.
type Attempt struct {
	// Seq is that of its entry, and At its time in microseconds since 1970.
	Seq, At int64
	// Run is the run's id, Operation and Test are those of the [quota.SpendSpec], each
	// empty where it is not known.
	Run, Operation, Test []byte
	// RequestKey is what equal requests share, empty where it is not known.
	RequestKey []byte
	// Units is its price; 0 for one that cost nothing.
	Units int64
}

// NewAttempt is that of the entry of a spend.
func NewAttempt(e quota.Entry) Attempt {
	return Attempt{
		Seq: e.Seq, At: e.Time.UnixMicro(), Run: []byte(e.Run), Operation: []byte(e.Operation), Test: []byte(e.Test),
		RequestKey: []byte(e.RequestKey), Units: e.Units,
	}
}

// ending is what became of a spend: an empty outcome for nothing yet.
type ending struct {
	outcome quota.Outcome
	status  int
}

// kind is what became of a spend, and what it counts as.
type kind uint8

const (
	nothing  kind = iota // answered with a status below 400, and nothing else to say of it
	opened               // nothing is known of it yet
	unknown              // its outcome is unknown
	refused              // answered with a status of 400 to 499
	failed               // answered with a status of 500 or more
	refunded             // gave its units back
	answered             // the first answer on its request key
	repeated             // an answer that was there already
	again                // the same, bought on purpose
	kinds                // how many there are

	retried kind = 1 << 7 // added to one: the run had tried the same before
)

func (e ending) kind() kind {
	switch {
	case e.outcome == quota.Refunded:
		return refunded
	case e.outcome == "":
		return opened
	case e.outcome == quota.Unknown:
		return unknown
	case e.status >= 500:
		return failed
	case e.status >= 400:
		return refused
	}
	return nothing
}

// request is what a request is known by: half of the SHA-256 of its key, because there
// may be a million of them. Zero is not known.
type request [sha256.Size / 2]byte

// spent is a spend, as a journal keeps it.
type spent struct {
	at, units            int64
	run, test, operation int32 // by [words]
	is                   kind
}

// unsorted is a spend of a part, of which nobody knows yet what it counts as.
type unsorted struct {
	spent
	seq int64
	key request
}

// Part is a stretch of the journal. It is for one goroutine; several may be filled at
// once.
type Part struct {
	spends                  []unsorted
	endings                 map[int64]ending
	runs, tests, operations words
	rest                    []quota.Entry
}

// NewPart is empty, with room for so many spends.
func NewPart(spends int64) *Part {
	const most = 1 << 20 // a wrong guess costs memory, no guess the copies of growing
	return &Part{spends: make([]unsorted, 0, min(max(spends, 0), most)), endings: map[int64]ending{}}
}

// Ending says what became in the end of the spend with this Seq, in this part or another:
// an empty outcome for nothing yet. A spend without one was answered with a status below
// 400, as most are.
func (p *Part) Ending(spend int64, outcome quota.Outcome, status int) {
	p.endings[spend] = ending{outcome, status}
}

// Ended is [Part.Ending] by what a store's statement says: the outcome, the status and the
// spend's Seq, a space apart. It errs for any other text.
func (p *Part) Ended(text string) error {
	outcome, rest, _ := strings.Cut(text, " ")
	status, spend, _ := strings.Cut(rest, " ")
	code, err := strconv.Atoi(status)
	seq, err2 := strconv.ParseInt(spend, 10, 64)
	if err = errors.Join(err, err2); err == nil {
		p.Ending(seq, quota.Outcome(outcome), code)
	}
	return err
}

// Spend takes the next spend.
func (p *Part) Spend(a Attempt) {
	u := unsorted{seq: a.Seq, spent: spent{
		at: a.At, units: a.Units, run: p.runs.number(a.Run), test: p.tests.number(a.Test), operation: p.operations.number(a.Operation),
	}}
	if len(a.RequestKey) > 0 {
		sum := sha256.Sum256(a.RequestKey)
		u.key = request(sum[:])
	}
	p.spends = append(p.spends, u)
}

// end notes what became of each spend.
func (p *Part) end(endings map[int64]ending) {
	for seq, end := range endings {
		if at := p.upto(seq - 1); at < len(p.spends) && p.spends[at].seq == seq {
			p.spends[at].is = end.kind()
		}
	}
}

// upto is how many of its spends are not after an entry.
func (p *Part) upto(seq int64) int {
	return sort.Search(len(p.spends), func(n int) bool { return p.spends[n].seq > seq })
}

// Entry takes the next grant, reconciliation, exhaustion or block.
func (p *Part) Entry(e quota.Entry) { p.rest = append(p.rest, e) }

// words are texts that come often, as numbers from 0 on.
type words struct {
	all     []string
	numbers map[string]int32
	last    int32 // most often it comes again
}

func (w *words) number(text []byte) int32 {
	if len(w.all) > 0 && w.all[w.last] == string(text) {
		return w.last
	}
	n, ok := w.numbers[string(text)]
	if !ok {
		n = w.add(string(text))
	}
	w.last = n
	return n
}

func (w *words) add(text string) int32 {
	if w.numbers == nil {
		w.numbers = map[string]int32{}
	}
	n := int32(len(w.all))
	w.all = append(w.all, text)
	w.numbers[text] = n
	return n
}

// of are the numbers that the texts of others have here, by theirs.
func (w *words) of(others *words) []int32 {
	numbers := make([]int32, len(others.all))
	for i, text := range others.all {
		numbers[i] = w.number([]byte(text))
	}
	return numbers
}

// micros is the first microsecond that is not before a time.
func micros(t time.Time) int64 {
	us := t.UnixMicro()
	if time.UnixMicro(us).Before(t) {
		us++
	}
	return us
}
