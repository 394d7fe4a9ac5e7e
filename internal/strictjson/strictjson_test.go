package strictjson_test

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/strictjson"
)

type inner struct {
	Cost int `json:"cost"`
}

type base struct {
	Suite string `json:"suite,omitempty"`
}

type outer struct {
	base
	Base
	Units int64                `json:"units"`
	Seed  uint64               `json:"seed,omitempty"`
	Small int8                 `json:"small,omitempty"`
	Max   *int                 `json:"max,omitempty"`
	At    time.Time            `json:"at,omitzero"`
	Rate  float64              `json:"rate,omitempty"`
	On    bool                 `json:"on,omitempty"`
	List  []inner              `json:"list,omitempty"`
	Ends  map[string]time.Time `json:"ends,omitempty"`
	Raw   json.RawMessage      `json:"raw,omitempty"`
}

// Base is exported, as what is embedded has to be.
type Base struct {
	Branch string `json:"branch,omitempty"`
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		`{"units":0}`:  "",
		`{"units":-7}`: "",
		` {"units": 1, "branch":"main","max":3,"at":"2026-01-31T12:00:00Z","rate":0.5,"on":true,"list":[{"cost":1}],"ends":{"a":"2026-01-31T12:00:00Z"},"raw":{"a":null,"b":[1.5]}} `: "",
		`{"units":18446744073709551615}`:          "units is 18446744073709551615, which is out of range",
		`{"units":1,"seed":18446744073709551615}`: "",
		`{"units":1,"seed":-1}`:                   "seed is -1, which is out of range",
		`{"units":1,"small":128}`:                 "small is 128, which is out of range",
		`{"units":1.0}`:                           "units is 1.0, want a whole number",
		`{"units":1e0}`:                           "units is 1e0, want a whole number",
		`{"units":-0}`:                            "units is -0, want a whole number",
		`{"units":"1"}`:                           `units is "1", want a whole number`,
		`{"units":null}`:                          "units is null",
		`{"units":true}`:                          "units is true, want a whole number",
		`{"units":[1]}`:                           "units is a list, want a whole number",
		`{"units":01}`:                            "can't be read: invalid character '1'",
		`{"units":0x1}`:                           "can't be read: invalid character 'x'",
		`{"units":+1}`:                            "can't be read: invalid character '+'",
		`{}`:                                      "units is missing",
		`{"Units":1}`:                             "Units is unknown",
		`{"units":1,"units":1}`:                   "units is there twice",
		`{"units":1,"\u0075nits":1}`:              "units is there twice",
		`{"units":1,"max":null}`:                  "max is null",
		`{"units":1,"max":1.5}`:                   "max is 1.5",
		`{"units":1,"list":[{"cost":1},{}]}`:      "list[1].cost is missing",
		`{"units":1,"list":[{"cost":null}]}`:      "list[0].cost is null",
		`{"units":1,"list":[null]}`:               "list[0] is null",
		`{"units":1,"list":{}}`:                   "list is an object, want a list",
		`{"units":1,"ends":{"a":1}}`:              "ends.a is 1, want a time",
		`{"units":1,"raw":{"a":1,"a":2}}`:         "raw.a is there twice",
		`{"units":1,"at":"yesterday"}`:            `at is "yesterday", want a time`,
		`{"units":1,"on":1}`:                      "on is 1, want true or false",
		`{"units":1,"rate":"1"}`:                  `rate is "1", want a number`,
		`{"units":1,"branch":1}`:                  "branch is 1, want a text",
		`{"units":1,"suite":"a"}`:                 "",
		`[]`:                                      "is a list, want an object",
		`null`:                                    "is null",
		``:                                        "can't be read: it ends in the middle",
		`{"units":1`:                              "can't be read: it ends in the middle",
		`{"units":1} {}`:                          "more follows after its end",
		`{"units":1} x`:                           "more follows after its end",
		"{\"units\":1,\"branch\":\"\xff\"}":       "the text is no UTF-8",
	} {
		var v outer
		err := strictjson.Decode([]byte(text), &v)
		if want == "" {
			assert.NoError(t, err, text)
			continue
		}
		if assert.Error(t, err, text) {
			assert.Contains(t, err.Error(), want, text)
		}
	}
}

func TestPlace(t *testing.T) {
	var v outer
	text := []byte(`{"branch":"größe","units":1.5}`)
	var wrong *strictjson.Error
	require.True(t, errors.As(strictjson.Decode(text, &v), &wrong))
	assert.Equal(t, strictjson.Offset(text, "units"), wrong.Offset)
	assert.EqualError(t, strictjson.Place("a.jsonl", 7, text, wrong.Offset, "no"), "a.jsonl:7:27: no\n"+
		`> 7 | {"branch":"größe","units":1.5}`+"\n"+strings.Repeat(" ", 32)+"^")
	long := []byte(`{"branch":"` + strings.Repeat("a", 200) + "\x7f" + `","units":1.5,"raw":"` + strings.Repeat("b", 200) + `"}`)
	assert.EqualError(t, strictjson.Place("a.jsonl", 7, long, strictjson.Offset(long, "units"), "no"), "a.jsonl:7:223: no\n"+
		"> 7 | …"+strings.Repeat("a", 39)+` ","units":1.5,"raw":"`+strings.Repeat("b", 39)+"…\n"+strings.Repeat(" ", 57)+"^")
	assert.Zero(t, strictjson.Offset(text, "none"))
}

// Whatever is taken is what encoding/json makes of it, and whatever is refused
// is refused without a panic and with a place in the text.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{`{"units":1}`, `{"units":1,"list":[{"cost":2}],"raw":[1,{}]}`, `{`, "", `{"units":1}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, want outer
		err := strictjson.Decode(text, &got)
		var wrong *strictjson.Error
		if errors.As(err, &wrong) {
			assert.True(t, wrong.Offset >= 0 && wrong.Offset <= len(text), "%d of %d", wrong.Offset, len(text))
			_ = strictjson.Place("f", 1, text, wrong.Offset, "m")
			return
		}
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &want))
		assert.Equal(t, want, got)
	})
}

// What nests as deep as a text has brackets took the square of its size, in memory, and
// then the whole stack. Half a megabyte of a caller was enough.
func TestDepthHasALimit(t *testing.T) {
	t.Parallel()
	nested := func(n int, open, end string) string {
		return `{"units":1,"raw":` + strings.Repeat(open, n) + "1" + strings.Repeat(end, n) + "}"
	}
	for _, text := range []string{nested(500_000, "[", "]"), nested(100_000, `{"a":`, "}"), nested(1000, "[", "]")} {
		var wrong *strictjson.Error
		require.ErrorAs(t, strictjson.Decode([]byte(text), new(outer)), &wrong)
		assert.Equal(t, "nests more than 1000 levels deep", wrong.Error())
		assert.Positive(t, wrong.Offset)
	}
	require.NoError(t, strictjson.Decode([]byte(nested(999, "[", "]")), new(outer)))

	var wrong *strictjson.Error
	require.ErrorAs(t, strictjson.Decode([]byte(`{"units":1,"raw":{"a":[{},[1,{"b":2,"b":3}]]}}`), new(outer)), &wrong)
	assert.Equal(t, "raw.a[1][1].b is there twice", wrong.Error())
}

// A name of a megabyte is not written out again for each of a million values below it.
func TestLongNamesAreWrittenOnce(t *testing.T) {
	var before, after runtime.MemStats
	text := []byte(`{"units":1,"raw":{"` + strings.Repeat("a", 1<<20) + `":[` + strings.Repeat("1,", 10_000) + `1]}}`)
	runtime.ReadMemStats(&before)
	require.NoError(t, strictjson.Decode(text, new(outer)))
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20))
}

// What is shown of a value or a name has an end, and commands no terminal.
func TestMessagesAreShort(t *testing.T) {
	long := strings.Repeat("9", 1<<20)
	for text, want := range map[string]string{
		`{"units":` + long + `}`:                    "units is a number of 1048576 characters, which is out of range",
		`{"units":1,"rate":1` + long + `}`:          "rate is a number of 1048577 characters, which is out of range",
		`{"units":1,"branch":` + long + `}`:         "branch is a number of 1048576 characters, want a text",
		`{"units":1,"` + long + `":1}`:              strings.Repeat("9", 40) + "… is unknown",
		`{"units":1,"\u001b[2J\u202e":1}`:           `"\x1b[2J\u202e" is unknown`,
		`{"units":1,"ends":{"größe":1}}`:            "ends.größe is 1, want a time",
		`{"units":1,"ends":{"a\nb":1}}`:             `ends."a\nb" is 1, want a time`,
		`{"units":1,"raw":{"\u001b":0,"\u001b":1}}`: `raw."\x1b" is there twice`,
	} {
		var v outer
		err := strictjson.Decode([]byte(text), &v)
		require.Error(t, err)
		assert.True(t, strings.HasPrefix(err.Error(), want), "%.200s", err.Error())
		assert.Less(t, len(err.Error()), 200)
	}
}
