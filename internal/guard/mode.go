package guard

import (
	"fmt"
	"slices"
	"strings"
)

// Mode is how far a guard may go. The zero Mode is [Offline].
type Mode int

// The modes, least far first: of two modes the lower one is the safer.
const (
	// Offline lets the mock API answer. No socket leaves loopback.
	Offline Mode = iota
	// Replay answers from recordings; a miss fails.
	Replay
	// Record answers from recordings and buys a missing answer once.
	Record
	// Live buys every answer and records it again.
	Live
)

var modeNames = []string{"offline", "replay", "record", "live"}

// ModeNames lists the four names, lowest first.
func ModeNames() []string { return slices.Clone(modeNames) }

// ParseMode reads one of the four names.
func ParseMode(name string) (Mode, error) {
	if i := slices.Index(modeNames, name); i >= 0 {
		return Mode(i), nil
	}
	return Offline, fmt.Errorf("mode %q is none of %s", name, strings.Join(modeNames, ", "))
}

// String is the mode's name.
func (m Mode) String() string {
	if m < Offline || m > Live {
		return fmt.Sprintf("mode %d", int(m))
	}
	return modeNames[m]
}

// MarshalText writes the mode's name.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what [ParseMode] reads.
func (m *Mode) UnmarshalText(text []byte) error {
	v, err := ParseMode(string(text))
	if err != nil {
		return err
	}
	*m = v
	return nil
}

// Buys tells whether the mode can spend units.
func (m Mode) Buys() bool { return m >= Record }

// What a replay does with a request that was never bought: it fails, or lets the mock
// API answer.
const (
	FailMiss = "fail"
	MockMiss = "mock"
)

// CheckMiss takes one of the two.
func CheckMiss(text string) error {
	if text != FailMiss && text != MockMiss {
		return fmt.Errorf("%q is neither %s nor %s", text, FailMiss, MockMiss)
	}
	return nil
}

// Limit is a mode with the name of what set it, for the bill.
type Limit struct {
	Mode Mode
	By   string // "--mode", "policy.ci", the scenario's file, …
}

// Lowest returns the limit with the lowest mode, the first of several.
// Without limits it is offline, by nothing.
func Lowest(limits ...Limit) Limit {
	if len(limits) == 0 {
		return Limit{}
	}
	return slices.MinFunc(limits, func(a, b Limit) int { return int(a.Mode) - int(b.Mode) })
}
