package pace

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rate is that so many requests may be sent in any time of that length.
type Rate struct {
	Turns int           `json:"turns"`
	Per   time.Duration `json:"per"`
}

// What a rate may say.
const (
	// Form is how a rate is written, as a regular expression.
	Form = `^[1-9][0-9]{0,4}/[1-9][0-9]{0,4}[smh]$`
	// Wanted is the same in words.
	Wanted = "requests and a time of 24h at most, such as 20/1m"

	longestPer = 24 * time.Hour
	mostDigits = 5
)

var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour}

// Parse reads a rate such as 20/1m.
func Parse(text string) (Rate, error) {
	turns, per, ok := strings.Cut(text, "/")
	wrong := fmt.Errorf("%q is no rate, want %s", text, Wanted)
	if !ok || per == "" {
		return Rate{}, wrong
	}
	n, ok := number(turns)
	if !ok {
		return Rate{}, wrong
	}
	m, ok := number(per[:len(per)-1])
	unit := units[per[len(per)-1]]
	if !ok || unit == 0 || time.Duration(m)*unit > longestPer {
		return Rate{}, wrong
	}
	return Rate{n, time.Duration(m) * unit}, nil
}

// number reads a whole number above 0, as it would be written.
func number(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n > 0 && len(text) <= mostDigits && text == strconv.Itoa(n)
}

// ParseAll reads the rates of a project. Those that are wrong are left out: they were
// refused when the project was read.
func ParseAll(texts []string) []Rate {
	var all []Rate
	for _, text := range texts {
		if r, err := Parse(text); err == nil {
			all = append(all, r)
		}
	}
	return all
}

// String is the rate as it is written.
func (r Rate) String() string {
	for _, unit := range []byte("hms") {
		if r.Per%units[unit] == 0 && r.Per > 0 {
			return fmt.Sprintf("%d/%d%c", r.Turns, r.Per/units[unit], unit)
		}
	}
	return fmt.Sprintf("%d/%s", r.Turns, r.Per)
}

// longestMargin is the most by which a window is taken for longer than it is.
const longestMargin = time.Second

// Margin is by how much its time is taken for longer than it is: requests take
// different times to the service.
func (r Rate) Margin() time.Duration { return min(r.Per/25, longestMargin) }

// shortest is the rate of the shortest time.
func shortest(rates []Rate) Rate {
	return slices.MinFunc(rates, func(a, b Rate) int { return cmp.Compare(a.Per, b.Per) })
}

// LongestHorizon is the longest that any rate's may be: no turn of whoever shares a ledger
// is given longer before its moment, whatever the rates of who asks.
const LongestHorizon = time.Second

// Horizon is how long before its moment a turn may be given.
func Horizon(rates []Rate) time.Duration { return min(shortest(rates).Per/2, LongestHorizon) }

// Grace is by how much who waits may be late before it is passed over.
func Grace(rates []Rate) time.Duration { return Horizon(rates) / 4 }

// Patience is how long after its moment a turn may still be used.
func Patience(rates []Rate) time.Duration { return shortest(rates).Margin() / 4 }

// widestGap is the most that two turns are kept apart.
const widestGap = 20 * time.Millisecond

// Gap is by how much the moments of two turns differ at least: what is sent all at once
// arrives at times that differ more.
func Gap(rates []Rate) time.Duration {
	gap := widestGap
	for _, r := range rates {
		gap = min(gap, r.Per/time.Duration(2*r.Turns))
	}
	return gap
}

// Kept is how many turns a ledger keeps: as many as any rate looks back. The rates of who
// asks are no bound: another project's, or those of tomorrow, may look back further.
const Kept = 99_999

// MostTurns is the highest number of a turn: one a microsecond for a hundred thousand years.
// A row with a higher one is nobody's.
const MostTurns = 1 << 61
