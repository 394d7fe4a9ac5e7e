package ledger

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// TestExportTellsAllThatIsWrong: each line that is wrong by itself, up to 20 of them.
func TestExportTellsAllThatIsWrong(t *testing.T) {
	const header = `{"format":1,"ledger_id":"L","account":"00000000000000000000000000000000000000000000000000000000000000aa","allowance":"sandbox","created":"2026-05-01T00:00:00Z","seq":60}` + "\n"
	const right = `{"seq":%d,"time":"2026-05-01T00:00:00Z","allowance":"sandbox","kind":"grant","units":%s,"id":"g%d"}` + "\n"
	for name, tt := range map[string]struct {
		bad  []int
		more string
	}{
		"three":       {[]int{3, 5, 9}, ""},
		"twenty":      {[]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22}, ""},
		"one further": {[]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 30}, "file: and more after line 29"},
	} {
		text := header
		for line := 2; line <= 61; line++ {
			units := "1"
			for _, bad := range tt.bad {
				if bad == line {
					units = "0.5"
				}
			}
			text += fmt.Sprintf(right, line-1, units, line)
		}
		_, entries, err := ReadExport("file", strings.NewReader(text))
		require.NoError(t, err)
		var told string
		for _, err := range entries {
			if err != nil {
				told = err.Error()
			}
		}
		assert.Equal(t, min(len(tt.bad), 20), strings.Count(told, "units is 0.5, want a whole number"), "%s: %s", name, told)
		for _, line := range tt.bad[:min(len(tt.bad), 20)] {
			assert.Contains(t, told, fmt.Sprintf("file:%d:8", line), name)
		}
		assert.Equal(t, tt.more != "", strings.Contains(told, "and more"), name)
		assert.Contains(t, told, tt.more, name)
	}
}

// What never ends a line is no empty file: it is said to be what it is, and is not read on.
func TestExportOfALineWithoutAnEnd(t *testing.T) {
	t.Parallel()
	endless := strings.NewReader(strings.Repeat("[", 100<<20))
	_, _, err := ReadExport("file", endless)
	require.EqualError(t, err, "file:1:1: the line has more than 4 MB, and no line of an export does")
	assert.Greater(t, endless.Len(), 90<<20, "most of it was not read")
	_, _, err = ReadExport("file", strings.NewReader(""))
	require.EqualError(t, err, "file: it is empty")
}
