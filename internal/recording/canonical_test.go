package recording_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

func TestCanonicalVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{
			"RFC 8785 §3.2.2",
			`{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}`,
			`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		},
		{
			"RFC 8785 §3.2.3, order by UTF-16",
			`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
			`{"\r":"Carriage Return","1":"One","` + "\u0080" + `":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","` + "\ufb33" + `":"Hebrew Letter Dalet With Dagesh"}`,
		},
		{"controls", `"\u0000\b\t\n\u000b\f\r\u001f\u007f\u2028<"`, `"\u0000\b\t\n\u000b\f\r\u001f` + "\u007f\u2028" + `<"`},
		{"empty", " { \"b\" : [ ] , \"a\" : { } } ", `{"a":{},"b":[]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := recording.Canonical([]byte(c.in))
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
		})
	}
}

// TestCanonicalNumbers has the finite numbers of RFC 8785 appendix B.
func TestCanonicalNumbers(t *testing.T) {
	t.Parallel()
	for bits, want := range map[uint64]string{
		0x0000000000000000: "0",
		0x8000000000000000: "0",
		0x0000000000000001: "5e-324",
		0x8000000000000001: "-5e-324",
		0x7fefffffffffffff: "1.7976931348623157e+308",
		0xffefffffffffffff: "-1.7976931348623157e+308",
		0x4340000000000000: "9007199254740992",
		0xc340000000000000: "-9007199254740992",
		0x4430000000000000: "295147905179352830000",
		0x44b52d02c7e14af5: "9.999999999999997e+22",
		0x44b52d02c7e14af6: "1e+23",
		0x44b52d02c7e14af7: "1.0000000000000001e+23",
		0x444b1ae4d6e2ef4e: "999999999999999700000",
		0x444b1ae4d6e2ef4f: "999999999999999900000",
		0x444b1ae4d6e2ef50: "1e+21",
		0x3eb0c6f7a0b5ed8c: "9.999999999999997e-7",
		0x3eb0c6f7a0b5ed8d: "0.000001",
		0x41b3de4355555553: "333333333.3333332",
		0x41b3de4355555554: "333333333.33333325",
		0x41b3de4355555555: "333333333.3333333",
		0x41b3de4355555556: "333333333.3333334",
		0x41b3de4355555557: "333333333.33333343",
		0xbecbf647612f3696: "-0.0000033333333333333333",
		0x43143ff3c1cb0959: "1424953923781206.2",
	} {
		assert.Equal(t, want, recording.CanonicalNumber(math.Float64frombits(bits)), "%016x", bits)
	}
}

func TestCanonicalRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, `[{"b":{"x":1,"x":2}}]`,
		`"\ud800"`, `"\udc00"`, `"\ud800x"`, `"\ud800\n"`, `"\ud83d\ud83d\ude00"`, `{"\ud800":1}`,
		`1e400`, `{`, ``, `1 2`, "\"\xff\"",
	} {
		_, err := recording.Canonical([]byte(in))
		assert.Error(t, err, in)
	}
}

// TestMembersAreInTheOrderOfUTF16 compares each two characters from where the order of
// UTF-16 and that of UTF-8 differ.
func TestMembersAreInTheOrderOfUTF16(t *testing.T) {
	t.Parallel()
	edges := []rune{'a', 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xEFFF, 0xF000, 0xFFFF, 0x10000, 0x10FFFF, 0x1F600}
	for _, before := range []string{"", "a", "é", "\U0001F600"} {
		for _, a := range edges {
			for _, b := range edges {
				x, y := before+string(a), before+string(b)
				order := slices.Compare(utf16.Encode([]rune(x)), utf16.Encode([]rune(y)))
				if order == 0 {
					continue
				}
				if order > 0 {
					x, y = y, x
				}
				want := `{"` + x + `":1,"` + y + `":1}`
				for _, raw := range []string{want, `{"` + y + `":1,"` + x + `":1}`} {
					got, err := recording.Canonical([]byte(raw))
					require.NoError(t, err)
					require.Equal(t, want, string(got), "%X %X", a, b)
				}
			}
		}
	}
	got, err := recording.Canonical([]byte(`{"ab":1,"a":1,"":1}`))
	require.NoError(t, err)
	require.Equal(t, `{"":1,"a":1,"ab":1}`, string(got))
}

// TestShortNumbersAreExact: what is not looked at digit by digit means the same in its
// canonical form, by exact arithmetic.
func TestShortNumbersAreExact(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 40_000 {
		text := strconv.FormatUint(random.Uint64N(uint64(math.Pow10(1+random.IntN(17)))), 10)
		if point := random.IntN(len(text)); point > 0 && random.IntN(2) == 0 {
			text = text[:point] + "." + text[point:]
		}
		if random.IntN(2) == 0 {
			text = "-" + text
		}
		if !recording.Short([]byte(text)) {
			continue
		}
		found++
		got, err := recording.Canonical([]byte(text))
		require.NoError(t, err)
		want, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		is, ok := new(big.Rat).SetString(string(got))
		require.True(t, ok)
		require.Zero(t, want.Cmp(is), "%s became %s", text, got)
	}
	require.Greater(t, found, 1000)
}
