package scenario_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
)

// answers is a folder of recordings: what came for each text, as JSON.
func answers(t testing.TB, by map[string]string) *recording.Store {
	t.Helper()
	store, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
	require.NoError(t, err)
	for title, answer := range by {
		body, err := json.Marshal(map[string]string{"description": title, "countryOfDestination": "US"})
		require.NoError(t, err)
		key := store.Key(recording.Request{Environment: "sandbox", API: "current", Operation: "POST /hscode/classify", Method: "POST", Path: "/hscode/classify", Body: body})
		require.NoError(t, store.Put(t.Context(), key, recording.Take{RecordedAt: time.Now(), Cost: 1, Entry: "e",
			Response: recording.Message{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(answer)}}))
	}
	return store
}

// scored runs a table against recordings, with a score.
func scored(t testing.TB, store *recording.Store, table, score string, part ...func(scenario.Case) bool) report.Scenario {
	t.Helper()
	src := "version: 1\nname: x\nmatrix: { from: t.csv }\nsteps:\n  - id: c\n    request: POST /hscode/classify\n    body: { description: \"{{ row.title }}\", countryOfDestination: US }\n    score: " + score + "\n"
	s, err := scenario.ParseWith("x.yaml", []byte(src), func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(table)), nil })
	require.NoError(t, err)
	for _, keep := range part {
		s = s.Part("shard 1/4", keep)
	}
	runner := scenario.Runner{Seed: 3, NewServices: func(needs scenario.Needs) (services.Service, error) {
		return services.New(services.Config{Keys: keys(), Cap: needs.Cap, Mode: guard.Replay, Cassette: guard.NewCassette(store, 0)})
	}}
	return runner.Run(t.Context(), []*scenario.Scenario{s}).Scenarios[0]
}

// figures are the metrics of a score: group metric right/of(missing) and whether it is met.
func figures(s report.Scenario) []string {
	var out []string
	for _, score := range s.Scores {
		for _, g := range score.Groups {
			for _, m := range g.Metrics {
				out = append(out, fmt.Sprintf("%s %s %d/%d(%d) %t", g.Name, m.Name, m.Right, m.Of, m.Missing, m.Met))
			}
		}
	}
	return out
}

const scoreTable = "title,code,kind\nshirt,6109.10.00.12,knit\nscarf,6214200000,woven\nlaptop,8471300100,other\ntea,0902100000,other\n"

func scoreStore(t testing.TB) *recording.Store {
	return answers(t, map[string]string{
		"shirt":  `{"hsCode":"6109100012","others":["6109900012"],"confidence":0.9}`,              // right
		"scarf":  `{"hsCode":"6214990000","others":[6117100000,"6214.20.0000"],"confidence":0.7}`, // the heading, and among three
		"laptop": `{"hsCode":"9999990000","others":["1","2","8471300100"],"confidence":null}`,     // the fourth is none of three
	}) // there is no tea
}

func TestScoreMetrics(t *testing.T) {
	t.Parallel()
	got := scored(t, scoreStore(t), scoreTable, `{ want: "{{ row.code }}", at: [/hsCode, /others], heading: ">= 50%", six: ">= 50%", among3: ">= 50%", legal: ">= 50%", confidence: { over: 0.7, min: 25% } }`)
	assert.Equal(t, []string{" heading 2/4(1) true", " six 1/4(1) false", " among3 2/4(1) true", " legal 1/4(1) false", " confidence 1/4(1) true"}, figures(got))
	assert.Equal(t, report.Failed, got.Verdict)
	require.Len(t, got.Unmet, 2)
	assert.Equal(t, "x.yaml:8:81 (step c)", got.Unmet[0].Place())
	assert.Equal(t, "the score six is too low", got.Unmet[0].Message)
	assert.Equal(t, ">= 50%", got.Unmet[0].Want)
	assert.Equal(t, "1 of 4 (25.0 %, with 95 % certainty 4.5 % to 69.9 %); 1 without an answer count as wrong", got.Unmet[0].Got)
	rows := map[string]report.ScoreRow{}
	for _, c := range got.Cases {
		require.Len(t, c.Scores, 1)
		rows[c.Name] = c.Scores[0]
	}
	assert.Equal(t, []string{"6214990000", "6117100000", "6214.20.0000"}, rows["t.csv:3"].Got)
	assert.Equal(t, "0.7", rows["t.csv:3"].Confidence)
	assert.False(t, rows["t.csv:3"].Right["confidence"], "0.7 is not over 0.7")
	assert.Contains(t, rows["t.csv:4"].Why, "9999990000 is no")
	assert.Contains(t, rows["t.csv:4"].Why, "the answer has no number at /confidence")
	assert.Equal(t, "0902100000", rows["t.csv:5"].Want)
	assert.Equal(t, "no answer: the case is missed", rows["t.csv:5"].Why)
	assert.NotEqual(t, rows["t.csv:2"].Request, rows["t.csv:3"].Request)
}

// TestScoreGroups: each group has to pass, and the failure names it.
func TestScoreGroups(t *testing.T) {
	t.Parallel()
	got := scored(t, scoreStore(t), scoreTable, `{ want: "{{ row.code }}", at: /hsCode, heading: ">= 50%", by: kind }`)
	assert.Equal(t, []string{" heading 2/4(1) true", "knit heading 1/1(0) true", "other heading 0/2(1) false", "woven heading 1/1(0) true"}, figures(got))
	require.Len(t, got.Unmet, 1)
	assert.Equal(t, "the score heading of kind=other is too low", got.Unmet[0].Message)
	assert.Equal(t, report.Failed, got.Verdict)
}

// TestScoreOfLowerEnd: eight of eight are all, and no proof of 90 %.
func TestScoreOfLowerEnd(t *testing.T) {
	t.Parallel()
	for gate, met := range map[string]bool{`">= 100%"`: true, "{ min: 90%, lower: true }": false, "{ min: 20.6%, lower: true }": true, "{ min: 20.7%, lower: true }": false, "{ min: 99.999% }": true} {
		got := scored(t, scoreStore(t), "title,code\nshirt,6109\n", `{ want: "{{ row.code }}", at: /hsCode, heading: `+gate+` }`)
		assert.Equal(t, met, got.Scores[0].Groups[0].Metrics[0].Met, gate)
		assert.Equal(t, !met, got.Verdict.Failed(), gate)
	}
}

// TestScoreOfAPart: a part of the cases says its figures and is not judged.
func TestScoreOfAPart(t *testing.T) {
	t.Parallel()
	got := scored(t, scoreStore(t), scoreTable, `{ want: "{{ row.code }}", at: /hsCode, six: ">= 100%" }`, func(c scenario.Case) bool { return c.Name == "t.csv:3" })
	assert.Equal(t, []string{" six 0/1(0) false"}, figures(got))
	assert.Equal(t, "shard 1/4", got.Scores[0].NotJudged)
	assert.Empty(t, got.Unmet)
	assert.Equal(t, report.Replayed, got.Verdict)
}

// TestScoreOfWhatFailed: an answer that the step does not expect counts as wrong.
func TestScoreOfWhatFailed(t *testing.T) {
	t.Parallel()
	got := scored(t, scoreStore(t), "title,code\nshirt,6109\nscarf,6214\n", "{ want: \"{{ row.code }}\", at: /hsCode, heading: \">= 60%\" }\n    expect: { json: { confidence: 0.9 } }")
	assert.Equal(t, []string{" heading 1/2(1) false"}, figures(got))
	assert.Equal(t, "no answer: the case is failed", got.Cases[1].Scores[0].Why)
}

// TestScoreHidesSecrets: a value of the environment, or a token, that stands in the table is
// in no row of a score, of a case that was answered or not.
func TestScoreHidesSecrets(t *testing.T) {
	t.Parallel()
	const key, token = "q7Zp-key-of-the-company", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"
	table := "title,code,kind\nshirt,6109 " + key + "," + key + "\ntea,0902 " + token + "," + token + "\nmilk,0401 " + key + "," + key + "\n"
	src := "version: 1\nname: x\nmatrix: { from: t.csv }\nvars: { key: \"${KEY}\" }\nsteps:\n  - request: POST /hscode/classify\n    body: { description: \"{{ row.title }}\", countryOfDestination: US }\n" +
		"    score: { want: \"{{ row.code }}\", at: /hsCode, confidence: { over: 0, min: 1% }, by: kind }\n"
	s, err := scenario.ParseWith("x.yaml", []byte(src), func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(table)), nil })
	require.NoError(t, err)
	store := scoreStore(t)
	runner := scenario.Runner{
		LookupEnv: func(string) (string, bool) { return key, true },
		Skip:      func(_ int, c scenario.Case) string { return map[string]string{"t.csv:4": "not bought"}[c.Name] },
		NewServices: func(needs scenario.Needs) (services.Service, error) {
			return services.New(services.Config{Keys: keys(), Cap: needs.Cap, Mode: guard.Replay, Cassette: guard.NewCassette(store, 0)})
		},
	}
	run := runner.Run(t.Context(), []*scenario.Scenario{s})
	require.Equal(t, []report.Verdict{report.Replayed, report.Missed, report.Skipped}, []report.Verdict{run.Scenarios[0].Cases[0].Verdict, run.Scenarios[0].Cases[1].Verdict, run.Scenarios[0].Cases[2].Verdict})
	for _, write := range []func(io.Writer, report.Run) error{report.JSON, report.JUnit, report.Markdown, report.ScoreCSV} {
		var out strings.Builder
		require.NoError(t, write(&out, run))
		assert.NotContains(t, out.String(), key)
		assert.NotContains(t, out.String(), token)
	}
	assert.Equal(t, []string{"0902 ***", "***"}, []string{run.Scenarios[0].Cases[1].Scores[0].Want, run.Scenarios[0].Cases[2].Scores[0].Group})
}

// TestScoreInAnyOrder: the order of the rows makes no difference to any figure.
func TestScoreInAnyOrder(t *testing.T) {
	t.Parallel()
	store := scoreStore(t)
	lines := strings.Split(strings.TrimSpace(scoreTable), "\n")
	want := ""
	for i := range 4 {
		rows := append([]string(nil), lines[1:]...)
		rand.New(rand.NewPCG(uint64(i), 1)).Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
		got := fmt.Sprint(figures(scored(t, store, lines[0]+"\n"+strings.Join(rows, "\n")+"\n", `{ want: "{{ row.code }}", at: [/hsCode], heading: ">= 50%", among3: ">= 1%", by: kind }`)))
		if want == "" {
			want = got
		}
		assert.Equal(t, want, got)
	}
}

func TestWrongScores(t *testing.T) {
	t.Parallel()
	body := "    body: { countryOfDestination: US }\n    score: "
	for score, want := range map[string]string{
		`{ at: /c, want: "{{ row.code }}" }`:                       "dir/x.yaml:6:5: a score needs a gate: one of heading, six, among3, legal, confidence",
		`{ at: /c, six: ">= 5%" }`:                                 "dir/x.yaml:6:22: six needs want",
		`{ want: "610910", six: ">= 5%" }`:                         "dir/x.yaml:6:30: six needs at",
		`{ at: c, legal: ">= 5%" }`:                                `dir/x.yaml:6:18: at "c" is no JSON pointer: write it as /hsCode, or /codes/0`,
		`{ at: /c, legal: 90 }`:                                    "dir/x.yaml:6:29: legal must be a text, not 90: quote it",
		`{ at: /c, legal: ">= 101%" }`:                             `dir/x.yaml:6:29: legal: ">= 101%" is no gate: write it as ">= 90%", or { min: 90%, lower: true } for the lower end of its interval`,
		`{ at: /c, legal: "> 90%" }`:                               `dir/x.yaml:6:29: legal: "> 90%" is no gate: write it as ">= 90%", or { min: 90%, lower: true } for the lower end of its interval`,
		`{ at: /c, legal: { lower: true } }`:                       `dir/x.yaml:6:22: legal: missing key "min"`,
		`{ at: /c, legal: { min: "0.9" } }`:                        `dir/x.yaml:6:36: min: "0.9" is no share: write it as 90%`,
		`{ confidence: ">= 90%" }`:                                 "dir/x.yaml:6:26: confidence must be a map, not the text \">= 90%\"",
		`{ confidence: { min: 90% } }`:                             `dir/x.yaml:6:14: confidence: missing key "over"`,
		`{ at: /c, want: "{{ row.code }}", among3: ">= 5%" }`:      "dir/x.yaml:6:18: among3 looks at several codes: at must be a list, the likeliest first",
		`{ at: /c, legal: ">= 5%", by: contry }`:                   `dir/x.yaml:6:42: undefined by "contry": it is a column of the data or an axis of the matrix (did you mean "country"?)`,
		`{ at: /c, want: "{{ row.cod }}", six: ">= 5%" }`:          `dir/x.yaml:6:36: undefined column "cod" (did you mean "code"?)`,
		`{ at: /c, want: "{{ row.title }}", six: ">= 5%" }`:        `dir/goods.csv:2:1: the wanted code "wool scarf" does not have 6 digits`,
		`{ at: /c, want: "6109", heading: ">= 5%", six: ">= 5%" }`: `dir/x.yaml:6:28: the wanted code "6109" does not have 6 digits`,
		`{ at: /c, legal: ">= 5%", unit: 5 }`:                      `dir/x.yaml:6:38: unknown key "unit" in score, which has want, at, country, by, heading, six, among3, legal, confidence`,
	} {
		_, err := with("{ from: goods.csv }", body+score+"\n", map[string]string{"dir/goods.csv": goods})
		require.Error(t, err, score)
		first, _, _ := strings.Cut(err.Error(), "\n")
		assert.Equal(t, want, strings.ReplaceAll(first, "dir/x.yaml:7:", "dir/x.yaml:6:"), score)
	}
	_, err := with("{ from: goods.csv }", "    score: { at: /c, legal: \">= 5%\" }\n", map[string]string{"dir/goods.csv": goods})
	require.ErrorContains(t, err, "legal needs a country: the request has no countryOfDestination, and the score no country")
	_, err = with("{ from: goods.csv }", "    score: { at: /c, legal: \">= 5%\", country: \"{{ row.country }}\" }\n", map[string]string{"dir/goods.csv": goods})
	require.NoError(t, err)
	_, err = scenario.Parse("x.yaml", []byte("version: 1\nname: x\nsteps:\n  - token: {}\n    score: { at: /c, legal: \">= 5%\" }\n"))
	assert.ErrorContains(t, err, "x.yaml:5:5: score does not go with token")
}
