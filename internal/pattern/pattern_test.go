package pattern_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/pattern"
)

var word, broken = pattern.New(`^a+$`), pattern.New(`(`)

// One that is no regular expression hurts nobody before it is used, and Check finds it.
func TestPatternIsCompiledWhenItIsUsed(t *testing.T) {
	t.Parallel()
	assert.True(t, word.MatchString("aa"))
	assert.False(t, word.MatchString("ab"))
	assert.Equal(t, "aa", word.FindString("aa"))
	assert.ErrorContains(t, pattern.Check(), "missing closing ): `(`")
	assert.Panics(t, func() { broken.MatchString("a") })
}
