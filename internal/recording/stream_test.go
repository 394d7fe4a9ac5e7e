package recording_test

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// bombs are bodies whose trees, or whose indentation, are far longer than they are.
var bombs = map[string]string{
	"numbers":   "[" + strings.Repeat("0,", 1<<17) + "0]",
	"objects":   "[" + strings.Repeat("{},", 1<<17) + "{}]",
	"a member":  "{" + strings.Repeat(`"a":1,`, 1<<16) + `"a":1}`,
	"texts":     `{"b":["` + strings.Repeat(`x","`, 1<<16) + `"],"a":1}`,
	"in levels": strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
	"below":     strings.Repeat("[", 900) + strings.Repeat("0,", 1<<14) + "0" + strings.Repeat("]", 900),
}

// TestWholeBodiesTakeAFewTimesTheirLength: what callers send, and what the service answers,
// is never made a tree of, and its file is not nearly all white space.
func TestWholeBodiesTakeAFewTimesTheirLength(t *testing.T) {
	// No other test allocates meanwhile.
	allocated := func(what func()) int {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		what()
		runtime.ReadMemStats(&after)
		return int(after.TotalAlloc - before.TotalAlloc)
	}
	for name, body := range bombs {
		s, _ := open(t, recording.Config{Ignore: []string{"/ignored"}})
		var k recording.Key
		assert.Less(t, allocated(func() { k = s.Key(classify(body)) }), 40*len(body)+4<<20, name)
		require.NoError(t, s.Put(t.Context(), k, answer(body)), name)
		var rec *recording.Recording
		assert.Less(t, allocated(func() { rec, _ = s.Get(k) }), 200*len(body)+1<<20, name)
		require.NotNil(t, rec, name)
		assert.Equal(t, body, string(rec.Answer().Response.Body), name)
		info, err := os.Stat(rec.File)
		require.NoError(t, err, name)
		assert.Less(t, int(info.Size()), 20*2*len(body)+1<<14, name)
	}
}

// TestLongListsAreNotIndented: of 1 MiB of numbers the white space would be seven.
func TestLongListsAreNotIndented(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	length := func(body string) int {
		rec, err := s.Get(put(t, s, classify(body), answer(`1`)))
		require.NoError(t, err)
		info, err := os.Stat(rec.File)
		require.NoError(t, err)
		return int(info.Size())
	}
	long := "[" + strings.Repeat("1,", 1<<19) + "1]"
	assert.Less(t, length(long), len(long)+1<<12)
	short := "[" + strings.Repeat("1,", 1000) + "1]"
	assert.Greater(t, length(short), 5*len(short), "people read it")
}

// TestMembersInAnotherOrderAtEachLevel: they are sorted level by level, and a text that
// would be copied ten thousand times for it counts as it is spelled.
func TestMembersInAnotherOrderAtEachLevel(t *testing.T) {
	t.Parallel()
	nested := func(depth int, first, second string) string {
		return strings.Repeat(`{"`+first+`":0,"`+second+`":`, depth) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat("}", depth)
	}
	s, _ := open(t, recording.Config{})
	sum := func(body string) string { return s.Key(classify(body)).Inputs.BodySHA256 }
	same := `{"a":` + nested(60, "c", "b") + `}`
	assert.Equal(t, sum(same), sum(same+" "))
	read, tree := recording.Both([]byte(same))
	assert.Equal(t, tree, read)
	deep := nested(4000, "c", "b")
	read, tree = recording.Both([]byte(deep))
	assert.Empty(t, read)
	assert.NotEmpty(t, tree)
	assert.NotEqual(t, sum(deep), sum(nested(4000, "b", "c")), "as it is spelled")
	sorted := nested(4000, "b", "c")
	read, tree = recording.Both([]byte(sorted))
	assert.Equal(t, tree, read)
}

// TestBodiesCountAsTheirTrees: what counts of a body is the same, read or made a tree.
func TestBodiesCountAsTheirTrees(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"b":{"d":1,"c":[2,{"id":3,"a":4}]},"a":null}`, `[[1,2],[3,{"a":1}]]`, `{"a":1,"b":{"a":1,"a":2}}`,
		`{"b":1,"\u0061":"\ud83d\ude00"}`, `{"a":9007199254740993}`, `{"a":"\ud800"}`, `{"\ud800":1}`, `{"a":{"\udc00":1}}`, ` { "b" : [ ] , "a" : { } } `, `7`, `""`,
	} {
		for _, ignore := range [][]string{nil, {"/a"}, {"/b/c/0", "/b/c/*/id"}, {"/*"}, {"/*/a", "/0"}, {"/b", "/b/c"}} {
			read, tree := recording.Both([]byte(body), ignore...)
			assert.Equal(t, tree, read, "%s without %s", body, ignore)
		}
	}
}

// A long recording that many ask for at once is read once: each reader takes several times
// its length.
func TestLongFilesAreReadOneAtATime(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	k := put(t, s, classify(`{"description":"cup"}`), answer(`{"x":[`+strings.Repeat("0,", 1<<20)+`0]}`))
	rec, err := s.Get(k)
	require.NoError(t, err)
	another, err := recording.Open(recording.Config{Dir: s.Dir()})
	require.NoError(t, err)
	read := make([]*recording.Recording, 8)
	var all sync.WaitGroup
	for i := range read {
		all.Go(func() { read[i], _ = another.Read(rec.File) })
	}
	all.Wait()
	require.NotNil(t, read[0])
	for _, r := range read {
		assert.Same(t, read[0], r)
	}
}

func TestMarksAreInNoString(t *testing.T) {
	t.Parallel()
	text := `{"a,[\"]":["x\\",1,{"}":","}]}`
	assert.Equal(t, "{[,,{}]}", string(slices.Collect(recording.Marks([]byte(text)))))
}
