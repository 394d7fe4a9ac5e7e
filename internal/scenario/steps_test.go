package scenario_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/scenario"
)

// heavy is an expression of some million steps, which are soon taken.
const heavy = `let a = repeat("a", 190000); let b = a + a; let c = b + b; let d = c + c; let e = d + d; let f = e + e; let g = f + f; ` +
	`not (g contains "b" or g contains "b" or g contains "b" or g contains "b" or g contains "b" or g contains "b" or g contains "b" or g contains "b")`

// rows is a scenario of so many rows, which go on in the same file.
func rows(n int, matrix, step string) (*scenario.Scenario, error) {
	return scenario.ParseWith("x.yaml", []byte("version: 1\nname: x\nmatrix:\n  from: t.csv\n"+matrix+"steps:\n  - id: a\n    request: POST /hscode/classify\n"+step),
		func(string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("a\n" + strings.Repeat("610910\n", n))), nil
		})
}

// A small file can have many rows, in each of which an expression could take the most.
func TestStepsOfAllRows(t *testing.T) {
	t.Parallel()
	_, err := rows(100, "  where: '"+heavy+"'\n", "")
	require.Error(t, err)
	assert.Regexp(t, `^x\.yaml:5:11: where takes more than 500000000 steps for \d\d of 100 rows, the most that it may take for all: ask for less of each\n  5 \| `, err.Error())
	_, err = rows(100, "  where: 'row.a != \"\"'\n", "    score: { want: '{{ ("+heavy+") ? row.a : 1 }}', at: /hsCode, six: '>= 1%' }\n")
	require.Error(t, err)
	assert.Regexp(t, `^x\.yaml:9:\d+: want takes more than 500000000 steps for \d\d of 100 cases, the most that it may take for all: let the table have the codes\n  9 \| `, err.Error())

	// Each score counts, a code that is written into the file too: it stands in each row.
	long := strings.Repeat("61", 4000)
	score := "    score: { want: '" + long + "', at: /hsCode, six: '>= 1%' }\n"
	_, err = rows(10_000, "", score)
	assert.ErrorContains(t, err, "x.yaml:8:20: want takes more than 500000000 steps for 10000 of 10000 cases, the most that it may take for all")
	_, err = rows(5000, "", score)
	require.NoError(t, err)
	_, err = rows(5000, "", score+"  - request: GET /x\n"+score)
	assert.ErrorContains(t, err, "x.yaml:10:20: want takes more than")
	_, err = rows(5000, "", "    score: { want: '6', at: /hsCode, six: '>= 1%' }\n")
	var errs scenario.Errors
	require.ErrorAs(t, err, &errs)
	require.Len(t, errs, 1, "what is wrong for all rows is told once")
	assert.Equal(t, "x.yaml", errs[0].File)

	s, err := rows(20, "  where: '"+heavy+"'\n", "    score: { want: '{{ ("+heavy+") ? row.a : 1 }}', at: /hsCode, six: '>= 1%' }\n")
	require.NoError(t, err, "a few may take much")
	assert.Len(t, s.Cases(), 20)
}

// What a case costs to price adds up: what its templates make, what it sends, and its steps.
func TestStepsOfAllCases(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		cases, limit, priced int // priced is how many requests are at most, until it is too much
		step                 string
	}{
		"templates": {100, 0, 100, "    body: { a: '{{ " + heavy + " }}' }\n"},
		"bodies":    {10_000, 500_000, 10, "    body: [ " + strings.Repeat("1, ", 10_000) + " ]\n"},
		"steps":     {10_000, 500_000, 2500, strings.Repeat("  - request: GET /x\n", 200)},
	} {
		s, err := rows(one.cases, "", one.step)
		require.NoError(t, err, name)
		priced := 0
		p := scenario.Pricer{Mode: guard.Record, Cost: func(avalara.Environment, avalara.API, string, string, any) (int, bool) { priced++; return 1, true }}
		p.Limit(one.limit)
		_, err = p.Price(s, nil)
		require.Error(t, err, name)
		assert.Regexp(t, `^x\.yaml:\d+:5: to price all cases takes more than \d+ steps, the most that it may take: \d+ of \d+ cases were priced\. Let templates do less, bodies be smaller, or choose fewer cases\n`, err.Error(), name)
		assert.LessOrEqual(t, priced, one.priced, name)
	}

	s, err := rows(100, "", "    body: { a: '{{ "+heavy+" }}' }\n")
	require.NoError(t, err)
	found := scenario.Lint(s, cost)
	require.NotEmpty(t, found)
	assert.Contains(t, found[len(found)-1].Msg, "to price all cases takes more than 500000000 steps")
	assert.Equal(t, scenario.LevelError, found[len(found)-1].Level)
}

// The largest suite that is taken, of rows as goods have them, is far from that.
func TestStepsOfALargeSuite(t *testing.T) {
	t.Parallel()
	const n = 100_000 / detectorsPace
	s, err := rows(n, "  where: 'row.a matches \"^6\" and len(row.a) > 4'\n",
		"    body: { description: 'a good called {{ upper(row.a) }}, "+strings.Repeat("of cotton ", 50)+"', countryOfDestination: US, quantity: '{{ int(row.a) }}' }\n    retry: { max: 100, on: 429 }\n")
	require.NoError(t, err)
	p := scenario.Pricer{Cost: cost, Mode: guard.Record}
	p.Limit(500_000_000 / detectorsPace)
	price, err := p.Price(s, nil)
	require.NoError(t, err)
	assert.Equal(t, n, price.Sure)
}

// As many entries of exclude as there may be leave rows out of as many as there may be.
func TestExcludesOfAllRows(t *testing.T) {
	t.Parallel()
	entries := "  exclude:\n" + strings.Repeat("    - { row: { a: b } }\n", 999)
	s, err := rows(100_000/detectorsPace, entries, "")
	require.NoError(t, err)
	assert.Len(t, s.Cases(), 100_000/detectorsPace)
	_, err = rows(100_000/detectorsPace, entries+"    - { row: { a: '610910' } }\n", "")
	assert.ErrorContains(t, err, "matrix.exclude leaves no case")
	s, err = rows(5000, "  exclude: [ { row: { a: ["+strings.Repeat("1, ", 50_000)+"] } } ]\n", "")
	require.NoError(t, err)
	assert.Len(t, s.Cases(), 5000)
}
