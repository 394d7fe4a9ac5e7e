package mockidp

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A client that is not there takes as long to refuse as one whose secret is wrong: the
// time would tell which there are. The shortest of many is compared, which no other
// process of the machine makes longer.
func TestTimeTellsNoClients(t *testing.T) {
	cfg := Sandbox()
	cfg.Keys = NewMockKeys()
	cfg.Clients = []Client{{ID: "alice", Secrets: []Secret{{SHA256: strings.Repeat("ab", 32)}}}}
	s, err := New(cfg)
	require.NoError(t, err)
	shortest := map[string]time.Duration{"alice": math.MaxInt64, "nobody": math.MaxInt64}
	for range 2000 {
		for id := range shortest {
			c := credentials{id, "hsk_" + strings.Repeat("0", 64)}
			begun := time.Now()
			for range 20 {
				s.authenticate(c)
			}
			shortest[id] = min(shortest[id], time.Since(begun))
		}
	}
	assert.InEpsilon(t, shortest["alice"], shortest["nobody"], 0.3, "%v", shortest)
}
