package show

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlain(t *testing.T) {
	assert.Equal(t, "größe 1", Plain("größe 1"))
	assert.Equal(t, `\x1b[2J`, Plain("\x1b[2J"))
	assert.Equal(t, `a\nb`, Plain("a\nb"))
}
