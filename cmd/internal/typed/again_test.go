package typed_test

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/typed"
)

// TestAgain: what was typed is typed again, and nothing that the environment says; and of
// that, what changes what is spent.
func TestAgain(t *testing.T) {
	t.Parallel()
	var wait time.Duration
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	typed.MaxWait(flags, &wait)
	flags.Bool("partial", false, "")
	flags.StringSlice("tags", nil, "")
	flags.String("suite", "", "")
	flags.String("allowance", "", "")
	flags.String("on-miss", "", "")
	require.NoError(t, flags.Parse([]string{"--max-wait", "5m", "--partial", "--tags", "a", "--tags", "b", "--suite", "nightly", "--on-miss", "mock"}))
	environment := map[string]bool{"suite": true}
	assert.Equal(t, []string{"--max-wait=5m0s", "--partial=true", "--tags=a", "--tags=b"}, typed.Again(flags, environment, "on-miss"))
	assert.Equal(t, []string{"--max-wait=5m0s", "--on-miss=mock", "--partial=true"}, typed.Spending(flags, environment))
	assert.Equal(t, "5m0s", typed.SpanText(wait))
	assert.Empty(t, typed.SpanText(0), "any time is not typed")
}
