package intercept

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/avalara"
)

// TestNamesThatWereAskedForAreShort: a TLS greeting may ask for a name of 64 kB, and 10,000
// are kept.
func TestNamesThatWereAskedForAreShort(t *testing.T) {
	t.Parallel()
	var a asked
	long := strings.Repeat("x", 60_000)
	a.note(avalara.Address{Name: long, Port: httpsPort})
	a.note(avalara.Address{Name: "example.com", Port: httpsPort})
	names, more := a.list()
	assert.Equal(t, []string{"example.com", long[:longest] + "…"}, names)
	assert.Zero(t, more)
}
