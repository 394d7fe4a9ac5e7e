// Package typed adds flags whose values mean what is typed: whole numbers in
// decimal digits, times without a sign, texts of a form. It may touch cobra, pflag and
// what compiles patterns.
package typed

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/internal/pattern"
)

// number is a whole number on the command line, or in the HSHARNESS_ twin of a
// flag: in decimal digits as one writes it, and in its range. Package pflag alone
// takes 0x10, 0100 and 1_000 too. It implements pflag.Value.
type number[T int | int64 | uint64] struct {
	to          *T
	least, most int64
}

// Number adds a flag for a number from least to most, both included. What is
// in to already is its default.
func Number[T int | int64 | uint64](flags *pflag.FlagSet, to *T, name string, least, most int64, usage string) {
	flags.Var(&number[T]{to, least, most}, name, usage)
}

func (n *number[T]) String() string { return fmt.Sprint(*n.to) }

// Type implements pflag.Value.
func (n *number[T]) Type() string { return "number" }

// Set implements pflag.Value.
func (n *number[T]) Set(text string) error {
	v, err := ParseNumber(text, n.least, n.most)
	if err == nil {
		*n.to = T(v)
	}
	return err
}

// wholeNumber is how a number is written.
var wholeNumber = pattern.New(`^(0|-?[1-9][0-9]*)$`)

// ParseNumber reads a number from least to most.
func ParseNumber(text string, least, most int64) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if !wholeNumber.MatchString(text) || err != nil || n < least || n > most {
		return 0, fmt.Errorf("want a whole number from %d to %d, in decimal digits", least, most)
	}
	return n, nil
}

// textValue is a text of a form. It implements pflag.Value.
type textValue struct {
	to    *string
	check func(string) error
}

// Text adds a flag for a text that check takes. A typed flag is never empty.
func Text(flags *pflag.FlagSet, to *string, name string, check func(string) error, usage string) {
	flags.Var(&textValue{to, check}, name, usage)
}

func (t *textValue) String() string { return *t.to }

// Type implements pflag.Value.
func (t *textValue) Type() string { return "string" }

// Set implements pflag.Value.
func (t *textValue) Set(s string) error {
	err := t.check(s)
	if err == nil {
		*t.to = s
	}
	return err
}

// timeSpan is how a time is written: no sign, and no digits that mean nothing.
var timeSpan = pattern.New(`^(0|((0|[1-9][0-9]*)(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`)

// ParseSpan reads a time such as 90s or 1h30m.
func ParseSpan(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || !timeSpan.MatchString(s) {
		return 0, errors.New("want a time such as 250ms, 90s or 1h30m")
	}
	return d, nil
}

// spanValue is a time on the command line. It implements pflag.Value.
type spanValue struct{ to *time.Duration }

// String says 0 for none, which help leaves out.
func (s *spanValue) String() string {
	if *s.to == 0 {
		return "0"
	}
	return s.to.String()
}

// Type implements pflag.Value.
func (s *spanValue) Type() string { return "duration" }

// Set implements pflag.Value.
func (s *spanValue) Set(text string) error {
	d, err := ParseSpan(text)
	if err == nil {
		*s.to = d
	}
	return err
}

// Span adds a flag for a time, with a default.
func Span(flags *pflag.FlagSet, to *time.Duration, name string, value time.Duration, usage string) {
	*to = value
	flags.Var(&spanValue{to}, name, usage)
}

// MaxWait adds the flag for how long a request may wait for its turn, any time where it is
// not typed.
func MaxWait(flags *pflag.FlagSet, to *time.Duration) {
	Span(flags, to, "max-wait", 0, "refuse a request that would wait longer than this `time` for its turn at the project's rate, before it costs anything; 0 is no limit")
}

// SpanText is a time as such a flag takes it, empty for none.
func SpanText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// IsSpan tells whether a text is a time as [ParseSpan] reads it.
func IsSpan(s string) bool { return timeSpan.MatchString(s) }
