package process

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnInterruptThatArrivesTwiceIsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		signals, over := make(chan os.Signal, 1), make(chan struct{})
		var let atomic.Bool
		go watch(signals, over, cancel, func() { let.Store(true) })
		signals <- os.Interrupt
		synctest.Wait()
		var why *Interrupt
		require.ErrorAs(t, context.Cause(ctx), &why)
		assert.Equal(t, 130, why.Code())
		assert.EqualError(t, why, "ended by interrupt")
		assert.False(t, let.Load(), "the second half of the same signal is taken still")
		<-time.After(echo - time.Millisecond) // by the clock of the bubble
		assert.False(t, let.Load())
		<-time.After(2 * time.Millisecond)
		synctest.Wait()
		assert.True(t, let.Load(), "the next one ends the program")
	})
}

func TestWhatIsOverIsNotInterrupted(t *testing.T) {
	t.Parallel()
	ctx, end := Interruptible(t.Context())
	end()
	end()
	assert.ErrorIs(t, context.Cause(ctx), context.Canceled)
}

func TestUnless(t *testing.T) {
	t.Parallel()
	got, err := Unless(t.Context(), func() (int, error) { return 7, os.ErrClosed })
	assert.Equal(t, 7, got)
	require.ErrorIs(t, err, os.ErrClosed)
	ctx, end := context.WithCancelCause(t.Context())
	held := make(chan struct{})
	defer close(held)
	end(&Interrupt{os.Interrupt})
	got, err = Unless(ctx, func() (int, error) { <-held; return 7, nil })
	assert.Zero(t, got)
	assert.EqualError(t, err, "ended by interrupt")
}
