package drift

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

func TestCompareMessages(t *testing.T) {
	asJSON := http.Header{"Content-Type": {"application/json"}}
	for _, row := range []struct {
		name    string
		was, is recording.Message
		want    []string
	}{
		{"same, in another order", recording.Message{Body: []byte(`{"a":1,"b":[2]}`)}, recording.Message{Body: []byte(`{"b":[2],"a":1}`)}, nil},
		{"other headers", recording.Message{Header: http.Header{"Date": {"x"}}}, recording.Message{}, nil},
		{"new", recording.Message{Body: []byte(`{}`)}, recording.Message{Body: []byte(`{"a":{"b":1}}`)}, []string{`new field      response /a: {"b":1}`}},
		{"new null", recording.Message{Body: []byte(`{}`)}, recording.Message{Body: []byte(`{"a":null}`)}, []string{`new field      response /a: null`}},
		{"removed", recording.Message{Body: []byte(`{"a/b":1,"c~d":2}`)}, recording.Message{Body: []byte(`{}`)},
			[]string{`removed        response /a~1b: 1`, `removed        response /c~0d: 2`}},
		{"type", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`{"a":"1"}`)}, []string{`type changed   response /a: 1 -> "1"`}},
		{"type of the whole", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`[1]`)}, []string{`type changed   response body: {"a":1} -> [1]`}},
		{"value", recording.Message{Body: []byte(`[{"a":1}]`)}, recording.Message{Body: []byte(`[{"a":10000000000000001}]`)},
			[]string{`value changed  response /0/a: 1 -> 10000000000000001`}},
		{"elements", recording.Message{Body: []byte(`[1,2]`)}, recording.Message{Body: []byte(`[1]`)}, []string{`removed        response /1: 2`}},
		{"status and type", recording.Message{Status: 200, Header: asJSON}, recording.Message{Status: 400},
			[]string{`removed        response content-type: "application/json"`, `value changed  response status: 200 -> 400`}},
		{"no longer JSON", recording.Message{Body: []byte(`{}`)}, recording.Message{Body: []byte(`<p>`)}, []string{`type changed   response body: "{}" -> "<p>"`}},
		{"texts", recording.Message{Body: []byte(`<a>`)}, recording.Message{Body: []byte(`<p>`)}, []string{`value changed  response body: "<a>" -> "<p>"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, d := range compareMessages("response", row.was, row.is) {
				got = append(got, d.String())
			}
			assert.Equal(t, row.want, got)
		})
	}
}

func TestShape(t *testing.T) {
	for _, row := range []struct {
		name    string
		was, is recording.Message
		want    bool
	}{
		{"value", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`{"a":2}`)}, false},
		{"longer list", recording.Message{Body: []byte(`[{"a":1}]`)}, recording.Message{Body: []byte(`[{"a":1},{"a":2}]`)}, false},
		{"shorter list", recording.Message{Body: []byte(`[1,2]`)}, recording.Message{Body: []byte(`[1]`)}, false},
		{"field of an element", recording.Message{Body: []byte(`[{"a":1}]`)}, recording.Message{Body: []byte(`[{"a":1,"b":2}]`)}, true},
		{"removed", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`{}`)}, true},
		{"null", recording.Message{Body: []byte(`{"a":1}`)}, recording.Message{Body: []byte(`{"a":null}`)}, true},
		{"status", recording.Message{Status: 200}, recording.Message{Status: 404}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			diff := compareMessages("response", row.was, row.is)
			require.NotEmpty(t, diff)
			assert.Equal(t, row.want, slices.ContainsFunc(diff, Difference.OfShape))
		})
	}
}

func FuzzCompareValues(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`, `{"a":[1,{"c":""}],"a/b":2}`)
	f.Add(`1`, `1.0`)
	f.Add(`[]`, `{}`)
	for _, two := range [][2]string{ // XML, several values, tables, lists whose elements say how good they are
		{`<a b="1">x<c/>610910</a>`, `<a>x<c>2</c><c>620520</c></a>`}, {`{"a":1} {"a":2}`, `{"a":1}[]`}, {"a,b\n1,2\n", "a;b\n1;\"\n\"\n"},
		{strings.Repeat(`[{"confidence":0.5,"n":`, 30) + `"610910"` + strings.Repeat(`}]`, 30), strings.Repeat(`[{"confidence":0.5,"n":`, 30) + `"620520"` + strings.Repeat(`}]`, 30)},
	} {
		f.Add(two[0], two[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		changed, _ := Policy(nil).bodies([]byte(a), []byte(a))
		require.Empty(t, changed, "the same is no change")
		Policy(nil).bodies([]byte(a), []byte(b))
		was, err := parseBody([]byte(a))
		if err != nil {
			return
		}
		require.Empty(t, compareValues("response", "", was, was))
		is, err := parseBody([]byte(b))
		if err != nil {
			return
		}
		there, back := compareValues("response", "", was, is), compareValues("response", "", is, was)
		require.Len(t, back, len(there))
		for i, d := range there {
			require.Equal(t, d.Path, back[i].Path)
			require.Equal(t, d.Was, back[i].Is)
		}
	})
}
