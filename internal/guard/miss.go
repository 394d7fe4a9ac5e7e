package guard

import (
	"fmt"
	"strings"
	"time"

	"github.com/hsharness/hsharness/internal/recording"
)

// MissError says that a request has no recording, what buying it would cost,
// and how it differs from the recording that is most like it.
type MissError struct {
	Method, Path string
	// Units is the price of buying the answer.
	Units int
	// Nearest is the file of the nearest recording, empty without one.
	Nearest     string
	Differences []recording.Difference
	// Evidence is what came the last time, if the request was asked before and
	// nothing of what came is an answer: a passing failure, kept in Nearest. Nil
	// where it was never asked.
	Evidence *recording.Take
	// Production says that the answer can't be bought: production is never
	// called.
	Production bool
	// Mend is what lets the run buy the answer, where it asked to and was not let;
	// else empty.
	Mend string
	// Where is that of the [Cassette].
	Where string
}

// shownDifferences bounds how many differences a message lists.
const shownDifferences = 8

func (e *MissError) Error() string {
	var b strings.Builder
	if e.Evidence != nil {
		fmt.Fprintf(&b, "no recorded answer to this %s %s: what came on %s was %d, which is kept in %s and answers nothing; ",
			e.Method, e.Path, e.Evidence.RecordedAt.UTC().Format("2006-01-02"), e.Evidence.Response.Status, e.Nearest)
	} else {
		fmt.Fprintf(&b, "no recording of this %s %s; ", e.Method, e.Path)
	}
	if e.Production {
		b.WriteString("production is never called, so the mock alone can answer it")
	} else {
		fmt.Fprintf(&b, "buying it costs %d", e.Units)
	}
	if e.Nearest == "" || e.Evidence != nil {
		return b.String()
	}
	fmt.Fprintf(&b, "\n  nearest: %s", e.Nearest)
	for i, d := range e.Differences {
		if i == shownDifferences {
			fmt.Fprintf(&b, "\n  … and %d more", len(e.Differences)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %s: recorded %s, asked %s", d.Path, d.Recorded, d.Asked)
	}
	return b.String()
}

// StaleError says that a recording answered which is older than recordings may be.
type StaleError struct {
	// File is the recording, Key its key, and Units what buying it again costs.
	File, Key string
	Units     int
	// RecordedAt is when its answer was bought, and MaxAge how old one may be.
	RecordedAt time.Time
	MaxAge     time.Duration
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("%s is of %s, and older than recordings.max_age allows, %d days: recordings.expired is fail",
		e.File, e.RecordedAt.UTC().Format(time.DateOnly), e.MaxAge/(24*time.Hour))
}
