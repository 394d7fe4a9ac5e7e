package secret_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/secret"
)

func TestMaskKeepsWhatIsAround(t *testing.T) {
	t.Parallel()
	f := finder(t, key)
	for in, want := range map[string]string{
		"nothing here":                           "nothing here",
		"key=" + key + ";":                       "key=***;",
		`{"a":"` + key + `","b":1}`:              `{"a":"***","b":1}`,
		"token " + twice(key) + " was refused":   "token *** was refused",
		"line one\n" + twice(key) + "\nline two": "line one\n***\nline two",
		find("gzip").encode(key):                 "***",
		"":                                       "",
	} {
		assert.Equal(t, want, f.Mask(in))
	}
}

func twice(s string) string { return find("base64").encode(find("base64url").encode(s)) }

// TestMarks has the rules that make a mark useful: one value, one mark,
// everywhere; a longer secret before its part.
func TestMarks(t *testing.T) {
	t.Parallel()
	f, err := secret.NewFinder(secret.Secret{Name: "part", Value: "secret"}, secret.Secret{Name: "whole", Value: " Bearer my-secret-key\n"})
	require.NoError(t, err)
	f = f.Tokens()
	for in, want := range map[string]string{
		"my-secret-key, secret":                     secret.Mark("whole", "my-secret-key") + ", " + secret.Mark("part", "secret"),
		"{{secret:gone#0123}}":                      "{{secret:gone#0123}}",
		"%7B%7Bsecret%3Agone%230123%7D%7D":          "{{secret:gone#0123}}",
		"Bearer AB12cd34EF56gh78IJ90kl12":           "Bearer {{secret:bearer#3ac76b7532c5}}",
		"Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJh.": "Bearer {{secret:jwt#6cfee324ecb2}}",
		"bearer bonds and ball bearer certificates": "bearer bonds and ball bearer certificates",
	} {
		got, _ := f.Redact([]byte(in))
		assert.Equal(t, want, string(got))
		assert.Empty(t, f.Names(got), "a mark is no secret, also of one called so")
	}
	assert.True(t, secret.IsMark("{{secret:gone#0123}}"))
	assert.False(t, secret.IsMark("{{secret:gone#0123}} "))
	assert.False(t, secret.IsMark(""))
}

func TestBackwardsAndInTheOtherCase(t *testing.T) {
	t.Parallel()
	f := finder(t, key)
	reversed := []byte{}
	for _, c := range []byte(key) {
		reversed = append([]byte{c}, reversed...)
	}
	for _, text := range []string{string(reversed), strings.ToUpper(key), strings.ToLower(key)} {
		assert.Equal(t, []string{"key"}, f.Names([]byte("a "+text+" b")), text)
		assert.Equal(t, "a *** b", f.Mask("a "+text+" b"))
	}
}
