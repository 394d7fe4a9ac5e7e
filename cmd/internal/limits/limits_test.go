package limits_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/limits"
	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/session"
)

func serving(t *testing.T, args ...string) limits.Serving {
	t.Helper()
	var s limits.Serving
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	s.Flags(f)
	require.NoError(t, f.Parse(args))
	return s
}

func TestFlags(t *testing.T) {
	t.Parallel()
	s := serving(t)
	assert.Equal(t, limits.Serving{Limits: bounded.Defaults(), Grace: session.DefaultGrace}, s, "what holds without a flag")
	assert.NoError(t, s.Check())
	s = serving(t, "--max-body=1", "--max-memory=2", "--max-connections=3", "--header-time=4s", "--body-time=5s", "--answer-time=6s", "--idle-time=7s", "--grace=8s")
	want := s
	want.Body, want.Memory, want.Connections = 1, 2, 3
	want.HeaderTime, want.BodyTime, want.AnswerTime, want.IdleTime, want.Grace = 4*time.Second, 5*time.Second, 6*time.Second, 7*time.Second, 8*time.Second
	assert.Equal(t, want, s, "each flag sets what it is called")
	assert.NoError(t, s.Check())
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"header-time", "body-time", "answer-time", "idle-time", "grace"} {
		s := serving(t, "--"+name+"=0")
		assert.EqualError(t, s.Check(), "--"+name+" 0 leaves no time: want a time such as 10s")
	}
	s := serving(t, "--max-memory=9", "--max-body=10")
	assert.ErrorContains(t, s.Check(), "--max-memory 9 has no room for one body of --max-body 10")
}

func TestWithin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		assert.ErrorIs(t, limits.Within(ctx, time.Second, func() error { return assert.AnError }), assert.AnError, "it ended by itself")

		// One that ends in order is waited for.
		assert.NoError(t, limits.Within(ctx, time.Second, func() error {
			cancel()
			<-time.After(time.Second)
			return nil
		}))

		// One that does not end is not.
		stuck := make(chan struct{})
		start := time.Now()
		err := limits.Within(ctx, 3*time.Second, func() error { <-stuck; return nil })
		var late *limits.LateError
		require.ErrorAs(t, err, &late)
		assert.Equal(t, 3*time.Second, late.Grace)
		assert.ErrorContains(t, err, "--grace 3s")
		assert.Less(t, time.Since(start), 4*time.Second, "little longer than its grace")
		close(stuck)
	})
}
