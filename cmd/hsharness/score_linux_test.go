package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goodsTable is a table of goods and a scenario that scores them: half of a share is enough.
const goodsTable = `title,code,origin
"cotton t-shirt, knitted",6109100012,PT
wool scarf,6214200000,IN
laptop computer,8471300100,CN
porcelain plate,6911101000,CN
`

const scoring = `version: 1
name: a catalogue
matrix: { from: titles.csv }
steps:
  - id: classify
    request: POST /hscode/classify
    body: { description: "{{ row.title }}", countryOfDestination: US }
    score: { want: "{{ row.code }}", at: /hsCode, heading: ">= 90%", by: origin }
`

// What a run leaves out, by a plan or because it does not fit, is named in a score and is
// neither right nor wrong; a run of which nothing was bought judges none.
func TestScoreOfWhatWasBought(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/titles.csv", goodsTable)
	s.write("scenarios/a.yaml", scoring)
	out, err := s.output(nil, "run", "--mode", "record", "--max-spend", "2", "--partial", "--json", "part.json", "--score", "short.csv", "--html", "part.html", "--summary")
	require.NoError(t, err, out)
	assert.EqualValues(t, 2, s.served())
	assert.Contains(t, out, "heading, all: 2 of 2 (100.0 %, with 95 % certainty 34.2 % to 100.0 %); 2 left out  >= 90%: met")
	assert.Contains(t, out, "| heading, all | 2 | 2 (2 left out) |")
	html, err := os.ReadFile(filepath.Join(s.dir, "part.html"))
	require.NoError(t, err)
	assert.Contains(t, string(html), `<td data-of="right">2</td><td data-of="of">2 (2 left out)</td>`)
	short, err := os.ReadFile(filepath.Join(s.dir, "short.csv"))
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(short), "\n"), "what nobody asked did not fall short: %s", short)

	s.write("scenarios/titles.csv", "title,code,origin\nsteel spoon,8215991000,PT\n")
	s.write("scenarios/b.yaml", goods(1, "weight: 100\n"))
	out, err = s.output(nil, "plan", "--units", "1", "--out", "plan.json")
	require.NoError(t, err, out)
	out, err = s.output(nil, "run", "--plan", "plan.json", "--mode", "record", "--max-spend", "1")
	require.NoError(t, err, out)
	assert.Contains(t, out, "0 of 0 (none, with 95 % certainty 0.0 % to 100.0 %); 1 left out  >= 90%, not judged: none was bought")
	out, err = s.output(nil, "run", "--mode", "replay")
	assert.Equal(t, exitMissing, code(err), "without an answer it is wrong, where it was to be asked: %s", out)
	assert.Contains(t, out, "0 of 1 ")
}

// A baseline that compares nothing is refused before anything is sent: it would be a gate
// that no longer is one.
func TestBaselineThatComparesNothing(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/titles.csv", goodsTable)
	s.write("scenarios/a.yaml", scoring)
	out, err := s.output(nil, "run", "--json", "main.json")
	require.NoError(t, err, out)
	out, err = s.output(nil, "run", "--baseline", "main.json")
	require.NoError(t, err, out)
	assert.Contains(t, out, "against main.json: 0 codes changed")
	text, err := os.ReadFile(filepath.Join(s.dir, "main.json"))
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	s.write("cut.json", first+"\n")
	s.write("others.json", strings.ReplaceAll(string(text), `"step":"classify"`, `"step":"other"`))
	for name, want := range map[string]string{"cut.json": "cut.json:1:1: it ends without a bill", "others.json": "others.json has no score of what is run"} {
		out, err = s.output(nil, "run", "--mode", "live", "--max-spend", "9", "--baseline", name)
		assert.Equal(t, exitUsage, code(err), out)
		assert.Contains(t, out, want)
	}
	assert.Zero(t, s.served())
}

// The gate by day judges all that was bought, by whatever plan, and buys nothing. What is
// required has to be there.
func TestPartialReplay(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/titles.csv", goodsTable)
	s.write("scenarios/a.yaml", scoring)
	out, err := s.output(nil, "run", "--mode", "record", "--max-spend", "3", "--partial")
	require.NoError(t, err, out)
	out, err = s.output(nil, "run", "--mode", "replay", "--partial")
	require.NoError(t, err, out)
	assert.Contains(t, out, "3 of 3 (100.0 %, with 95 % certainty 43.8 % to 100.0 %); 1 left out  >= 90%: met")
	s.write("scenarios/titles.csv", strings.Replace(goodsTable, "6109100012", "9999999999", 1))
	out, err = s.output(nil, "run", "--mode", "replay", "--partial")
	assert.Equal(t, exitFailed, code(err), "a gate is one: %s", out)
	assert.Contains(t, out, "2 of 3 (")
	s.write("scenarios/a.yaml", "required: true\n"+scoring)
	out, err = s.output(nil, "run", "--mode", "replay", "--partial")
	assert.Equal(t, exitMissing, code(err), out)
	assert.EqualValues(t, 3, s.served())
}

// The example is a table with a score that the mock's answers meet.
func TestExampleOfAScore(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	for _, name := range []string{"titles.csv", "titles.yaml"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "examples", "titles", name))
		require.NoError(t, err)
		s.write("scenarios/"+name, string(text))
	}
	out, err := s.output(nil, "lint")
	require.NoError(t, err, out)
	out, err = s.output(nil, "run")
	require.NoError(t, err, out)
	assert.Regexp(t, `heading, all: 2\d of 24 `, out)
	assert.Regexp(t, `six, all: 1\d of 24 .* >= 40% \(lower end\): met`, out)
}

// A score is judged over the shards of a run together, as one run of all would judge it, and
// only over all of them.
func TestScoreOfShards(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, 50)
	s.write("scenarios/titles.csv", goodsTable+"wool sock,611594,PT\n")
	s.write("scenarios/a.yaml", scoring)
	s.write("scenarios/b.yaml", goods(2, ""))
	out, err := s.output(nil, "run", "--json", "main.json")
	require.NoError(t, err, out)
	var line string
	for text := range strings.Lines(out) {
		if strings.HasPrefix(text, "  heading, all: ") {
			line = text
		}
	}
	require.NotEmpty(t, line)
	shards := []string{"s1.json", "s2.json", "s3.json"}
	for i, name := range shards {
		out, err := s.output(nil, "run", "--shard", strconv.Itoa(i+1)+"/3", "--json", name)
		require.NoError(t, err, out)
		assert.Contains(t, out, "not judged: shard ")
	}
	judged := func(args ...string) (string, error) {
		return s.output(nil, append([]string{"score"}, args...)...)
	}
	out, err = judged(append(shards, "--baseline", "main.json", "--json", "all.json", "--junit", "all.xml")...)
	require.NoError(t, err, out)
	assert.Contains(t, out, line)
	assert.Contains(t, out, "against main.json: 0 codes changed")
	out, err = s.output(nil, "run", "--baseline", "all.json")
	require.NoError(t, err, "what it wrote is a baseline: %s", out)

	out, err = judged("s1.json", "s3.json")
	assert.Equal(t, exitUsage, code(err), out)
	assert.Contains(t, out, "cases are there (shard 1/3, shard 3/3): name the JSON of every shard, of the same files")
	out, err = judged("s1.json", "s2.json", "s3.json", "s2.json")
	assert.Equal(t, exitUsage, code(err), out)
	assert.Contains(t, out, "there twice")

	s.write("scenarios/titles.csv", strings.Replace(goodsTable+"wool sock,611594,PT\n", "611594", "999999", 1))
	for i, name := range shards {
		out, err := s.output(nil, "run", "--shard", strconv.Itoa(i+1)+"/3", "--json", name)
		require.NoError(t, err, out)
	}
	out, err = judged(append(shards, "--score", "short.csv")...)
	assert.Equal(t, exitFailed, code(err), out)
	assert.Contains(t, out, "the score heading is too low")
	assert.Contains(t, out, "the score heading of origin=PT is too low")
	assert.Zero(t, s.served())
}
