package recording_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/recording"
)

func TestKeySameMeaning(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{Ignore: []string{"/requestId", "/items/*/trace", "/a~1b", "/tags/*"}, Headers: []string{"x-tenant"}})
	const base = `{"description":"shirt","weight":1.5,"items":[{"hs6":"610910"}],"n":100}`
	for _, c := range []struct {
		name string
		a, b string
	}{
		{"order", base, `{"n":100,"items":[{"hs6":"610910"}],"weight":1.5,"description":"shirt"}`},
		{"white space", base, strings.ReplaceAll(base, ":", " :\n\t ")},
		{"numbers", base, strings.NewReplacer("1.5", "0.15E+1", "100", "1.00e2").Replace(base)},
		{"escapes", base, strings.Replace(base, "shirt", `\u0073hirt`, 1)},
		{"ignored member", base, strings.Replace(base, "{", `{"requestId":"4711",`, 1)},
		{"ignored in every element", base, strings.Replace(base, `{"hs6"`, `{"trace":1,"hs6"`, 1)},
		{"ignored name with a slash", base, strings.Replace(base, "{", `{"a/b":1,`, 1)},
		{"ignored elements", `{"tags":["a","b"]}`, `{"tags":["c",{"d":1}]}`},
	} {
		assert.Equal(t, s.Key(classify(c.a)).Sum, s.Key(classify(c.b)).Sum, c.name)
	}
}

func TestKeyOtherMeaning(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{Ignore: []string{"/requestId", "/tags/*"}, Headers: []string{"X-Tenant"}})
	with := func(change func(*recording.Request)) recording.Request {
		r := classify(`{"a":1}`)
		r.Query = "p=1&p=2&q=x"
		change(&r)
		return r
	}
	requests := map[string]recording.Request{
		"itself":           with(func(*recording.Request) {}),
		"method":           with(func(r *recording.Request) { r.Method = "PUT" }),
		"environment":      with(func(r *recording.Request) { r.Environment = "production" }),
		"api":              with(func(r *recording.Request) { r.API = "legacy" }),
		"path":             with(func(r *recording.Request) { r.Path = "/hscode/hints" }),
		"escaped path":     with(func(r *recording.Request) { r.Path = "/hscode%2Fclassify" }),
		"path with bytes":  with(func(r *recording.Request) { r.Path = "/\xff" }),
		"other bytes":      with(func(r *recording.Request) { r.Path = "/\xfe" }),
		"query value":      with(func(r *recording.Request) { r.Query = "p=1&p=2&q=y" }),
		"query order":      with(func(r *recording.Request) { r.Query = "p=2&p=1&q=x" }),
		"query without =":  with(func(r *recording.Request) { r.Query = "p=1&p=2&q" }),
		"query with =":     with(func(r *recording.Request) { r.Query = "p=1&p=2&q=" }),
		"bad escape":       with(func(r *recording.Request) { r.Query = "p=1&p=2&q=%zz" }),
		"its good escape":  with(func(r *recording.Request) { r.Query = "p=1&p=2&q=%25zz" }),
		"header":           with(func(r *recording.Request) { r.Header.Set("X-Tenant", "a") }),
		"other header":     with(func(r *recording.Request) { r.Header.Set("X-Tenant", "b") }),
		"no body":          with(func(r *recording.Request) { r.Body = nil }),
		"string for it":    with(func(r *recording.Request) { r.Body = []byte(`{"a":"1"}`) }),
		"duplicates":       with(func(r *recording.Request) { r.Body = []byte(`{"a":1,"a":1}`) }),
		"other duplicates": with(func(r *recording.Request) { r.Body = []byte(`{"a":2,"a":1}`) }),
		"2^53":             with(func(r *recording.Request) { r.Body = []byte(`{"a":9007199254740992}`) }),
		"2^53+1":           with(func(r *recording.Request) { r.Body = []byte(`{"a":9007199254740993}`) }),
		"nearly nothing":   with(func(r *recording.Request) { r.Body = []byte(`{"a":1e-400}`) }),
		"nothing":          with(func(r *recording.Request) { r.Body = []byte(`{"a":0}`) }),
		"surrogate":        with(func(r *recording.Request) { r.Body = []byte(`{"a":"\ud800"}`) }),
		"other surrogate":  with(func(r *recording.Request) { r.Body = []byte(`{"a":"\ud801"}`) }),
		"replacement":      with(func(r *recording.Request) { r.Body = []byte(`{"a":"\ufffd"}`) }),
		"bad UTF-8":        with(func(r *recording.Request) { r.Body = []byte("{\"a\":\"\xff\"}") }),
		"ignored elsewhere": with(func(r *recording.Request) {
			r.Body = []byte(`{"a":1,"b":{"requestId":1}}`)
		}),
		"one tag":  with(func(r *recording.Request) { r.Body = []byte(`{"tags":["a"]}`) }),
		"two tags": with(func(r *recording.Request) { r.Body = []byte(`{"tags":["a","b"]}`) }),
		"form":     with(func(r *recording.Request) { r.Body = []byte("a=1&b=2") }),
		"form 2":   with(func(r *recording.Request) { r.Body = []byte("b=2&a=1") }),
	}
	seen := make(map[string]string)
	for name, r := range requests {
		sum := s.Key(r).Sum
		assert.Empty(t, seen[sum], "%s has the key of another", name)
		seen[sum] = name
	}
}

func TestKeyLeavesOutWhoAsks(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{Headers: []string{"X-Tenant"}})
	r := classify(`{"a":1}`)
	r.Header.Set("X-Tenant", "t")
	want := s.Key(r)
	for _, name := range []string{"Authorization", "Date", "User-Agent", "Traceparent", "X-Request-Id", "Accept-Encoding", "X-Other"} {
		r.Header.Set(name, "something of this run")
	}
	r.Operation = "renamed"
	got := s.Key(r)
	assert.Equal(t, want.Sum, got.Sum)
	for _, name := range []string{"", " ", "X Y", "X-Y ", "X:Y", "X\nY", "größe"} {
		_, err := recording.Open(recording.Config{Dir: t.TempDir(), Headers: []string{name}})
		assert.ErrorContains(t, err, "is no name of a header", name)
	}
	for _, name := range []string{"authorization", "DATE", "user-agent", "Traceparent", "x-request-id", "Cookie"} {
		_, err := recording.Open(recording.Config{Dir: t.TempDir(), Headers: []string{name}})
		assert.ErrorContains(t, err, "can't tell requests apart", name)
	}
}

// TestKeyIsTheCanonicalHash: a reader with any RFC 8785 library can check a key.
func TestKeyIsTheCanonicalHash(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{Headers: []string{"X-Tenant", "Accept"}})
	r := classify(`{"b":1.0,"a":2}`)
	for range 2 {
		k := s.Key(r)
		raw, err := json.Marshal(k.Inputs)
		require.NoError(t, err)
		text, err := recording.Canonical(raw)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("%x", sha256.Sum256(text)), k.Sum)
		assert.Equal(t, fmt.Sprintf("%x", sha256.Sum256([]byte(`{"a":2,"b":1}`))), k.Inputs.BodySHA256)
		r.Header["X-Tenant"], r.Header["Accept"] = []string{"\"1", "2"}, []string{"3"}
		r.Query, r.Path = "q=\x01", "/\t\\"
	}
}

// value is any JSON value, with names and strings that need escapes.
func value(depth int) *rapid.Generator[any] {
	text := rapid.StringOf(rapid.RuneFrom([]rune("ab\"\\/<\n\x01é€😀דּ{}")))
	kinds := []*rapid.Generator[any]{
		text.AsAny(), rapid.Bool().AsAny(), rapid.Just[any](nil),
		rapid.Map(rapid.IntRange(-1<<50, 1<<50), func(n int) any { return float64(n) }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
	}
	if depth > 0 {
		kinds = append(kinds, rapid.SliceOfN(value(depth-1), 0, 4).AsAny(), rapid.MapOfN(text, value(depth-1), 0, 4).AsAny())
	}
	return rapid.OneOf(kinds...)
}

// respelled writes v with members in any order, white space anywhere, and
// numbers and strings in any of their spellings.
func respelled(v any, r *rand.Rand) string {
	space := []string{"", " ", "\n\t"}[r.IntN(3)]
	switch v := v.(type) {
	case map[string]any:
		var members []string
		for name, item := range v { // in any order
			members = append(members, respelled(name, r)+":"+space+respelled(item, r))
		}
		return "{" + space + strings.Join(members, space+",") + "}" + space
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, respelled(item, r))
		}
		return "[" + strings.Join(items, space+",") + space + "]"
	case float64:
		return space + strconv.FormatFloat(v, "efg"[r.IntN(3)], -1, 64)
	case string:
		var b strings.Builder
		for _, c := range v {
			if c < 0x80 && r.IntN(2) == 0 {
				fmt.Fprintf(&b, `\u%04X`, c)
				continue
			}
			coded, _ := json.Marshal(string(c))
			b.Write(bytes.Trim(coded, `"`))
			if c == '"' {
				b.WriteByte('"')
			}
		}
		return `"` + b.String() + `"`
	default:
		return fmt.Sprint(map[any]string{nil: "null", true: "true", false: "false"}[v])
	}
}

func TestKeySpellingProperty(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	rapid.Check(t, func(t *rapid.T) {
		v := value(3).Draw(t, "value")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		a, b := respelled(v, r), respelled(v, r)
		require.True(t, json.Valid([]byte(a)), a)
		require.Equal(t, s.Key(classify(a)).Sum, s.Key(classify(b)).Sum, "%s\n%s", a, b)
	})
}

func TestKeyByteProperty(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	rapid.Check(t, func(t *rapid.T) {
		raw := []byte(respelled(value(2).Draw(t, "value"), rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))))
		changed := bytes.Clone(raw)
		changed[rapid.IntRange(0, len(raw)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		// The reference is encoding/json with exact numbers.
		meaning := func(b []byte) any {
			var v any
			d := json.NewDecoder(bytes.NewReader(b))
			d.UseNumber()
			if d.Decode(&v) != nil || d.More() {
				return string(b)
			}
			return exactly(v)
		}
		same := s.Key(classify(string(raw))).Sum == s.Key(classify(string(changed))).Sum
		if same {
			require.Equal(t, meaning(raw), meaning(changed), "%q %q", raw, changed)
		}
	})
}

// exactly replaces numbers by their exact values.
func exactly(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = exactly(v[name])
		}
	case []any:
		for i := range v {
			v[i] = exactly(v[i])
		}
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			return v
		}
		return f
	}
	return v
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	_, err := recording.Open(recording.Config{
		Ignore:  []string{"requestId", "/a~2"},
		Secrets: []recording.Secret{{Name: "pin", Value: "12345"}, {Name: "Client Secret", Value: "long enough"}, {Name: "raw", Value: "\xff\xfe\xfd\xfc\xfb\xfa"}},
	})
	for _, want := range []string{
		"no folder given", `"requestId" is no JSON pointer`, `"/a~2" is no JSON pointer`,
		"pin has 5 characters, at least 6", `secret name "Client Secret"`, "secret raw is not UTF-8",
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "12345")
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", recording.Secret{Name: "x", Value: "sesame"}, recording.Secret{Value: "sesame"}, &recording.Secret{Value: "sesame"}), "sesame")
}

func TestKeyKeepsTheCallersRequest(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{Secrets: []recording.Secret{{Name: "k", Value: "sesame"}}, Headers: []string{"X-Tenant"}})
	r := classify(`{"a": "sesame"}`)
	r.Header = http.Header{"X-Tenant": {"sesame"}}
	s.Key(r)
	assert.Equal(t, `{"a": "sesame"}`, string(r.Body))
	assert.Equal(t, "sesame", r.Header.Get("X-Tenant"))
}
