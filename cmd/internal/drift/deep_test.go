package drift

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestADeepAnswerIsComparedAsAWhole: of values thousands deep the names that each is in are
// looked at one by one; 80 KB of them took minutes.
func TestADeepAnswerIsComparedAsAWhole(t *testing.T) {
	t.Parallel()
	body := func(code string) []byte {
		return []byte(strings.Repeat(`{"a":`, 9000) + `{"hsCode":"` + code + `"}` + strings.Repeat("}", 9000))
	}
	changed, _ := Policy{}.bodies(body("610910"), body("610990"))
	assert.Equal(t, []Change{{"body", []byte(`"54019 bytes"`), []byte(`"54019 bytes"`)}}, changed)
	changed, _ = Policy{}.bodies(body("610910"), body("610910"))
	assert.Empty(t, changed)
}
