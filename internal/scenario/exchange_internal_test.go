package scenario

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestAnExchangeIsShownOnce: thousands of expectations may fail of one, and to show it all of
// its answer is looked at.
func TestAnExchangeIsShownOnce(t *testing.T) {
	t.Parallel()
	looked := 0
	mask := func(text string) string { looked++; return text }
	x := &exchange{method: "GET", url: "http://127.0.0.1/a", status: 200, body: []byte(`{}`)}
	text := x.once(mask)
	before := looked
	assert.Positive(t, before)
	assert.Equal(t, text, x.once(mask))
	assert.Equal(t, before, looked)
}
