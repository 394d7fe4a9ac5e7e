package catalogue_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
)

var update = flag.Bool("update", false, "write testdata/codes.sha256 once the codes are checked against HSHARNESS_HS_DATA")

const codesFile = "testdata/codes.sha256"

const howToCheck = "check the codes again:\n" +
	"HSHARNESS_HS_DATA=/path/to/harmonized-system.csv go test ./internal/mockapi/catalogue -run TestCodes -update"

// Every HS6 of the catalogue exists in HS 2022. The table itself is not part of
// the project, so the list that was checked is remembered by its hash.
func TestCodes(t *testing.T) {
	codes := catalogue.Default().Codes()
	if table := os.Getenv("HSHARNESS_HS_DATA"); table != "" {
		known := subheadings(t, table)
		for _, code := range codes {
			assert.True(t, known[code], "%s is no subheading in %s", code, table)
		}
		if *update && !t.Failed() {
			writeSum(t, codes)
		}
	} else {
		require.False(t, *update, "-update needs the table: %s", howToCheck)
	}
	raw, err := os.ReadFile(codesFile)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	assert.Equal(t, lines[len(lines)-1], sum(codes), howToCheck)
}

func sum(codes []string) string {
	s := sha256.Sum256([]byte(strings.Join(codes, "\n") + "\n"))
	return hex.EncodeToString(s[:])
}

func writeSum(t *testing.T, codes []string) {
	t.Helper()
	text := fmt.Sprintf("# SHA-256 of the sorted HS6 codes of goods.txt, one a line. These %d codes were\n"+
		"# checked against HS 2022 (datasets/harmonized-system, ODC-PDDL-1.0) on %s.\n%s\n",
		len(codes), time.Now().UTC().Format(time.DateOnly), sum(codes))
	require.NoError(t, os.WriteFile(codesFile, []byte(text), 0o644))
}

func subheadings(t *testing.T, table string) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile(table)
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	require.NoError(t, err)
	known := make(map[string]bool)
	for _, row := range rows {
		if row[4] == "6" && row[1] != "999999" {
			known[row[1]] = true
		}
	}
	require.Greater(t, len(known), 5000, "%s is not the whole table", table)
	return known
}

func TestBreadth(t *testing.T) {
	c := catalogue.Default()
	chapters := make(map[string]bool)
	for _, code := range c.Codes() {
		chapters[code[:2]] = true
	}
	assert.GreaterOrEqual(t, c.Len(), 350)
	assert.GreaterOrEqual(t, len(chapters), 70)
}
