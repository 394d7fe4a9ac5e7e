package secret_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/secret"
)

func TestBadSecretsAreTold(t *testing.T) {
	t.Parallel()
	_, err := secret.NewFinder(
		secret.Secret{Name: "short", Value: "  abcde "}, secret.Secret{Name: "Upper", Value: "abcdefgh"}, secret.Secret{Name: "bytes", Value: "abcdefg\xff"})
	require.Error(t, err)
	for _, part := range []string{"secret short has 5 characters", `"Upper"`, "bytes is not UTF-8"} {
		assert.ErrorContains(t, err, part)
	}
	assert.NotContains(t, err.Error(), "abc")
}

func TestWeakSecrets(t *testing.T) {
	t.Parallel()
	for value, weak := range map[string]bool{
		"": true, "test": true, "a1b2c3d": true, "classification": true, "20261128": true, "6109100010": true,
		"a1b2c3d4": false, "sandbox-secret": false, "correcthorsebattery": false, "1234567890123456": false, key: false, tricky: false,
	} {
		assert.Equal(t, weak, secret.Weak(value) != "", "%q: %s", value, secret.Weak(value))
	}
}

func TestFlaws(t *testing.T) {
	t.Parallel()
	for value, says := range map[string]string{
		"a b\n": "ends with a line break", "a\r": "ends with a carriage return", "a\t": "ends with a tab", "a ": "ends with white space", "a\u00a0": "ends with white space",
		"\ufeffa": "begins with a byte order mark", " a": "begins with white space", "\u200ba": "begins with a character that can't be seen", "a\u00ad": "ends with a character that can't be seen",
		`"a"`: "is in quotes, which are part of it", "'a'": "is in quotes, which are part of it", "a\x00b": "has a control character in it", "a\nb": "has a control character in it",
		"a\u200bb": "has a character in it that can't be seen", "a\xffb": "is not UTF-8",
		"": "", key: "", tricky: "", "a b": "", `"a`: "", "'": "", "ä€漢": "",
	} {
		assert.Equal(t, says, secret.Flaw(value), "%q", value)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	s := secret.Secret{Name: "key", Value: key}
	assert.Equal(t, "key key", s.String()+" "+s.GoString())
}
