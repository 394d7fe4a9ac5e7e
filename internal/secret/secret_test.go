package secret_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/secret"
)

const (
	// tricky needs an escape in every encoding, and its base64 both special characters.
	tricky = "pä?ss>w/o+rd \"x\\ÿ~~"
	key    = "LK-7f3a9Qz0+Xw/81b=="
)

func finder(t testing.TB, value string) *secret.Finder {
	t.Helper()
	f, err := secret.NewFinder(secret.Secret{Name: "key", Value: value})
	require.NoError(t, err)
	return f
}

func TestEveryEncodingIsFound(t *testing.T) {
	t.Parallel()
	for _, value := range []string{tricky, key, "5e884898-da28-4715-1d0e-56f8dc629277"} {
		f := finder(t, value)
		for _, e := range encodings() {
			text := e.encode(value)
			assert.Equal(t, []string{"key"}, f.Names([]byte(text)), "%s: %q", e.name, text)
			assert.NotContains(t, f.Names([]byte(f.Mask(text))), "key", "%s, masked", e.name)
		}
	}
}

// TestEveryPairOfEncodingsIsFound: each encoding within each other one.
func TestEveryPairOfEncodingsIsFound(t *testing.T) {
	t.Parallel()
	f := finder(t, key)
	for _, inner := range encodings() {
		for _, outer := range encodings() {
			if inner.packs && !holds(outer, inner) {
				continue
			}
			text := outer.encode("before " + inner.encode("left "+key+" right") + " after")
			if inner.packs {
				text = outer.encode(inner.encode("left " + key + " right"))
			}
			assert.Equal(t, []string{"key"}, f.Names([]byte(text)), "%s in %s: %q", inner.name, outer.name, text)
		}
	}
}

// holds tells whether an encoding keeps the bytes that another one packed: none
// for text does, and what has no sign of its own is only known where it begins.
func holds(outer, inner encoding) bool {
	all := string([]byte{0, 0x80, 0xff, 0xc3})
	text := strings.Contains(outer.encode(all), "\ufffd") || strings.HasPrefix(outer.name, "UTF-16") ||
		slices.Contains([]string{"HTML", "HTML numbers", "HTML hexadecimal", "JSON", "JSON, ASCII", "JavaScript", "Go", "shell", "CSV"}, outer.name)
	if inner.name == "raw deflate" || inner.name == "Brotli" {
		return slices.Contains([]string{"base64", "base64url", "base64 in lines", "base32", "hexadecimal", "HEXADECIMAL", "bytes", "numbers", "gzip", "zlib"}, outer.name)
	}
	return !text
}

// TestAnyCombinationIsFound: any secret, in up to four encodings.
func TestAnyCombinationIsFound(t *testing.T) {
	t.Parallel()
	all := encodings()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOfN(rapid.RuneFrom([]rune(letters)), 8, 40, -1).
			Filter(func(s string) bool { return strings.TrimSpace(s) == s }).Draw(t, "secret")
		f, err := secret.NewFinder(secret.Secret{Name: "key", Value: value})
		require.NoError(t, err)
		text := value
		var last encoding
		for range rapid.IntRange(0, 4).Draw(t, "layers") {
			e := all[rapid.IntRange(0, len(all)-1).Draw(t, "encoding")]
			if last.packs && !holds(e, last) || text != value && (e.name == "CSV" || e.name == "shell") {
				continue // quotes are undone where the secret has them
			}
			if strings.HasPrefix(e.name, "UTF-16") && strings.ContainsFunc(text, func(c rune) bool { return c > unicode.MaxASCII }) {
				continue // it is known by its zeros
			}
			if !last.packs {
				text = rapid.SampledFrom([]string{"", " ", `{"a":"`, "x=1&y="}).Draw(t, "before") + text +
					rapid.SampledFrom([]string{"", " ", `"}`, "&z=2"}).Draw(t, "after")
			}
			text, last = e.encode(text), e
			t.Logf("%s: %q", e.name, text)
		}
		if names := f.Names([]byte(text)); len(names) != 1 || names[0] != "key" {
			t.Fatalf("%q in %q: found %v", value, text, names)
		}
		if masked := f.Mask(text); f.Has([]byte(masked)) {
			t.Fatalf("%q is in the masked text %q", value, masked)
		}
	})
}

// TestNothingIsFoundInOtherText: neither in noise nor in text about the same.
func TestNothingIsFoundInOtherText(t *testing.T) {
	t.Parallel()
	f := finder(t, key).Tokens()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise
	for _, alphabet := range []string{"", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "0123456789abcdef", `%\&;u0123456789abcdefx"' `} {
		noise := make([]byte, 100_000)
		for i := range noise {
			noise[i] = byte(random.UintN(256))
			if alphabet != "" {
				noise[i] = alphabet[random.IntN(len(alphabet))]
			}
		}
		assert.Empty(t, f.Names(noise), alphabet)
	}
	text := strings.Repeat(answer, 20)
	assert.Empty(t, f.Names([]byte(text)))
	assert.Equal(t, text, f.Mask(text))
}

// letters are what secrets in tests are made of: many that need escapes.
const letters = "abcXYZ0189-_.~+/=%\\\"'&;:?#<>{}$ äßÿ€漢\U0001F511"

// answer is what an answer looks like.
const answer = `{"hsCode":"6109100010","description":"T-shirts, singlets and other vests, of cotton, knitted","countryOfDestination":"US","confidence":0.93,
"links":["https://hscode.api.sbx.avalara.com/hscode/classify?item=1&locale=en%2DUS"],"note":"A \"T-shirt\" & more","id":"0b4ec0de-5af3-4c2b-9d3e-8d6f0a7e1c55"}
`

// TestOthersOfTheSameKindAreNotFound: what differs in one character, or lacks one.
func TestOthersOfTheSameKindAreNotFound(t *testing.T) {
	t.Parallel()
	f := finder(t, key)
	for i := range key {
		other := key[:i] + "~" + key[i+1:]
		for _, e := range encodings() {
			assert.Empty(t, f.Names([]byte(e.encode(other))), "%s: %q", e.name, other)
		}
	}
}

// TestABombEnds: what unpacks without end is searched up to a limit, and said
// to be unsearched.
func TestABombEnds(t *testing.T) {
	t.Parallel()
	f := finder(t, key)
	text := key + strings.Repeat(string(make([]byte, 1<<20)), 17)
	for _, name := range []string{"gzip", "zlib", "raw deflate", "Brotli", "Zstandard"} {
		assert.Equal(t, []string{"key", secret.Unsearched}, f.Names([]byte(find(name).encode(text))), name)
	}
}

// TestADamagedPackIsSearched up to the damage.
func TestADamagedPackIsSearched(t *testing.T) {
	t.Parallel()
	f := finder(t, key)
	noise := make([]byte, 300_000)
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // noise
	for i := range noise {
		noise[i] = byte(random.UintN(256))
	}
	for _, name := range []string{"gzip", "zlib", "raw deflate", "Brotli", "Zstandard"} {
		packed := find(name).encode(key + string(noise))
		assert.Equal(t, []string{"key"}, f.Names([]byte(packed[:len(packed)-100])), name)
	}
}

func TestNoFinderFindsNothing(t *testing.T) {
	t.Parallel()
	for _, f := range []*secret.Finder{nil, {}, (*secret.Finder)(nil).With(nil)} {
		assert.Empty(t, f.Names([]byte(key)))
		assert.False(t, f.Has([]byte(key)))
		assert.Equal(t, key, f.Mask(key))
		got, names := f.Redact([]byte(key))
		assert.Equal(t, key, string(got))
		assert.Empty(t, names)
	}
}

func TestAWipedFinderKnowsNothing(t *testing.T) {
	t.Parallel()
	f := finder(t, key)
	f.Wipe()
	assert.False(t, f.Has([]byte(key)))
}

func FuzzNames(f *testing.F) {
	for _, e := range encodings() {
		f.Add([]byte(e.encode(key)), key)
		f.Add([]byte(e.encode("%5Cu0041&amp;")), tricky)
		f.Add([]byte(e.encode("a text before")+e.encode(key)), key) // as two streams one behind the other
		f.Add([]byte(e.encode(key)+e.encode("a text behind")), key)
	}
	f.Fuzz(func(t *testing.T, text []byte, value string) {
		if secret.Weak(value) != "" || !utf8.ValidString(value) {
			return // it is not searched for
		}
		found, err := secret.NewFinder(secret.Secret{Name: "key", Value: value})
		if err != nil {
			return // nothing is searched for, and the caller knows
		}
		found = found.Tokens()
		if bytes.Contains(text, []byte(strings.TrimSpace(value))) && !found.Has(text) {
			t.Fatal("it is there as it is and was not found")
		}
		if masked := found.Mask(string(text)); found.Has([]byte(masked)) {
			t.Fatalf("masked, %q still has it", masked)
		}
		redacted, names := found.Redact(text)
		if again, more := found.Redact(redacted); len(names) > 0 && len(more) > 0 {
			t.Fatalf("redacted again: %q becomes %q", redacted, again)
		}
	})
}
