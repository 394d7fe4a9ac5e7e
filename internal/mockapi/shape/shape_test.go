package shape_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
)

// file is a file whose answer has a body.
func file(body string) string {
	return `{
  "format": 1,
  "operation": "POST /hscode/classify",
  "learned": { "recordings": ["0"], "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z" },
  "request": { "text": ["/goods"], "items": "/rows/*" },
  "answers": [
    { "when": "found", "from": 1, "status": 200, "body":
` + body + `
    }
  ]
}
`
}

var asked = shape.Ask{
	Query: url.Values{"lang": {"fr"}}, Language: "de", Country: "US", ItemsAt: "/rows/*",
	Now: time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.UTC), Serial: 3,
	Found: []shape.Match{{Code: "0901210000", Title: "Coffee", Confidence: 0.9}, {Code: "6109100000", Title: "T-shirts", Confidence: 0.455}},
}

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	var err error
	asked := asked
	asked.Body, err = shape.Parse([]byte(`{"goods":" Mug ","n":3,"code":"6109.10","b":{"x":[1.50]},"rows":[{"sku":"A"},{"sku":"B"}]}`))
	require.NoError(t, err)
	for body, want := range map[string]string{
		`"$code"`:                               `"0901210000"`,
		`"$code ####.##"`:                       `"0901.21"`,
		`"$code #### ## #####"`:                 `"0901 21 00000"`,
		`"$code number ##########"`:             `901210000`,
		`"$title"`:                              `"Coffee"`,
		`"$confidence 0.00"`:                    `0.90`,
		`"$confidence 0.##"`:                    `0.9`,
		`"$confidence text percent 0 then  %"`:  `"90 %"`,
		`"$confidence percent 0.0"`:             `90.0`,
		`"$echo /n"`:                            `3`,
		`"$echo /b"`:                            `{"x":[1.50]}`,
		`"$echo trim /goods"`:                   `"Mug"`,
		`"$echo upper /goods"`:                  `" MUG "`,
		`"$echo digits /code"`:                  `"610910"`,
		`"$echo ?lang"`:                         `"fr"`,
		`"$echo /none"`:                         `null`,
		`{"a":1,"b":"$echo? /none"}`:            `{"a":1}`,
		`"$text {{{/goods}}, {/n}"`:             `"{ Mug }, 3"`,
		`"$sequence 40"`:                        `43`,
		`"$count found 5"`:                      `2`,
		`"$time 2006-01-02T15:04:05.000Z07:00"`: `"2026-02-03T04:05:06.789Z"`,
		`"$time unix"`:                          `1770091506`,
		`"$$code"`:                              `"$code"`,
		`{"$$each":1}`:                          `{"$each":1}`,
		`{"$each":"found","least":1,"most":2,"item":{"at":"$rank 1","c":"$code ##"}}`: `[{"at":1,"c":"09"},{"at":2,"c":"61"}]`,
		`{"$each":"found","most":1,"item":"$title"}`:                                  `["Coffee"]`,
		`{"$by":"language","is":{"de":"ja","fr":"oui"},"else":"yes"}`:                 `"ja"`,
		`{"$by":"country","is":{"DE":1},"else":2}`:                                    `2`,
		`[1,{"$by":"/n","is":{"4":1}}]`:                                               `[1]`,
		`{"$seen":[7]}`:                                                               `7`,
		`{"b":1.0,"a":[true,false,null,"é<&>"]}`:                                      `{"b":1.0,"a":[true,false,null,"é<&>"]}`,
	} {
		op, err := shape.Decode("f.json", []byte(file(body)))
		if !assert.NoError(t, err, body) {
			continue
		}
		rep, ok := op.Render(shape.WhenFound, asked)
		require.True(t, ok)
		assert.Equal(t, want, string(rep.Body), body)
	}
	for body, want := range map[string]string{
		`"$uuid"`:                `^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$`,
		`"$uuid upper plain"`:    `^"[0-9A-F]{32}"$`,
		`"$id 'a''b-'99hHaAxXz"`: `^"a'b-\d\d[0-9a-f][0-9A-F][a-z][A-Z][0-9a-z][0-9A-Z][0-9A-Za-z]"$`,
	} {
		op, err := shape.Decode("f.json", []byte(file(body)))
		require.NoError(t, err, body)
		one, _ := op.Render(shape.WhenFound, asked)
		assert.Regexp(t, want, string(one.Body))
		again, _ := op.Render(shape.WhenFound, asked)
		assert.Equal(t, one.Body, again.Body, "a run is like the one before")
		later := asked
		later.Serial++
		next, _ := op.Render(shape.WhenFound, later)
		assert.NotEqual(t, one.Body, next.Body, "an id is new in each answer")
	}
}

// TestItemsHaveTheirOwn: in a batch each item has its own member and its own code.
func TestItemsHaveTheirOwn(t *testing.T) {
	t.Parallel()
	op, err := shape.Decode("f.json", []byte(file(`{"n":"$count items","rows":{"$each":"items","item":{"sku":"$echo /rows/*/sku","code":"$code ######","g":"$echo /goods"}}}`)))
	require.NoError(t, err)
	a := asked
	a.Found = nil
	a.Body, _ = shape.Parse([]byte(`{"goods":"g","rows":[{"sku":"A"},{"sku":"B"}]}`))
	rows, _ := a.Body.Find("/rows")
	for i, row := range rows.Items {
		a.Items = append(a.Items, shape.Ask{Body: row, Found: asked.Found[i : i+1]})
	}
	rep, _ := op.Render(shape.WhenFound, a)
	assert.Equal(t, `{"n":2,"rows":[{"sku":"A","code":"090121","g":"g"},{"sku":"B","code":"610910","g":"g"}]}`, string(rep.Body))
	rep, ok := op.Render(shape.WhenNothing, shape.Ask{})
	assert.True(t, ok, "what was not seen has the shape of what was")
	assert.Equal(t, `{"n":0,"rows":[]}`, string(rep.Body))
	_, ok = op.Render(shape.WhenBadCode, a)
	assert.False(t, ok)
}

func TestWrongFiles(t *testing.T) {
	t.Parallel()
	good := file(`"$code ##"`)
	_, err := shape.Decode("mock/f.json", []byte(good))
	require.NoError(t, err)
	replaced := func(old, with string) string {
		require.Equal(t, 1, strings.Count(good, old), old)
		return strings.Replace(good, old, with, 1)
	}
	for text, want := range map[string]string{
		"":                                     "mock/f.json:1:1: can't be read: it ends in the middle",
		replaced(`"format": 1`, `"format": 2`): "mock/f.json:2:13: format 2, this version reads 1",
		replaced(`"format": 1`, `"form": 1`):   "mock/f.json:2:3: form is unknown",
		replaced(`"POST /hscode/classify"`, `"classify"`): "mock/f.json:3:16: operation is no method and path such as POST /hscode/classify",
		replaced(`["/goods"]`, `["goods"]`):               `mock/f.json:5:14: "goods" is no pointer such as /goods/title, and no ?name of the query`,
		replaced(`"/rows/*"`, `"/rows"`):                  `mock/f.json:5:14: items: "/rows" does not end in /*`,
		replaced(`"found"`, `"sometimes"`):                `mock/f.json:6:14: when: "sometimes" is none of found, `,
		replaced(`"found"`, `"no text"`):                  `mock/f.json:6:14: there is no answer for when: found`,
		replaced(`"status": 200`, `"status": 99`):         `mock/f.json:6:14: status 99 of "found" is no HTTP status of an answer`,
		file(`{"a":["$cod"]}`):                            `mock/f.json:8:7: "$cod" is no placeholder that there is`,
		file(`"$code 12"`):                                `mock/f.json:8:1: "$code 12": a code is written as #`,
		file(`"$confidence 1.0"`):                         `mock/f.json:8:1: "$confidence 1.0": a confidence is written as 0.00`,
		file(`"$id 'a"`):                                  `mock/f.json:8:1: "$id 'a": a quote is not closed`,
		file(`"$id q"`):                                   `mock/f.json:8:1: "$id q": "q" is none of 9 h H a A x X z`,
		file(`"$text {goods}"`):                           `mock/f.json:8:1: "$text {goods}": want {pointer}`,
		file(`{"$each":"rows","item":1}`):                 `mock/f.json:8:10: want {"$each": "found"`,
		file(`{"$each":"found","most":1000,"item":1}`):    `mock/f.json:8:25: most is no number from 0 to 100`,
		file(`{"$by":"shape","is":{}}`):                   `mock/f.json:8:8: $by is neither country nor language`,
		file(`{"$seen":[]}`):                              `mock/f.json:8:10: $seen wants a list`,
		file(`{"$seen":[1],"x":1}`):                       `mock/f.json:8:1: $seen has no member "x"`,
		file(`{"$sometimes":1}`):                          `mock/f.json:8:1: "$sometimes" is none of $each, $by, $seen`,
	} {
		_, err := shape.Decode("mock/f.json", []byte(text))
		var wrong *shape.Error
		if assert.ErrorAs(t, err, &wrong, text) {
			assert.Contains(t, err.Error(), want)
		}
	}
}

// TestFolder: only files of their own name count, and two of one operation don't.
func TestFolder(t *testing.T) {
	t.Parallel()
	set, err := shape.Read("mock", fstest.MapFS{"note.json": {Data: []byte("{")}, "main.go": {}})
	require.NoError(t, err)
	assert.Nil(t, set)
	assert.Nil(t, set.Of("POST /hscode/classify"))
	for _, none := range []string{"mock", "note"} { // no folder, and a file in its place
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "note"), nil, 0o600))
		set, err := shape.Read(none, files.FS(filepath.Join(dir, none)))
		require.NoError(t, err, none)
		assert.Nil(t, set)
	}
	one := &fstest.MapFile{Data: []byte(file(`1`))}
	set, err = shape.Read("mock", fstest.MapFS{"a.learned.json": one, "b.json": {Data: []byte("{")}})
	require.NoError(t, err)
	assert.Equal(t, "learned from 1 recording", set.String())
	_, err = shape.Read("mock", fstest.MapFS{"a.learned.json": one, "b.learned.json": one})
	assert.ErrorContains(t, err, "mock/b.learned.json: POST /hscode/classify is in another file there, too")
}

// FuzzDecode: no file makes its reader panic, and one that is taken makes answers that are
// JSON, whatever was asked.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`"$code ####.##"`, `{"$each":"found","least":0,"most":3,"item":{"a":"$rank 0","b":"$confidence text 0.## then %"}}`,
		`{"$by":"/a/0","is":{"":1,"x":"$uuid"}}`, `{"$seen":["$id 'x'9","$title"]}`, `"$text {/a~1b} {{"`, `["$echo? ?q",{"$$a":"$$b"}]`,
		`"$time 2006"`, `{"$each":"items","item":"$echo /rows/*/sku"}`, `1e400`, `"\ud800"`,
	} {
		f.Add(file(body), `{"a":["x"],"rows":[{"sku":1}]}`, "6109")
	}
	f.Fuzz(func(t *testing.T, text, request, code string) {
		op, err := shape.Decode("f.json", []byte(text))
		if err != nil {
			return
		}
		ask := asked
		ask.Body, _ = shape.Parse([]byte(request))
		ask.Found = []shape.Match{{Code: digits(code), Title: code, Confidence: 0.5}}
		ask.ItemsAt = op.Request.Items
		ask.Items = []shape.Ask{ask}
		for _, when := range []string{shape.WhenFound, shape.WhenNothing, shape.WhenBadBody} {
			if rep, ok := op.Render(when, ask); ok && rep.Body != nil {
				require.True(t, json.Valid(rep.Body), "%s", rep.Body)
			}
			rep, ok := op.Render(when, shape.Ask{})
			require.True(t, !ok || rep.Body == nil || json.Valid(rep.Body), "%s", rep.Body)
		}
		again, err := op.Encode("f.json")
		require.NoError(t, err)
		twice, err := shape.Decode("f.json", again)
		require.NoError(t, err)
		text2, err := twice.Encode("f.json")
		require.NoError(t, err)
		require.Equal(t, string(again), string(text2))
	})
}

func digits(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, s)
	return fmt.Sprintf("%06s", s)
}
