package scenario_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// A wanted code whose first 0 is gone is pointed at before anything is sent, whatever format
// lost it; one of a country whose codes have an odd number of digits is not.
func TestLostZero(t *testing.T) {
	t.Parallel()
	const lost = " has lost its first 0, as in a spreadsheet or a number of JSON: write the text "
	for what, tt := range map[string]struct{ name, table, want string }{
		"tea":                      {"t.csv", "code\n6109100012\n902100000\n", `dir/t.csv:3:1: the wanted code "902100000"` + lost + `"0902100000"`},
		"tea, parted":              {"t.csv", "code\n902.10.00.00\n", `dir/t.csv:2:1: the wanted code "902.10.00.00"` + lost + `"0902100000"`},
		"coffee could be a lens":   {"t.csv", "code\n6109100012\n901110000\n", `dir/t.csv:3:1: the wanted code "901110000"` + lost + `"0901110000", or if it has lost none "9011.10000"`},
		"six digits":               {"t.tsv", "code\n90210\n", `dir/t.tsv:2:1: the wanted code "90210"` + lost + `"090210"`},
		"a number":                 {"t.jsonl", "{\"code\":6109100012}\n{\"code\":902100000}\n", `dir/t.jsonl:2:1: the wanted code "902100000"` + lost + `"0902100000"`},
		"a number, in one line":    {"t.json", `[{"code":6109100012}, {"code":902100000}]`, `dir/t.json:1:23: the wanted code "902100000"` + lost + `"0902100000"`},
		"each of them":             {"t.csv", "code\n902100000\n0902100000\n902200000\n", "dir/t.csv:2:1: the wanted code \"902100000\"" + lost + "\"0902100000\"\ndir/t.csv:4:1: the wanted code \"902200000\"" + lost + `"0902200000"`},
		"whole":                    {"t.csv", "code\n0902100000\n0902.10\n610910\n", ""},
		"a text of JSON":           {"t.jsonl", "{\"code\":\"0902100000\"}\n", ""},
		"a number that needs none": {"t.jsonl", "{\"code\":6109100012}\n", ""},
		"a lens of Japan alone":    {"t.csv", "code\n9011.10000\n", ""},
		"a lens in three parts":    {"t.csv", "code\n9011.10.000\n9011.10.000\n", ""},
		"nine digits, as in Japan": {"t.csv", "code\n610910010\n901110000\n", ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			src := "version: 1\nname: x\nmatrix: { from: " + tt.name + " }\nsteps:\n  - request: GET /x\n    score: { want: \"{{ row.code }}\", at: /hsCode, heading: \">= 90%\" }\n"
			_, err := scenario.ParseWith("dir/x.yaml", []byte(src), func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(tt.table)), nil })
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			assert.EqualError(t, err, tt.want)
		})
	}
}
