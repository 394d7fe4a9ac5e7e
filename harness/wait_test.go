package harness_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness"
	"github.com/hsharness/hsharness/mockidp/control"
)

func classifications(e control.Entry) bool { return e.Path == "/hscode/classify" }

func TestWaitFor(t *testing.T) {
	for name, start := range map[string]func(t *testing.T){"a harness of its own": func(*testing.T) {}, "inside exec": func(t *testing.T) { inside(t) }} {
		t.Run(name, func(t *testing.T) {
			start(t)
			h := harness.Start(t, harness.Options{})
			go func() {
				for range 2 {
					_, err := classify(h.Client(), h.APIURL(), "laptop")
					assert.NoError(t, err)
				}
			}()
			got := h.WaitFor(2, classifications, time.Minute)
			require.Len(t, got, 2)
			assert.Equal(t, "/hscode/classify", got[1].Path)

			rec := &fatalRecorder{recorder: recorder{TB: t}}
			other := harness.Start(rec, harness.Options{})
			_, err := classify(other.Client(), other.APIURL(), "laptop")
			assert.NoError(t, err)
			never := func(control.Entry) bool { return false }
			assert.Panics(t, func() { other.WaitFor(1, never, 50*time.Millisecond) })
			assert.Contains(t, rec.fatal, "wait for 1 requests: context deadline exceeded: 0 of 1 requests came;")
			assert.Contains(t, rec.fatal, "POST /connect/token -> 200", "it shows what came instead")
		})
	}
}
