package drift

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// shapes are answers as services may write them, with two codes, %[1]s and %[2]s, as
// digits alone, and something that is another every time, %[3]s.
var shapes = []struct{ name, form string }{
	{"a number that is named for what it is", `{"classification":%[1]s,"id":%[3]s}`},
	{"a number of a tariff", `{"tariffNumber":%[1]s,"id":%[3]s}`},
	{"the USITC's own name", `{"htsno":"%[1]s","other":"Other","indent":2}`},
	{"names of a country's customs", `{"ncmCode":"%[1]s","commodityNo":"%[2]s","documentNo":"%[3]s"}`},
	{"numbers by names with digits", `{"hs10":%[1]s,"hs_8":%[2]s}`},
	{"a sentence", `{"explanation":"T-shirts of cotton are classified in %[5]s, not in %[6]s (ruling NY N%[3]s)."}`},
	{"a sentence with a code of ten digits", `{"text":"We chose HTS %[1]s over heading 9999 for shipment %[3]s"}`},
	{"a sentence with a code of six digits", `{"text":"We chose HS code %[4]s for it"}`},
	{"with a prefix", `{"result":"US:%[5]s"}`},
	{"JSON in a text", `{"payload":"{\"requestId\":\"%[3]s\",\"hsCode\":\"%[1]s\"}"}`},
	{"codes as members", `{"scores":{"%[1]s":0.91,"%[2]s":0.05}}`},
	{"a list that grew", `{"items":[{"code":"0101210000"},{"code":%[1]s}]}`},
	{"numbers in a list", `{"predictions":[[%[1]s,0.91],[%[2]s,0.05]],"hsCodes":[%[1]s,%[2]s]}`},
	{"XML", `<?xml version="1.0"?><r id="%[3]s"><hsCode>%[4]s</hsCode><alt code="%[2]s"/></r>`},
	{"several values", "{\"hsCode\":\"%[4]s\"}\n{\"hsCode\":\"%[2]s\"}\n"},
	{"CSV", "sku,hs_code\n%[3]s,%[4]s\n"},
	{"with dashes", `{"hsCode":"%[7]s","at":"2026-11-29"}`},
	{"a deep list of lists", `[[[{"goods":{"hs":{"value":"%[5]s"}}}]]]`},
	{"a heading of four digits, and its chapter", `{"chapter":"%[8]s","id":"%[3]s"}`},
	{"with spaces that do not break", "{\"code\":\"%[9]s\"}"},
}

// written is a shape with two codes of ten digits.
func written(form, a, b, id string) string {
	dotted := func(c string) string { return c[:4] + "." + c[4:6] + "." + c[6:8] + "." + c[8:] }
	text := fmt.Sprintf(form+"%.0[1]s%.0[2]s%.0[3]s%.0[4]s%.0[5]s%.0[6]s%.0[7]s%.0[8]s%.0[9]s",
		a, b, id, a[:6], dotted(a), dotted(b), a[:4]+"-"+a[4:6]+"-"+a[6:], a[:2], strings.ReplaceAll(dotted(a), ".", "\u00a0"))
	return text
}

// TestFlipsInOtherShapes changes the first code of answers in shapes that nobody thought
// of, 200 times, and then the same answers come again with other ids.
func TestFlipsInOtherShapes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(17, 1))
	code := func() string {
		return fmt.Sprintf("%02d%02d%02d%04d", 10+r.IntN(87), 1+r.IntN(20), r.IntN(100), r.IntN(10000))
	}
	missed, taken := map[string]bool{}, map[string]bool{}
	for i := range 200 {
		shape := shapes[i%len(shapes)]
		a, b, other := code(), code(), code()
		for other[:2] == a[:2] {
			other = code()
		}
		ids := []string{fmt.Sprint(1e9 + r.IntN(1e9)), fmt.Sprint(1e9 + r.IntN(1e9))}
		was := written(shape.form, a, b, ids[0])
		if is := written(shape.form, other, b, ids[1]); len(compared(nil, was, is).Changed) == 0 && !missed[shape.name] {
			missed[shape.name] = true
			t.Errorf("%s: a change was missed\n%s\n%s", shape.name, was, is)
		}
		if is := written(shape.form, a, b, ids[1]); compared(nil, was, is).Drifted() && !taken[shape.name] {
			taken[shape.name] = true
			t.Errorf("%s: equal answers are taken for a change\n%s\n%s\n%v", shape.name, was, is, compared(nil, was, is).Changed)
		}
	}
}

// What comes and goes around codes: a change where a code does, and none where none does.
func TestWhatComesAndGoes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, was, is string
		changed       bool
	}{
		{"null becomes a code", `{"hsCode":null}`, `{"hsCode":"610910"}`, true},
		{"a code becomes null", `{"best":{"hsCode":6109100012}}`, `{"best":{"hsCode":null}}`, true},
		{"an element with a number came", `{"items":[{"code":6109}]}`, `{"items":[{"code":6109},{"code":6203}]}`, true},
		{"an element with a number went", `{"items":[{"code":6109},{"code":6203}]}`, `{"items":[{"code":6109}]}`, true},
		{"one member of several codes went", `{"codes":{"6109100012":1,"6203429010":1}}`, `{"codes":{"6109100012":1}}`, true},
		{"an element of XML went", `<r><hsCode>610910</hsCode></r>`, `<r><note>none</note></r>`, true},
		{"a member was renamed", `{"hsCode":"610910"}`, `{"code":"610910"}`, false},
		{"six digits became ten", `{"hsCode":"610910"}`, `{"hsCode":"6109100012"}`, true},
		{"the best and the second swap, and their confidences move", `{"p":[{"code":"610910","c":0.9},{"code":"620342","c":0.2}]}`, `{"p":[{"code":"620342","c":0.8},{"code":"610910","c":0.3}]}`, true},

		{"another order, and confidences move", `{"p":[{"code":"610910","confidence":0.93},{"code":"620342","confidence":0.91}]}`, `{"p":[{"code":"620342","confidence":0.905},{"code":"610910","confidence":0.931}]}`, false},
		{"another order of confidences that are texts", `{"p":[{"code":"610910","score":"0.93"},{"code":"620342","score":"0.05"}]}`, `{"p":[{"code":"620342","score":"0.05"},{"code":"610910","score":"0.93"}]}`, false},
		{"ids of many kinds", `{"transaction":"6109100012","orderItem":{"lineId":"61091000"},"tracking":"6203420012","timestamp":1764374400,"epochMs":"1764374400","durationMs":610910}`,
			`{"transaction":"6203420012","orderItem":{"lineId":"62034200"},"tracking":"6109100012","timestamp":1764374999,"epochMs":"1764374999","durationMs":620342}`, false},
		{"days", `{"validFrom":"2026-05-12","text":"since 2026.05.12 and 12.05.2026"}`, `{"validFrom":"2026-06-13","text":"since 2026.06.13 and 13.06.2026"}`, false},
		{"sums in a sentence", `{"text":"duty of 1234.56 USD on 10000 pieces"}`, `{"text":"duty of 6543.21 USD on 20000 pieces"}`, false},
		{"an error's number", `{"error":{"code":171500,"message":"x"}}`, `{"error":{"code":171500,"message":"y"}}`, false},
		{"a phone number", `{"support":{"phone":"6109100012"},"website":"https://example.com/6109100012"}`, `{"support":{"phone":"6203420012"},"website":"https://example.com/6203420012"}`, false},
	} {
		c := compared(nil, row.was, row.is)
		assert.Equal(t, row.changed, len(c.Changed) > 0, "%s: %v", row.name, c.Changed)
		if !row.changed {
			assert.Equal(t, strings.Contains(row.name, "renamed"), c.Drifted(), row.name)
		}
	}
}

// A rule that names a place means the digits there, whatever its member is called and
// however they are written.
func TestRulesMeanThePlace(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		at, was, is string
		drifted     bool
	}{
		{"/x", `{"x":610910}`, `{"x":620342}`, true},
		{"/x", `{"x":6109100012}`, `{"x":"6109.10.9999"}`, true}, // another type
		{"/x", `{"x":"6109.10.0012"}`, `{"x":"6109-10-9999"}`, false},
		{"/*/x", `[{"x":610910},{"x":610990}]`, `[{"x":610910},{"x":620342}]`, true},
		{"/documentNo", `{"documentNo":"610910"}`, `{"documentNo":"620342"}`, true},
		{"/a~1b", `{"a/b":610910}`, `{"a/b":620342}`, true},
	} {
		assert.Equal(t, row.drifted, compared(Policy{{At: row.at, Digits: 6}}, row.was, row.is).Drifted(), "%s: %s", row.at, row.is)
	}
}
