package secret_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/secret"
)

// TestBrokenCodes: a code that was broken into lines stays one where a shell makes
// spaces of the breaks, or a program continues its line.
func TestBrokenCodes(t *testing.T) {
	t.Parallel()
	const key = "LK-4711/zoned+0815-cotton"
	f, err := secret.NewFinder(secret.Secret{Name: "key", Value: key})
	require.NoError(t, err)
	coded := base64.StdEncoding.EncodeToString([]byte("a-client-id:" + key))
	for name, text := range map[string]string{
		"spaces":       "auth = " + strings.TrimSpace(lines(coded, " ")) + " end",
		"continued":    "AUTH=" + lines(coded, "\\\n"),
		"continued, 2": "AUTH=" + lines(coded, "\\\r\n  "),
		"underscores":  strings.TrimSuffix(each("%02x_")(key), "_"),
		"bars":         strings.TrimSuffix(each("%d|")(key), "|"),
		"slashes":      strings.TrimSuffix(each("%02x/")(key), "/"),
		"in hex":       hex.EncodeToString([]byte(lines(coded, " "))),
	} {
		assert.Equal(t, []string{"key"}, f.Names([]byte(text)), "%s: %s", name, text)
		assert.False(t, f.Has([]byte(f.Mask(text))), name)
	}
	assert.False(t, f.Has([]byte("internationalization standardization LK-4711 and other long words follow")))
}
