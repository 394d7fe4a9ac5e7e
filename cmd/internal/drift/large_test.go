package drift

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who compares an answer is not at its mercy: each of these took hours, or gigabytes.
func TestLargeAnswersAreCompared(t *testing.T) {
	deep := func(code string) []byte {
		return []byte(strings.Repeat(`[{"confidence":0.5,"n":`, 100) + code + strings.Repeat(`}]`, 100))
	}
	list := func(one, last string) []byte {
		return []byte("[" + strings.Repeat(one+",", 20_000/detectorsPace) + last + "]")
	}
	named := func(code string) []byte {
		return []byte(`{"` + strings.Repeat("a", 1<<20) + `":[` + strings.Repeat("1,", 2000) + code + "]}")
	}
	for name, two := range map[string]struct {
		was, is []byte
		changes int
	}{
		"lists in lists":              {deep(`"610910"`), deep(`"620520"`), 1},
		"the same":                    {deep(`"610910"`), deep(`"610910"`), 0},
		"many numbers":                {list("1", `{"hsCode":"610910"}`), list("2", `{"hsCode":"620520"}`), 1},
		"elements that say how good":  {list(`{"confidence":1,"hsCode":"610910"}`, "1"), list(`{"confidence":1,"hsCode":"620520"}`, "1"), 20_000 / detectorsPace},
		"a text between elements":     {[]byte("<a>" + strings.Repeat("x<b/>", 200_000/detectorsPace) + "<c>610910</c></a>"), []byte("<a>" + strings.Repeat("y<b/>", 200_000/detectorsPace) + "<c>620520</c></a>"), 1},
		"a long name above many":      {named("610910"), named("620520"), 1},
		"longer than the guard takes": {append(list("1", "610910"), make([]byte, maxCompared)...), append(list("1", "620520"), make([]byte, maxCompared)...), 1},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		changed, _ := Policy(nil).bodies(two.was, two.is)
		runtime.ReadMemStats(&after)
		assert.Len(t, changed, two.changes, name)
		assert.Less(t, (after.TotalAlloc-before.TotalAlloc)>>20, uint64(3000*detectorsShare), "MB for %s", name)
	}
}

// The order of few elements is found, in a long answer as well.
func TestOrderIsFoundInManyLists(t *testing.T) {
	t.Parallel()
	item := func(a, b string) string {
		return `{"candidates":[{"confidence":` + a + `,"hsCode":"610910"},{"confidence":` + b + `,"hsCode":"620520"}]},`
	}
	const other = `{"candidates":[{"confidence":0.1,"hsCode":"620520"},{"confidence":0.9,"hsCode":"610910"}]},`
	was := `{"items":[` + strings.Repeat(item("0.9", "0.1"), 2000) + `1]}`
	is := `{"items":[` + strings.Repeat(other, 2000) + `1]}`
	changed, _ := Policy(nil).bodies([]byte(was), []byte(is))
	require.Empty(t, changed)
}

// Whether an answer changed does not depend on chance, which of its lists is compared first,
// where one of them takes all the time that there is.
func TestLargeAnswersHaveOneVerdict(t *testing.T) {
	t.Parallel()
	answer := func(score, candidates string) []byte {
		var others strings.Builder
		for i := range 1100 {
			others.WriteString(`{"confidence":` + score + strconv.Itoa(1000+i) + `,"text":"a"},`)
		}
		return []byte(`{"others":[` + others.String() + `{"confidence":` + score + `}],"candidates":[` + candidates + `]}`)
	}
	was := answer("0.1", `{"confidence":0.9,"hsCode":"610910"},{"confidence":0.1,"hsCode":"620520"}`)
	is := answer("0.2", `{"confidence":0.1,"hsCode":"620520"},{"confidence":0.9,"hsCode":"610910"}`)
	for range 5 {
		changed, _ := Policy(nil).bodies(was, is)
		require.Empty(t, changed)
	}
}

// A long text is more to look into than a short one: a list of them would take hours to be put
// in order. Its elements are compared in their places then.
func TestLongTextsTakeOfTheSteps(t *testing.T) {
	t.Parallel()
	list := func(code int) []byte {
		var all []string
		for i := range 12 {
			all = append(all, `{"confidence":1,"hsCode":"`+strconv.Itoa(code+i)+`","text":"`+strings.Repeat("a word ", 600)+strconv.Itoa(code+i)+`"}`)
		}
		return []byte("[" + strings.Join(all, ",") + "]")
	}
	for name, c := range map[string]*comparison{
		"sought through": {nil, 30_000}, "compared by a rule": {Policy{{At: "*"}}, 10_000},
	} {
		changed, _ := c.bodies(list(610910), list(620520))
		assert.NotEmpty(t, changed, name)
		assert.Negative(t, c.left, name)
	}
}
