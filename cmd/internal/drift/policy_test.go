package drift

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// compared is how two answers differ.
func compared(p Policy, was, is string) Comparison {
	of := func(body string) *recording.Recording {
		return &recording.Recording{Takes: []recording.Take{{Response: recording.Message{Status: 200, Body: []byte(body)}}}}
	}
	return p.Takes(of(was), 0, of(is), 0)
}

// TestEqualAnswersAreAnEmptyList: whoever reads the JSON finds lists, not null.
func TestEqualAnswersAreAnEmptyList(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(compared(Policy{}, `{"hsCode":"610910"}`, `{"hsCode":"610910"}`))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"changed":[],"differences":[]}`)
}

func TestDefaultKnowsCodes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, was, is, want string }{
		{"a code", `{"hsCode":"6109.10.00"}`, `{"hsCode":"6203.42.00"}`, `/hsCode: "6109.10.00" -> "6203.42.00"`},
		{"a code that is finer", `{"hsCode":"6109.10"}`, `{"hsCode":"6109.10.00"}`, `/hsCode: "6109.10" -> "6109.10.00"`},
		{"a code as a number", `{"hs_code":6109100012}`, `{"hs_code":6203420012}`, `/hs_code: 6109100012 -> 6203420012`},
		{"deep down", `{"items":[{"predictions":[{"code":"610910","p":0.9}]}]}`, `{"items":[{"predictions":[{"code":"620342","p":0.9}]}]}`, `/items/0/predictions/0/code: "610910" -> "620342"`},
		{"by a country's name", `{"US":"6109100012"}`, `{"US":"6203420012"}`, `/US: "6109100012" -> "6203420012"`},
		{"in a list", `{"codes":["610910","610990"]}`, `{"codes":["610990","610910"]}`, `/codes/0: "610910" -> "610990"` + "\n" + `/codes/1: "610990" -> "610910"`},
		{"a code that is none any more", `{"hsCode":"610910"}`, `{"hsCode":"unknown"}`, `/hsCode: "610910" -> "unknown"`},
		{"the two best swap", `{"p":[{"code":"610910","confidence":0.8},{"code":"620342","confidence":0.1}]}`, `{"p":[{"code":"620342","confidence":0.8},{"code":"610910","confidence":0.1}]}`,
			`/p/0/code: "610910" -> "620342"` + "\n" + `/p/1/code: "620342" -> "610910"`},
		{"in XML", `<code>6109.10.00</code>`, `<code>6203.42.00</code>`, `/code: "6109.10.00" -> "6203.42.00"`},
		{"in a text", `HTS 6109.10.00`, `HTS 6203.42.00`, `body: "HTS 6109.10.00" -> "HTS 6203.42.00"`},

		{"an alternative is gone", `["610910","620342"]`, `["610910"]`, `/1: "620342" -> null`},

		{"spelled otherwise", `{"hsCode":"6109.10.00","p":0.90}`, `{"p":0.9, "hsCode":"6109 10 00"}`, ""},
		{"another confidence", `{"hsCode":"6109.10","confidence":0.9}`, `{"hsCode":"6109.10","confidence":0.8}`, ""},
		{"another id", `{"hsCode":"6109.10","requestId":"61091000","at":"2026-11-28","traceId":"20261128"}`, `{"hsCode":"6109.10","requestId":"62034200","at":"2026-11-29","traceId":"20261129"}`, ""},
		{"another price", `{"price":"12.50","total":123456}`, `{"price":"13.50","total":654321}`, ""},
		{"a list that each says its place in", `[{"code":"610910","confidence":0.8},{"code":"620342","confidence":0.10}]`, `[{"code":"6203.42","confidence":0.1},{"code":"610910","confidence":0.8}]`, ""},
		{"words", `{"description":"T-shirts"}`, `{"description":"Shirts"}`, ""},
		{"words in XML", `<p>a</p>`, `<p>b</p>`, ""},
	} {
		var got []string
		c := compared(nil, row.was, row.is)
		for _, change := range c.Changed {
			got = append(got, change.String())
		}
		assert.Equal(t, row.want, strings.Join(got, "\n"), row.name)
		assert.Equal(t, row.want != "", c.Drifted(), row.name)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	within := 0.2
	p := Policy{
		{At: "/id", Ignore: true}, {At: "/items/*/hsCode", Digits: 6}, {At: "/confidence", Within: &within}, {At: "/status"},
	}
	for _, row := range []struct {
		name, was, is string
		policy        Policy
		drifted       bool
	}{
		{"ignored, another type and gone below it", `{"id":1}`, `{"id":{"a":[1]}}`, p, false},
		{"ignored and gone", `{"id":1,"b":1}`, `{"b":1}`, p, false},
		{"its neighbour is gone", `{"id":1,"b":1}`, `{"id":1}`, p, true},
		{"six digits are the same", `{"items":[{"hsCode":"6109.10.00"}]}`, `{"items":[{"hsCode":"6109.10.99"}]}`, p, false},
		{"six digits are not", `{"items":[{"hsCode":"6109.10.00"}]}`, `{"items":[{"hsCode":"6109.90.00"}]}`, p, true},
		{"elsewhere all digits count", `{"hsCode":"6109.10.00"}`, `{"hsCode":"6109.10.99"}`, p, true},
		{"near enough", `{"confidence":0.5}`, `{"confidence":0.7}`, p, false},
		{"near enough as text", `{"confidence":"0.5"}`, `{"confidence":"0.70"}`, p, false},
		{"too far", `{"confidence":0.5}`, `{"confidence":0.701}`, p, true},
		{"no number any more", `{"confidence":"0.5"}`, `{"confidence":"high"}`, p, true},
		{"every other value", `{"status":"CLASSIFIED"}`, `{"status":"FAILED"}`, p, true},
		{"the same number", `{"status":1.0}`, `{"status":1}`, p, false},
		{"everywhere six", `{"a":{"hsCode":"6109.10.00"}}`, `{"a":{"hsCode":"6109.10.99"}}`, Policy{{At: "*", Digits: 6}}, false},
		{"the first rule holds", `{"hsCode":"6109.10.00"}`, `{"hsCode":"6109.10.99"}`, Policy{{At: "/hsCode"}, {At: "*", Ignore: true}}, true},
		{"nothing counts", `{"hsCode":"6109.10.00"}`, `{"hs":1}`, Policy{{At: "*", Ignore: true}}, false},
	} {
		assert.Equal(t, row.drifted, compared(row.policy, row.was, row.is).Drifted(), row.name)
	}
}

// answers are of the shapes that services have: %s is a code, and each answer has three.
var answers = []string{
	`{"id":%[4]q,"hsCode":%[1]q,"confidence":0.87,"alternatives":[{"code":%[2]q,"confidence":0.1},{"code":%[3]q,"confidence":0.02}]}`,
	`{"requestId":%[4]q,"result":{"predictions":[{"rank":1,"hs_code":%[1]q,"score":"0.90"},{"rank":2,"hs_code":%[2]q,"score":"0.05"}],"heading":%[3]q}}`,
	`{"items":[{"ref":%[4]q,"classification":{"US":{"hts":%[1]q},"EU":{"cn8":%[2]q}}},{"classification":{"US":{"hts":%[3]q}}}]}`,
	`{"trace":{"correlationId":%[4]q},"codes":[%[1]q,%[2]q,%[3]q]}`,
}

// TestSeededFlips changes one code in each of 200 answers, and misses none.
func TestSeededFlips(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	caught := 0
	for i := range 200 {
		codes := []string{someCode(r), someCode(r), someCode(r)}
		flipped := slices.Clone(codes)
		which := r.IntN(len(codes))
		if i%4 == 1 { // the heading of this shape and its predictions
			which = r.IntN(3)
		}
		for flipped[which] == codes[which] || digitsOnly(flipped[which]) == digitsOnly(codes[which]) {
			flipped[which] = someCode(r)
		}
		form := answers[i%len(answers)]
		was := fmt.Sprintf(form, codes[0], codes[1], codes[2], "11112222")
		is := fmt.Sprintf(form, flipped[0], flipped[1], flipped[2], "33334444")
		c := compared(nil, was, is)
		if assert.Len(t, c.Changed, 1, "%s\n%s", was, is) && assert.False(t, c.Shape) {
			caught++
		}
	}
	t.Logf("caught %d of 200 flips", caught)
	assert.Equal(t, 200, caught)
}

// TestEqualAnswers writes 1,000 answers once more, in another order, another spelling and
// with new ids, and takes none for a change.
func TestEqualAnswers(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	taken := 0
	for i := range 1000 {
		codes := []string{someCode(r), someCode(r), someCode(r)}
		form := answers[i%len(answers)]
		was := fmt.Sprintf(form, codes[0], codes[1], codes[2], fmt.Sprintf("%08d", r.IntN(1e8)))
		for j := range codes {
			codes[j] = respelled(r, codes[j])
		}
		is := fmt.Sprintf(form, codes[0], codes[1], codes[2], fmt.Sprintf("%08d", r.IntN(1e8)))
		var v any
		require.NoError(t, json.Unmarshal([]byte(is), &v))
		is = respell(r, v)
		if c := compared(nil, was, is); !assert.False(t, c.Drifted(), "%s\n%s\n%v", was, is, c.Changed) {
			taken++
		}
	}
	t.Logf("%d of 1,000 equal answers taken for a change", taken)
	assert.Zero(t, taken)
}

func someCode(r *rand.Rand) string {
	digits := fmt.Sprintf("%02d%02d%02d%02d%02d", 1+r.IntN(97), 1+r.IntN(20), r.IntN(100), r.IntN(100), r.IntN(100))
	return respelled(r, digits[:[]int{6, 8, 10}[r.IntN(3)]])
}

func digitsOnly(code string) string { return strings.NewReplacer(".", "", " ", "").Replace(code) }

// respelled is the same code with other marks between its digits.
func respelled(r *rand.Rand, code string) string {
	digits := digitsOnly(code)
	sep := []string{"", ".", " "}[r.IntN(3)]
	out := digits[:4]
	for i := 4; i < len(digits); i += 2 {
		out += sep + digits[i:i+2]
	}
	return out
}

// respell writes a value with its members in another order, and more white space. Lists
// of elements with a number of their own are shuffled.
func respell(r *rand.Rand, v any) string {
	switch v := v.(type) {
	case map[string]any:
		var members []string
		for name, value := range v {
			members = append(members, fmt.Sprintf("%q : %s", name, respell(r, value)))
		}
		slices.Sort(members)
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		return "{ " + strings.Join(members, " ,\n") + " }"
	case []any:
		var elements []string
		numbered := true
		for _, e := range v {
			elements = append(elements, respell(r, e))
			object, _ := e.(map[string]any)
			_, confidence := object["confidence"].(float64)
			_, rank := object["rank"].(float64)
			numbered = numbered && (confidence || rank)
		}
		if numbered {
			r.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
		}
		return "[" + strings.Join(elements, " , ") + "]"
	case float64:
		return fmt.Sprintf([]string{"%.2f", "%.3f", "%.4e"}[r.IntN(3)], v)
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}
