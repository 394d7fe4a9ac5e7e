package sealed

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestTrustIsBounded: a program that asks for any number of names costs its guard no memory,
// and fills no screen.
func TestTrustIsBounded(t *testing.T) {
	t.Parallel()
	var of trust
	for i := range 10_000 {
		of.count(fmt.Sprintf("%d.avalara.com", i))
	}
	of.count("0.avalara.com")
	assert.Len(t, of.refused, mostNames)
	assert.Equal(t, 2, of.refused["0.avalara.com"])
	notes := of.notes()
	assert.Len(t, notes, mostNames+1)
	assert.Equal(t, "other names: "+connections(10_000-mostNames)+" broken off in the same way", notes[mostNames])
}
