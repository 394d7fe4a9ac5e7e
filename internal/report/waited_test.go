package report_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

// TestBillOfRequestsThatWaited: the bill says how many requests waited and for how long,
// and nothing of it where none did.
func TestBillOfRequestsThatWaited(t *testing.T) {
	t.Parallel()
	bill := report.Bill{Waited: &report.Waited{Requests: 3, LongestMS: 2500, TotalMS: 4000}}
	assert.Contains(t, bill.Line(), " · 3 requests waited, 2.5s at most · ")
	raw, err := json.Marshal(bill)
	require.NoError(t, err)
	assert.Contains(t, string(raw), `"waited":{"requests":3,"longest_ms":2500,"total_ms":4000}`)
	assert.NotContains(t, report.Bill{}.Line(), "waited")
}
