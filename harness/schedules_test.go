package harness_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
)

// A test names the codes that can be declared in a country, and gets one of them.
func TestSchedules(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "gb.csv")
	require.NoError(t, os.WriteFile(file, []byte("code,description\n6109100010,Men's T-shirts\n6109100090,Others\n"), 0o600))
	h := harness.Start(t, harness.Options{Schedules: map[string]string{"US": file}})
	code, err := classify(h.Client(), h.APIURL(), "men's cotton t-shirt")
	require.NoError(t, err)
	assert.Equal(t, "6109100010", code)

	require.NoError(t, os.WriteFile(file, []byte("code,description\n610910,T-shirts\n"), 0o600))
	_, err = harness.New(harness.Options{Schedules: map[string]string{"US": file}})
	assert.ErrorContains(t, err, file+":2:1: 610910 has 6 digits")
}

func TestLegalCode(t *testing.T) {
	t.Parallel()
	require.NoError(t, harness.LegalCode("US", "6109.10.00.12"))
	require.NoError(t, harness.LegalCode("DE", "61091000"))
	require.NoError(t, harness.LegalCode("", "610910"))
	assert.EqualError(t, harness.LegalCode("US", "6109100000"), "6109100000 is no line of HTS 2026: under 610910 there are 14, from 6109100004 to 6109100070")
	assert.EqualError(t, harness.LegalCode("GB", "6109100010"), "6109100010 can't be judged: there is no schedule for GB")
}
