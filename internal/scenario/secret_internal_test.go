package scenario

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestShortTextsOfTheEnvironmentAreHidden as they are, and as a message has them in quotes,
// whole or up to where it was cut.
func TestShortTextsOfTheEnvironmentAreHidden(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"hush", `hu"h`, `hush"`, "hu\nh"} {
		h := newHider([]string{text})
		assert.Equal(t, "a *** b", h.hide("a "+text+" b"))
		assert.Equal(t, `"***"`, h.hide(strconv.Quote(text)))
		assert.Equal(t, "x***"+ellipsis, h.hide("x"+text[:4]+ellipsis))
	}
	assert.Equal(t, "x***"+ellipsis, newHider([]string{`hunter-hunter"`}).hide(`xhunter-hunter\"`+ellipsis))
	assert.Equal(t, "abc", newHider([]string{"abc"}).hide("abc"), "it may be anything")
}
