package quotatest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// Hundred lets 100 processes ask, all at once, for one unit each of an allowance
// of 37, and spend it.
func (p Processes) Hundred(t *testing.T) {
	const granted, many = 37, 100
	s := p.share(t, granted, long)
	children := make([]*child, many)
	for i := range children {
		children[i] = s.child(long)
	}
	for _, c := range children {
		c.must("ready")
	}
	for i, c := range children {
		c.tell("begin run%d 1", i)
	}
	admitted := 0
	for i, c := range children {
		answer := c.answer()
		if answer == "ok" {
			admitted++
			c.tell("spends run%d 2", i)
		} else {
			assert.Contains(t, answer, "blocked: 1 requested")
			children[i] = nil
		}
	}
	for _, c := range children {
		if c != nil {
			require.Equal(t, "spent", c.answer())
			assert.Contains(t, c.answer(), "may spend 1 and has spent 1")
		}
	}
	assert.Equal(t, granted, admitted)
	s.figures(granted, 0, 0)
	assert.Equal(t, many-granted, s.count(quota.KindBlock))
}
