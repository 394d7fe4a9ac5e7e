package dataset_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/dataset"
)

// table draws rows of two columns with awkward texts in them.
func table(t *rapid.T) [][2]string {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", " ", "a,b", "say \"x\"", "two\nlines", "\ttab", "é", "15\"", ";", "-1", "0901", "\ufeff", "{}", "'"}), rapid.StringMatching(`[a-zA-Z0-9 ,;"\t]{0,8}`))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]string { return [2]string{text.Draw(t, "a"), text.Draw(t, "b")} }), 1, 20).Draw(t, "rows")
}

// texts are the values of a set, row by row.
func texts(s *dataset.Set) [][2]string {
	var out [][2]string
	for _, r := range s.Rows {
		a, _ := r.Values["a"].(string)
		b, _ := r.Values["b"].(string)
		out = append(out, [2]string{a, b})
	}
	return out
}

// TestFormatsSayTheSame: what a writer that is not ours makes of rows is read as those
// rows, in each format, packed or not.
func TestFormatsSayTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := table(t)
		files := map[string]string{}
		for name, comma := range map[string]rune{"t.csv": ',', "t.tsv": '\t'} {
			var b bytes.Buffer
			w := csv.NewWriter(&b)
			w.Comma = comma
			w.UseCRLF = false
			require.NoError(t, w.Write([]string{"a", "b"}))
			for _, r := range rows {
				require.NoError(t, w.Write(r[:]))
			}
			w.Flush()
			files[name] = b.String()
		}
		var objects []any
		var lines strings.Builder
		for _, r := range rows {
			one := map[string]string{"a": r[0], "b": r[1]}
			objects = append(objects, one)
			require.NoError(t, json.NewEncoder(&lines).Encode(one))
		}
		array, err := json.Marshal(objects)
		require.NoError(t, err)
		files["t.json"], files["t.jsonl"] = string(array), lines.String()
		for name, text := range files {
			for _, more := range []string{"", ".gz"} {
				if more != "" {
					text = gzipped(text)
				}
				s, err := dataset.Read(name+more, strings.NewReader(text))
				require.NoError(t, err, "%s\n%s", name+more, files[name])
				assert.Equal(t, rows, texts(s), name+more)
			}
		}
	})
}

// TestSample: as many as are wanted, each once and in the order of the file; the same
// ones for the same seed, whatever the order; and one more row takes the place of one.
func TestSample(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var rows []dataset.Row
		for i, r := range table(t) {
			rows = append(rows, dataset.Row{Line: i + 2, Column: 1, Values: map[string]any{"a": r[0], "b": r[1]}})
		}
		n, seed := rapid.IntRange(1, 25).Draw(t, "n"), rapid.Uint64().Draw(t, "seed")
		drawn := dataset.Sample(rows, n, seed)
		require.Len(t, drawn, min(n, len(rows)))
		last := 0
		for _, r := range drawn {
			assert.Greater(t, r.Line, last)
			last = r.Line
		}
		assert.Equal(t, drawn, dataset.Sample(rows, n, seed))

		mixed := append([]dataset.Row(nil), rows...)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		assert.ElementsMatch(t, values(drawn), values(dataset.Sample(mixed, n, seed)))

		more := append([]dataset.Row{{Line: 1, Values: map[string]any{"a": "one more", "b": "new"}}}, rows...)
		kept := 0
		for _, r := range dataset.Sample(more, n, seed) {
			if r.Line > 1 {
				kept++
			}
		}
		assert.GreaterOrEqual(t, kept, len(drawn)-1)
	})
}

// TestSampleIsFair: over many seeds each row is drawn as often as another, alike or not.
func TestSampleIsFair(t *testing.T) {
	t.Parallel()
	var rows []dataset.Row
	for i := range 20 {
		rows = append(rows, dataset.Row{Line: i, Values: map[string]any{"a": string(rune('a' + min(i, 14)))}}) // the last six are alike
	}
	const seeds, n = 4000, 5
	drawn := make([]int, len(rows))
	for seed := range uint64(seeds) {
		for _, r := range dataset.Sample(rows, n, seed) {
			drawn[r.Line]++
		}
	}
	for i, times := range drawn {
		assert.InDelta(t, seeds*n/len(rows), times, 150, "row %d", i) // more than five standard deviations
	}
}

func values(rows []dataset.Row) []any {
	var out []any
	for _, r := range rows {
		out = append(out, r.Values)
	}
	return out
}

// FuzzRead: no file panics; an error is of our type, in the order of the file, and
// points at a line of it; and what is read can be written and read again.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"a,b\n1,2\n", "\"", "a\n\"x\n", "a;b\n1;2", "[{\"a\":1}]", "[{\"a\":{\"b\":[]}}, 1]", "{\"a\":1}\n{\"a\":2}", "[", "a\r1", "\ufeffa\n1", "\xff", "[{\"\":1}]", "[{\"a\":-0.5e+3,\"b\":\"\\ud83d\\ude00\\u0000\\\"\"}]", "[{\"a\":01}]", "[{\"a\":1,}]", "[{\"a\":\"\\x\"}]", "[{\"a\"\n:\ntrue},\n{\"a\":nul}]", "{\"a\":1}}", "a,\"b\"\"\"\n\"\",\n", gzipped("a\n1\n"),
		// what took minutes, lost a 0, added up in depth, or stood in the wrong place
		"[" + strings.Repeat("{\"a\":1},", 200) + "{\"a\":1}]", "[{\"hsCode\":902100000}]", "hsCode\n902100000\n", strings.Repeat("{\"a\":[[[1]]]}\n", 50), "[{\"a\":\"\t\"}]", "[{\"b\":tru, \"a\":01}]", gzipped(strings.Repeat("a", 100_000))} {
		for i := range 4 {
			f.Add(text, i)
		}
	}
	names := []string{"t.csv", "t.tsv", "t.json", "t.jsonl", "t.csv.gz"}
	f.Fuzz(func(t *testing.T, text string, format int) {
		name := names[uint(format)%uint(len(names))]
		s, err := dataset.Limits{Rows: 50, Bytes: 1 << 20}.Read(name, strings.NewReader(text))
		if err != nil {
			var errs dataset.Errors
			require.ErrorAs(t, err, &errs)
			last := 0
			for _, e := range errs {
				if name != "t.csv.gz" {
					assert.LessOrEqual(t, e.Line, strings.Count(text, "\n")+1)
				}
				assert.GreaterOrEqual(t, e.Line, max(1, last))
				assert.GreaterOrEqual(t, e.Column, 1)
				assert.True(t, utf8.ValidString(e.Source))
				if strings.HasPrefix(e.Msg, "no JSON") && name == "t.json" {
					assert.False(t, json.Valid([]byte(strings.TrimPrefix(text, "\ufeff"))), e.Msg)
				}
				last = e.Line
			}
			return
		}
		require.NotEmpty(t, s.Rows)
		if name == "t.json" { // as another reader reads it
			other := json.NewDecoder(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
			other.UseNumber()
			var rows []any
			require.NoError(t, other.Decode(&rows))
			require.False(t, other.More())
			assert.Equal(t, rows, values(s.Rows))
		}
		var again strings.Builder
		for _, r := range s.Rows {
			require.Len(t, r.Values, len(s.Columns))
			require.NoError(t, json.NewEncoder(&again).Encode(r.Values))
		}
		back, err := dataset.Read("t.jsonl", strings.NewReader(again.String()))
		require.NoError(t, err, again.String())
		assert.Equal(t, values(s.Rows), values(back.Rows))
	})
}

// TestSampleIsTheSameEverywhere: which rows a seed draws is part of the format, whatever
// machine and version of Go: these are the rows.
func TestSampleIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	var rows []dataset.Row
	for i := range 1000 {
		rows = append(rows, dataset.Row{Line: i, Values: map[string]any{
			"title": "a & <b> é\u2028\U0001f600 \"" + strconv.Itoa(i), "code": "0" + strconv.Itoa(901+i%7),
			"n": []any{nil, true, json.Number("6109.10"), int64(1) << 53, 0.1, map[string]any{"z": "", "a": "1"}},
		}})
	}
	drawn := func(n int, seed uint64) (lines []int) {
		for _, r := range dataset.Sample(rows, n, seed) {
			lines = append(lines, r.Line)
		}
		return lines
	}
	assert.Equal(t, []int{28, 53, 557, 597, 667, 812, 892, 942}, drawn(8, 0))
	assert.Equal(t, []int{60, 79, 91, 255, 274, 980, 982, 988}, drawn(8, 7))
	assert.Equal(t, []int{22, 545, 629, 948}, drawn(4, 1<<64-1))
}
