package report_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

// TestTheDocsSayWhatThePageSays: one meaning a word.
func TestTheDocsSayWhatThePageSays(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/report.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(text), "| word | meaning |\n|---|---|\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	var said []report.Meaning
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \| (.*) \|$`).FindAllStringSubmatch(table, -1) {
		said = append(said, report.Meaning{Word: row[1], Text: strings.ReplaceAll(row[2], "`", "")})
	}
	assert.Equal(t, report.Meanings(), said)
	for _, word := range []string{"left", "floor", "held", "unknown", "bought again on purpose", "wasted", "saved"} {
		assert.Contains(t, table, "| "+word+" | ")
	}
}
