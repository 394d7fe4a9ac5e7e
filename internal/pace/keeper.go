package pace

import (
	"context"
	"fmt"
	"time"
)

// Keeper is a ledger that keeps a pace. What it keeps is no part of the journal.
// Every method may be called by many goroutines and processes at once, and none of
// them waits for a turn.
type Keeper interface {
	// Turn asks for a turn of a run, which waits from then on until it is given one
	// or leaves. A run that is over is an error, as of a spend.
	Turn(ctx context.Context, ask Ask) (Answer, error)
	// Leave says that a run does not wait any more.
	Leave(ctx context.Context, run string) error
	// Pause gives no turn for some time from now on. One that is there and ends later
	// stays.
	Pause(ctx context.Context, wait time.Duration, why string) error
	// Pace says how it stands.
	Pace(ctx context.Context) (State, error)
}

// Ask is what a run asks for.
type Ask struct {
	Run   string
	Rates []Rate // of the run's project; one at least
	// Late is the number of a turn of the run whose moment was missed, 0 for none. It is
	// put off where that takes no room from another one.
	Late int64
}

// Answer is a turn, or when to ask again. Times are by the clock of the ledger.
type Answer struct {
	// Now is when it was given.
	Now time.Time
	// Given says that there is a turn, and Expected is its moment; else it is when
	// one is to be expected.
	Given    bool
	Expected time.Time
	// Again is when to ask again.
	Again time.Time
	// Ahead is how many runs that wait come first, and Waiting how many wait in all.
	Ahead, Waiting int
	// Seq is the number of a turn that was given. PutOff says that it is the late one.
	Seq    int64
	PutOff bool
	// Pause is one that holds now, zero for none.
	Pause Pause
}

// Pause is that an account is to send nothing.
type Pause struct {
	Until time.Time `json:"until"`
	Why   string    `json:"why"`
}

// Now is a pause as it can be at a moment, and whether that is less than it says: no answer
// pauses for longer than [LongestPause], so one that ends later is by a clock that was set
// back since, or by somebody else. Whoever keeps it keeps it so, as with [Table.WentBack].
func (p Pause) Now(now time.Time) (_ Pause, less bool) {
	latest := now.Add(LongestPause)
	if !p.Until.After(latest) {
		return p, false
	}
	why := fmt.Sprintf("until %s it was, by a clock that was set back, or by none: %s", p.Until.Format(time.RFC3339), p.Why)
	return Pause{Until: latest, Why: why}, true
}

// State is how a pace stands, for people.
type State struct {
	Now time.Time `json:"now"`
	// Turns is how many were given, ever, and Last the moment of the last.
	Turns int64     `json:"turns"`
	Last  time.Time `json:"last,omitzero"`
	// Waiting are the runs that wait, the next one first.
	Waiting []Waiter `json:"waiting"`
	Pause   Pause    `json:"pause,omitzero"`
}

// Waiter is a run that waits.
type Waiter struct {
	Run string `json:"run"`
	// Last is the number of its last turn, 0 for none.
	Last int64 `json:"-"`
	// Since is when it began to wait, Due when it is to ask again, and Expected when it
	// was told to expect its turn.
	Since    time.Time `json:"since"`
	Due      time.Time `json:"-"`
	Expected time.Time `json:"expected"`
}
