package plan_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/cmd/internal/plan"
)

// A plan that others wrote may have many files: each is looked at once.
func TestPathsOfManyFiles(t *testing.T) {
	t.Parallel()
	const many = 80_000
	f := &plan.Followed{}
	for i := range many {
		f.Files = append(f.Files, plan.Source{File: "scenarios/" + strconv.Itoa(i%(many/2)) + ".yaml"})
	}
	began := time.Now()
	paths := f.Paths(nil)
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Len(t, paths, many/2)
	assert.Equal(t, []string{"scenarios/0.yaml", "scenarios/1.yaml"}, paths[:2])
}
