package ending_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/cmd/internal/ending"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/quota"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[guard.Verdict]struct {
		code int
		name string
	}{
		"":                      {0, "ok"},
		guard.Blocked:           {4, "blocked"},
		guard.LedgerUnavailable: {7, "unavailable"},
		guard.Stopped:           {5, "upstream"},
		guard.UpstreamFailed:    {5, "upstream"},
		guard.Policy:            {6, "policy"},
		guard.Missed:            {3, "missed"},
		guard.RecordingDamaged:  {2, "usage"},
		guard.NoHost:            {2, "usage"},
		guard.RecordingFailed:   {1, "failed"},
		guard.Capped:            {1, "failed"},
		guard.Cancelled:         {0, "ok"},
		guard.Bought:            {0, "ok"},
		guard.Unauthorized:      {0, "ok"},
	} {
		assert.Equal(t, want.code, ending.Code(verdict), "%q", verdict)
		assert.Equal(t, want.name, ending.Verdict(want.code), "%q", verdict)
	}
	for _, code := range []int{-1, 8, 41, 137} {
		assert.Equal(t, "failed", ending.Verdict(code), "%d is none of ours", code)
	}
}

func TestGraver(t *testing.T) {
	t.Parallel()
	order := []int{ending.Blocked, ending.Ledger, ending.Usage, ending.Missing, ending.Upstream, ending.Policy, ending.Failed, ending.OK}
	for i, a := range order {
		for j, b := range order {
			assert.Equal(t, i < j, ending.Graver(a, b), "%d than %d", a, b)
		}
	}
	assert.False(t, ending.Graver(41, ending.OK), "a command's own code is no gravity")
}

func TestJudge(t *testing.T) {
	t.Parallel()
	var bill report.Bill
	ending.Judge(&bill, guard.Missed, "no recording of it")
	assert.Equal(t, report.Bill{Refusal: "missed", Exit: 3, Verdict: "missed", Reason: "no recording of it", Next: string(hint.FirstLedger)}, bill)

	ending.Worse(&bill, ending.Policy, errors.New("never"))
	assert.Equal(t, 3, bill.Exit, "a miss is graver")
	ending.Worse(&bill, ending.Ledger, quota.ErrNoLedger)
	assert.Equal(t, 7, bill.Exit)
	assert.Equal(t, "unavailable", bill.Verdict)
	assert.Equal(t, hint.Text(quota.ErrNoLedger), bill.Reason, "with what to do about it")
	assert.Equal(t, "missed", bill.Refusal)
}

// What a command says by its exit code is told apart from what the guard says.
func TestCommands(t *testing.T) {
	t.Parallel()
	const forbidden = ending.Unasked + " (policy.unasked is fail)"
	broken := errors.New("exec: no such command")
	for _, row := range []struct {
		name     string
		command  ending.Command
		requests int
		refused  guard.Verdict

		code            int
		verdict, reason string
		err             string
	}{
		{name: "well", requests: 1, verdict: "ok"},
		{name: "the command failed", command: ending.Command{Code: 3}, requests: 1, code: 3, verdict: "ok"},
		{name: "the guard refused", requests: 1, refused: guard.Missed, code: 3, verdict: "missed", reason: "why", err: "why"},
		{name: "both", command: ending.Command{Code: 5}, requests: 1, refused: guard.Missed, code: 3, verdict: "missed", reason: "why", err: "why"},
		{name: "a test failed, and the command knows", command: ending.Command{Code: 5}, requests: 1, refused: guard.Capped, code: 5, verdict: "failed", reason: "why", err: "why"},
		{name: "a test failed, and the command does not know", requests: 1, refused: guard.Capped, code: 1, verdict: "failed", reason: "why", err: "why"},
		{name: "killed", command: ending.Command{Code: 137}, requests: 1, code: 137, verdict: "ok"},
		{name: "killed before it asked", command: ending.Command{Code: 137, MustAsk: true}, code: 137, verdict: "ok"},
		{name: "not run", command: ending.Command{Code: 2, Err: broken}, code: 2, verdict: "usage", reason: broken.Error(), err: broken.Error()},
		{name: "not run where it must ask", command: ending.Command{Code: 2, Err: broken, MustAsk: true}, code: 2, verdict: "usage", reason: broken.Error(), err: broken.Error()},
		{name: "asked nothing", verdict: "ok", reason: ending.Unasked},
		{name: "asked nothing and failed", command: ending.Command{Code: 1}, code: 1, verdict: "ok", reason: ending.Unasked},
		{name: "asked nothing and must", command: ending.Command{MustAsk: true}, code: 6, verdict: "policy", reason: forbidden, err: forbidden},
		{name: "asked nothing, must, and failed", command: ending.Command{Code: 1, MustAsk: true}, code: 6, verdict: "policy", reason: forbidden, err: forbidden},
		{name: "asked and must", command: ending.Command{Code: 41, MustAsk: true}, requests: 1, code: 41, verdict: "ok"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			bill := report.Bill{Requests: row.requests}
			reason := ""
			if row.refused != "" {
				reason = "why"
			}
			ending.Judge(&bill, row.refused, reason)
			code, err := row.command.Settle(&bill)
			assert.Equal(t, row.code, code)
			assert.Equal(t, row.code, bill.Exit)
			assert.Equal(t, row.verdict, bill.Verdict)
			assert.Equal(t, row.reason, bill.Reason)
			if row.err == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, row.err)
			}
			if row.command.Err != nil {
				assert.Nil(t, bill.CommandExit, "it never ran")
			} else if assert.NotNil(t, bill.CommandExit) {
				assert.Equal(t, row.command.Code, *bill.CommandExit)
			}
		})
	}
}

// A command that asked nothing is told what it may have missed: the variables, or those by
// which it was to find the guard at the real URLs.
func TestUnaskedSaysWhatWasMissed(t *testing.T) {
	t.Parallel()
	for seal, want := range map[string]string{"": "does it read HSHARNESS_API_URL?", "sealed": "neither by its real URL nor by HSHARNESS_API_URL", "intercept": "the command asked the API for nothing: its clients may ask no proxy (HTTPS_PROXY)"} {
		bill := report.Bill{Seal: seal}
		_, err := ending.Command{MustAsk: true}.Settle(&bill)
		assert.ErrorContains(t, err, want)
		assert.Equal(t, ending.Policy, bill.Exit)
	}
}
