package ending_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/ending"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/report"
)

// A command may swallow what the guard refused, and fail with a code of its own that is
// passed on: the reason is said in any case.
func TestWhatTheGuardRefusedIsSaid(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		refused guard.Verdict
		command int
		code    int
		says    string
	}{
		{guard.RecordingFailed, 1, 1, "the reason: hsharness doctor"},
		{guard.RecordingFailed, 0, 1, "the reason"},
		{guard.RecordingDamaged, 9, 9, "the reason: hsharness recordings scan"},
		{guard.Capped, 1, 1, "the reason"},
		{guard.Missed, 1, 3, "the reason"},
		{"", 9, 9, ""},
		{"", 0, 0, ""},
	} {
		bill := report.Bill{Requests: 1}
		reason := ""
		if row.refused != "" {
			reason = "the reason"
		}
		ending.Judge(&bill, row.refused, reason)
		code, err := ending.Command{Code: row.command}.Settle(&bill)
		assert.Equal(t, row.code, code, row)
		assert.Equal(t, row.code, bill.Exit, row)
		assert.Equal(t, row.command, *bill.CommandExit, row)
		if row.says == "" {
			assert.NoError(t, err, row)
			continue
		}
		require.Error(t, err, row)
		assert.Equal(t, row.says, hint.Text(err), row)
	}
}
