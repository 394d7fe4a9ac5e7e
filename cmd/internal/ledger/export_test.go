package ledger

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/quota"
)

func FuzzReadExport(f *testing.F) {
	const header = `{"format":1,"ledger_id":"L","account":"00000000000000000000000000000000000000000000000000000000000000aa","allowance":"sandbox","created":"2026-05-01T00:00:00Z","seq":2}` + "\n"
	const first = `{"seq":1,"time":"2026-05-01T00:00:00Z","allowance":"sandbox","kind":"grant","units":1000,"id":"init"}` + "\n"
	f.Add(header + first + `{"seq":2,"time":"2026-05-01T00:00:00Z","allowance":"sandbox","kind":"reconcile","units":37,"id":"init"}` + "\n")
	f.Add(header + first)
	f.Add(header)
	f.Add(header + "{\n")
	f.Add(`{"format":2}`)
	f.Add("")
	f.Fuzz(func(t *testing.T, content string) {
		got, entries, err := ReadExport("file", strings.NewReader(content))
		if err != nil {
			assert.ErrorContains(t, err, "file")
			return
		}
		var last quota.Entry
		for e, err := range entries {
			if err != nil {
				assert.ErrorContains(t, err, "file")
				return
			}
			last = e
		}
		assert.Equal(t, got.Seq, last.Seq, "an export that is cut short must not pass")
	})
}
