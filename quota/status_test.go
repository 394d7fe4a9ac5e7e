package quota_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// The JSON of quota status is a contract with scripts, field for field.
func TestStatusJSON(t *testing.T) {
	created := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	now := created.AddDate(0, 0, 22)
	info := quota.Info{LedgerID: "L", Allowance: "sandbox", Created: created, Head: quota.Entry{Seq: 41}}
	s := quota.NewStatus(info, now, quota.Balances{Granted: 1000, Spent: 37, Held: 5, Floor: 100, Unknown: 1},
		[]quota.Holder{{ID: "a", Suite: "unit", Max: 5, Alive: true, LeaseUntil: now}}, 28)
	got, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Equal(t, `{"ledger_id":"L","seq":41,"allowance":"sandbox","granted":1000,"spent":37,"unknown":1,"held":5,"available":958,`+
		`"floor":100,"usable":858,"exhausted":false,`+
		`"active_runs":[{"id":"a","suite":"unit","max":5,"spent":0,"alive":true,"lease_until":"2026-11-23T00:00:00Z"}],`+
		`"burn_per_day":4,"runs_out":"2027-06-25","warnings":[]}`, string(got))
}

func TestStatusOfEmptyLedger(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	s := quota.NewStatus(quota.Info{Created: now}, now, quota.Balances{}, nil, 0)
	got, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Contains(t, string(got), `"active_runs":[],"burn_per_day":0,"runs_out":"","warnings":[]`)
}
