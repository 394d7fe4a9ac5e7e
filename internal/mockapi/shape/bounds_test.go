package shape_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
)

// batch is a request with so many rows and one long text beside them.
func batch(t *testing.T, rows, long int) shape.Ask {
	t.Helper()
	body, err := shape.Parse([]byte(`{"goods":"` + strings.Repeat("g", long) + `","rows":[` + strings.Repeat(`{"sku":"A"},`, rows-1) + `{"sku":"A"}]}`))
	require.NoError(t, err)
	a := shape.Ask{Body: body, ItemsAt: "/rows/*"}
	list, _ := body.Find("/rows")
	for _, row := range list.Items {
		a.Items = append(a.Items, shape.Ask{Body: row})
	}
	return a
}

// The whole request was written down again for each id: of 60,000 items, which fit into a
// megabyte, that took hours.
func TestIDsOfABatchTakeTheTimeOfItsLength(t *testing.T) {
	t.Parallel()
	op, err := shape.Decode("f.json", []byte(file(`{"$each":"items","item":["$uuid","$id 9999",{"$seen":[1,2]}]}`)))
	require.NoError(t, err)
	a, done := batch(t, 60_000, 1), make(chan shape.Reply, 1)
	go func() {
		rep, _ := op.Render(shape.WhenFound, a)
		done <- rep
	}()
	select {
	case rep := <-done:
		assert.Greater(t, len(rep.Body), 60_000*40)
	case <-time.After(time.Minute):
		t.Fatal("it takes more than a minute")
	}
}

// Half a megabyte that each of ten thousand items repeats would be five gigabytes.
func TestAnAnswerRepeatsSoMuchAndNoMore(t *testing.T) {
	t.Parallel()
	for _, item := range []string{`"$echo /goods"`, `"$text {/goods}"`, `"$echo /rows"`} {
		op, err := shape.Decode("f.json", []byte(file(`{"$each":"items","item":`+item+`}`)))
		require.NoError(t, err)
		rep, _ := op.Render(shape.WhenFound, batch(t, 1000, 20_000))
		const most = 8 << 20
		assert.Less(t, len(rep.Body), most+1000*10, item)
		rep, _ = op.Render(shape.WhenFound, batch(t, 50, 20_000))
		if item != `"$echo /rows"` {
			assert.Greater(t, len(rep.Body), 50*20_000, item)
		}
	}
}

// Each of many items looked through all members of the request for what is beside them, and
// through what is there once more when there was no room for it.
func TestItemsThatRepeatWhatIsBesideThem(t *testing.T) {
	t.Parallel()
	members := strings.Repeat(`"m":0,`, 80_000)
	body, err := shape.Parse([]byte(`{` + members + `"few":1,"many":{` + members + `"z":1},"rows":[` + strings.Repeat(`{},`, 99_999) + `{}]}`))
	require.NoError(t, err)
	a := shape.Ask{Body: body, ItemsAt: "/rows/*", Items: make([]shape.Ask, 100_000)}
	for _, item := range []string{`["$echo /few"]`, `["$echo? /none"]`, `["$echo /many"]`, `["$text {/few}"]`} {
		op, err := shape.Decode("f.json", []byte(file(`{"$each":"items","item":`+item+`}`)))
		require.NoError(t, err)
		start := time.Now()
		op.Render(shape.WhenFound, a)
		assert.Less(t, time.Since(start), 10*time.Second, item)
	}
}

// Points in a number, or zeros before one, made an answer that is no JSON.
func TestACodeThatIsANumberIsDigitsAlone(t *testing.T) {
	t.Parallel()
	for _, mask := range []string{"####.##.##", "##.", "-####", "#### ##"} {
		_, err := shape.Decode("f.json", []byte(file(`"$code number `+mask+`"`)))
		assert.ErrorContains(t, err, "f.json:8:1: \"$code number "+mask+"\": a number is written as # for its digits, and nothing else")
	}
}

// A form of a megabyte, which is refused, was read first, a character at a time, each with a
// copy of all before it: that took minutes.
func TestALongFormOfAnIDIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for form, says := range map[string]string{
		"'" + strings.Repeat("r", 999) + "'":     "an id has a form such as 'req-'9999, of 1000 characters at most",
		"'" + strings.Repeat("r", 400_000) + "'": "an id has a form",
		"":                                       "an id has a form",
	} {
		_, err := shape.Decode("f.json", []byte(file(`"$id `+form+`"`)))
		require.ErrorContains(t, err, "f.json:8:1: ")
		require.ErrorContains(t, err, says)
	}
	assert.Less(t, time.Since(start), 5*time.Second)
	_, err := shape.Decode("f.json", []byte(file(`"$id '`+strings.Repeat("r", 998)+`'"`)))
	require.NoError(t, err)
}

// Of a batch of ten thousand items each had an answer for each: a hundred million.
func TestItemsStandInNoItems(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"$each":"items","item":{"$each":"items","item":1}}`,
		`{"a":{"$each":"items","item":{"b":[{"$each":"found","item":{"$each":"items","item":1}}]}}}`,
	} {
		_, err := shape.Decode("f.json", []byte(file(body)))
		assert.ErrorContains(t, err, `f.json:8:1: "$each": "items" stands within another`)
	}
	_, err := shape.Decode("f.json", []byte(file(`[{"$each":"items","item":{"$each":"found","item":{"$each":"found","item":1}}},{"$each":"items","item":1}]`)))
	require.NoError(t, err)
}
