package guard

import (
	"sync"

	"github.com/hsharness/hsharness/quota"
)

// Tally counts what became of the requests that a guard saw.
type Tally struct {
	// Requests is how many came, whatever became of them.
	Requests int `json:"requests"`
	// Mocked were answered by the mock API.
	Mocked int `json:"mocked"`
	// Unbought is the part of Mocked that was never bought, and that a replay let the mock
	// API answer. UnboughtUnits is what buying them would cost; those of production can't be
	// bought.
	Unbought      int `json:"unbought,omitempty"`
	UnboughtUnits int `json:"unbought_units,omitempty"`
	// Replayed were answered by a recording.
	Replayed int `json:"replayed"`
	// Stale is the part of Replayed that is older than the cassette's maximum age.
	Stale int `json:"stale,omitempty"`
	// Bought were answered by the sandbox.
	Bought int `json:"bought"`
	// Again were sent, and paid for, though they had been before: what came then
	// was kept and is no answer.
	Again int `json:"again,omitempty"`
	// Refused were answered by the guard itself: a bad token, an operation
	// without a price, no units left, no recording, a sandbox that did not
	// answer.
	Refused int `json:"refused"`
	// Missed is the part of Refused for want of a recording.
	Missed int `json:"missed"`
	// MissedUnits is what buying them would cost; those of production can't be bought.
	MissedUnits int `json:"missed_units,omitempty"`
	// Capped is the part of Refused that a [Cap] did not let through.
	Capped int `json:"capped,omitempty"`
	// Price is what the requests cost at the price list, in units: those that
	// were sent did, those that were mocked or replayed would have.
	Price int `json:"units"`
	// Paid is what was written down as spent: a part of Price, and Resent. What
	// of it was refunded the ledger knows.
	Paid int `json:"spent"`
	// Resent is the part of Paid that went into sending requests once more, after
	// the sandbox refused the real token.
	Resent int `json:"resent,omitempty"`
}

// Sub returns what was counted between earlier and t.
func (t Tally) Sub(earlier Tally) Tally {
	return Tally{
		Requests: t.Requests - earlier.Requests,
		Mocked:   t.Mocked - earlier.Mocked,
		Unbought: t.Unbought - earlier.Unbought, UnboughtUnits: t.UnboughtUnits - earlier.UnboughtUnits,
		Replayed: t.Replayed - earlier.Replayed,
		Stale:    t.Stale - earlier.Stale,
		Bought:   t.Bought - earlier.Bought,
		Again:    t.Again - earlier.Again,
		Refused:  t.Refused - earlier.Refused,
		Missed:   t.Missed - earlier.Missed, MissedUnits: t.MissedUnits - earlier.MissedUnits,
		Capped: t.Capped - earlier.Capped,
		Price:  t.Price - earlier.Price,
		Paid:   t.Paid - earlier.Paid,
		Resent: t.Resent - earlier.Resent,
	}
}

// Add returns the sum of both.
func (t Tally) Add(other Tally) Tally {
	return Tally{
		Requests: t.Requests + other.Requests,
		Mocked:   t.Mocked + other.Mocked,
		Unbought: t.Unbought + other.Unbought, UnboughtUnits: t.UnboughtUnits + other.UnboughtUnits,
		Replayed: t.Replayed + other.Replayed,
		Stale:    t.Stale + other.Stale,
		Bought:   t.Bought + other.Bought,
		Again:    t.Again + other.Again,
		Refused:  t.Refused + other.Refused,
		Missed:   t.Missed + other.Missed, MissedUnits: t.MissedUnits + other.MissedUnits,
		Capped: t.Capped + other.Capped,
		Price:  t.Price + other.Price,
		Paid:   t.Paid + other.Paid,
		Resent: t.Resent + other.Resent,
	}
}

// Saved is what the requests would have cost beyond what was paid for them, in
// units.
func (t Tally) Saved() int { return t.Price - (t.Paid - t.Resent) }

// Counters are what a run's end in the ledger keeps of the tally.
func (t Tally) Counters() quota.Counters {
	return quota.Counters{
		Requests: int64(t.Requests), Replayed: int64(t.Replayed), Mocked: int64(t.Mocked), Missed: int64(t.Missed),
		WouldSpend: int64(t.Saved()),
	}
}

// counter is a Tally under a lock, with the verdicts that were given.
type counter struct {
	within *counter // of the guard around, which counts the same; nil without one

	mu       sync.Mutex
	t        Tally
	verdicts map[Verdict]string // to the first reason
}

func (c *counter) add(t Tally) {
	for ; c != nil; c = c.within {
		c.mu.Lock()
		c.t = c.t.Add(t)
		c.mu.Unlock()
	}
}

// note keeps the reason of a refusal if it is the first with its verdict.
func (c *counter) note(r *Refusal) {
	for ; c != nil; c = c.within {
		c.mu.Lock()
		if c.verdicts == nil {
			c.verdicts = map[Verdict]string{}
		}
		if _, ok := c.verdicts[r.Verdict]; !ok {
			c.verdicts[r.Verdict] = r.Error()
		}
		c.mu.Unlock()
	}
}

func (c *counter) verdict() (v Verdict, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range gravest() {
		if reason, ok := c.verdicts[v]; ok {
			return v, reason
		}
	}
	return "", ""
}

func (c *counter) tally() Tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}
