package harness_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
	"github.com/hsharness/hsharness/mockidp/control"
)

func TestNewKeepsWhatFailedUntilClose(t *testing.T) {
	h, err := harness.New(harness.Options{})
	require.NoError(t, err)
	resp, err := http.Post(h.APIURL()+"/hscode/classify", "application/json", http.NoBody) // a client that looks at no status
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	h.ExpectCalls(2)
	url := h.APIURL()
	err = h.Close()
	require.ErrorContains(t, err, "the guard saw 1 requests, want 2")
	_, err = http.Get(url)
	require.Error(t, err, "nothing listens any more")
	assert.NoError(t, h.Close(), "it was told")
	assert.NoError(t, harness.Start(t, harness.Options{}).Close(), "the test does it")
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	t.Setenv("HSHARNESS_MODE", "live")
	_, err := harness.New(harness.Options{})
	require.ErrorContains(t, err, "tests spend only inside")
	t.Setenv("HSHARNESS_MODE", "")
	h, err := harness.New(harness.Options{})
	require.NoError(t, err)
	assert.Panics(t, func() { h.Fault(control.Fault{}) })
	require.NoError(t, h.Close())
	_, err = harness.New(harness.Options{API: harness.API{Exhausted: "sometimes"}})
	require.ErrorContains(t, err, "sometimes")
}
