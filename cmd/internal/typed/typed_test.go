package typed_test

import (
	"io"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/typed"
)

// wrongNumbers are what no flag for a number takes.
var wrongNumbers = []string{"", " ", "x", "+1", " 1", "1 ", "0x10", "0b1", "0o7", "0100", "00", "-0", "1_000", "1e3", "1.0", "0.5", ".5", "1,000",
	"9223372036854775808", "-9223372036854775809", "٣", "１", "1\n", "NaN"}

func TestNumbersAreTakenAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"-10": -10, "-1": -1, "0": 0, "7": 7, "100": 100} {
		n, err := typed.ParseNumber(text, -10, 100)
		require.NoError(t, err, "%q", text)
		assert.Equal(t, want, n, "%q", text)
	}
	for _, text := range append(wrongNumbers, "-11", "101") {
		_, err := typed.ParseNumber(text, -10, 100)
		assert.EqualError(t, err, "want a whole number from -10 to 100, in decimal digits", "%q", text)
	}
}

func flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

func TestNumber(t *testing.T) {
	t.Parallel()
	f, n := flags(), uint64(3)
	typed.Number(f, &n, "jobs", 1, 64, "how many")
	assert.Equal(t, "3", f.Lookup("jobs").DefValue, "what is there already is the default")
	assert.Equal(t, "number", f.Lookup("jobs").Value.Type())
	require.NoError(t, f.Parse([]string{"--jobs=64"}))
	assert.EqualValues(t, 64, n)
	for _, text := range append(wrongNumbers, "0", "-1", "65") {
		assert.ErrorContains(t, f.Parse([]string{"--jobs=" + text}), "--jobs", "%q", text)
		assert.EqualValues(t, 64, n, "%q changes nothing", text)
	}
}

func TestTimesHaveNoSign(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"0": 0, "0s": 0, "250ms": 250 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "1h30m": 90 * time.Minute, "3µs": 3 * time.Microsecond} {
		d, err := typed.ParseSpan(text)
		require.NoError(t, err, "%q", text)
		assert.Equal(t, want, d, "%q", text)
		assert.True(t, typed.IsSpan(text), "%q", text)
	}
	for _, text := range []string{"", "-1s", "+1s", "1", "01m", ".5h", "1e3s", "1_0s", "1 s", "1d", "-1h", "999999999h"} {
		_, err := typed.ParseSpan(text)
		assert.EqualError(t, err, "want a time such as 250ms, 90s or 1h30m", "%q", text)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	f, d, none := flags(), time.Duration(0), time.Minute
	typed.Span(f, &d, "grace", 10*time.Second, "how long")
	typed.Span(f, &none, "skew", 0, "how far")
	assert.Equal(t, 10*time.Second, d, "the default")
	assert.Zero(t, none)
	assert.Equal(t, "0", f.Lookup("skew").DefValue, "help leaves it out")
	assert.Equal(t, "duration", f.Lookup("grace").Value.Type())
	require.NoError(t, f.Parse([]string{"--grace=1m30s"}))
	assert.Equal(t, 90*time.Second, d)
	assert.ErrorContains(t, f.Parse([]string{"--grace=-1s"}), "--grace")
	assert.Equal(t, 90*time.Second, d)
}

func TestText(t *testing.T) {
	t.Parallel()
	f, to := flags(), "text"
	typed.Text(f, &to, "format", func(s string) error {
		if s != "json" {
			return assert.AnError
		}
		return nil
	}, "how")
	assert.Equal(t, "text", f.Lookup("format").DefValue)
	assert.Equal(t, "string", f.Lookup("format").Value.Type())
	assert.ErrorContains(t, f.Parse([]string{"--format=xml"}), "--format")
	assert.Equal(t, "text", to)
	require.NoError(t, f.Parse([]string{"--format=json"}))
	assert.Equal(t, "json", to)
}
