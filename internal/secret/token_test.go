package secret

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTokensAreThoseOfTheForms: what is found is what the forms of both say, wherever it
// was looked before.
func TestTokensAreThoseOfTheForms(t *testing.T) {
	t.Parallel()
	jwt := regexp.MustCompile(`^eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*`)
	bearer := regexp.MustCompile(`^(?i:bearer)(?: |\+|%20)+([A-Za-z0-9._~+/-]{20,}=*)`)
	pieces := rapid.SampledFrom([]string{"eyJ", "eyJhbGci", ".", "..", "bearer", "Bearer", " ", "+", "++++++++++", "%20", "%2", "abcde", "a-_Z9", "/", "~", "=", "==", "0123456789", "x", "\n", "ä"})
	agree := func(t assert.TestingT, text []byte) {
		s := scan{t: text}
		for i := range text {
			assert.Len(t, jwt.Find(text[i:]), max(s.jwt(i)-i, 0), "a JWT at %d of %q", i, text)
			from, end := s.bearer(i)
			if at := bearer.FindSubmatchIndex(text[i:]); at == nil {
				assert.Zero(t, end, "none at %d of %q", i, text)
			} else {
				assert.Equal(t, []int{i + at[2], i + at[3]}, []int{from, end}, "a bearer token at %d of %q", i, text)
			}
		}
	}
	plus := strings.Repeat("+", 21)
	for _, text := range []string{
		"Bearer" + plus + "%20123456789", "Bearer" + plus + " 123456789", "bearer " + plus + " " + plus, "bearer+" + plus[1:] + " " + plus[1:] + "a",
		"bearer " + plus + "%20" + plus[:19] + "a==", "bearer" + plus + "\n" + plus, "bearer " + plus[:19] + "%2" + plus,
		"bearer" + plus[1:] + " x", "bearer+" + plus[:11] + " " + plus[:11] + " x", "bearer+" + plus[:11] + "%20" + plus[:11] + " x",
	} {
		agree(t, []byte(text))
	}
	rapid.Check(t, func(t *rapid.T) { agree(t, []byte(strings.Join(rapid.SliceOfN(pieces, 0, 30).Draw(t, "pieces"), ""))) })
}

// TestATextFullOfBeginningsIsSearchedSoon: each of these would be gone through once for
// each thing that seems to begin in it.
func TestATextFullOfBeginningsIsSearchedSoon(t *testing.T) {
	t.Parallel()
	f, err := NewFinder(Secret{Name: "key", Value: "LK-7f3a9Qz0+Xw/81b=="})
	require.NoError(t, err)
	f = f.Tokens()
	many := func(part string) string { return strings.Repeat(part, (1<<20)/len(part)) }
	for name, text := range map[string]string{
		"headers of tokens": many("eyJ"), "headers and a payload": many("eyJ") + "." + many("a"), "words before tokens": many("bearer+"),
		"empty lines": many("\n"), "spaces in lines": many(" \n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan struct{})
			go func() {
				defer close(done)
				f.Names([]byte(text))
				f.Redact([]byte(text))
			}()
			select {
			case <-done:
			case <-time.After(time.Minute): // it takes less than a second, and would take an hour
				require.FailNow(t, "it is still searched")
			}
		})
	}
}

// TestAWordBeforeAWordIsNoTokensName: what follows on Bearer is one token, also where it
// begins with that word.
func TestAWordBeforeAWordIsNoTokensName(t *testing.T) {
	t.Parallel()
	text, names := (&Finder{}).Tokens().Redact([]byte("a=bearer+bearer+0123456789abcdefghij"))
	assert.Regexp(t, `^a=bearer\+\{\{secret:bearer#[0-9a-f]{12}\}\}$`, string(text))
	assert.Equal(t, []string{"bearer"}, names)

	text, names = (&Finder{}).Tokens().Redact([]byte("bearer +++++++++++++++++++a, a plus may begin one"))
	assert.Regexp(t, `^bearer \{\{secret:bearer#[0-9a-f]{12}\}\}, a plus`, string(text))
	assert.Equal(t, []string{"bearer"}, names)

	text, names = (&Finder{}).Tokens().Redact([]byte("bearer+++++++++++++++++++++%20short, and be one"))
	assert.Regexp(t, `^bearer\+\{\{secret:bearer#[0-9a-f]{12}\}\}%20short, and`, string(text))
	assert.Equal(t, []string{"bearer"}, names)
}
