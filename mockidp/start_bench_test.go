package mockidp_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/mockidp"
)

// BenchmarkStartStop makes a server that listens on loopback, and closes it. Its
// key is made at the first token.
func BenchmarkStartStop(b *testing.B) {
	for b.Loop() {
		idp, err := mockidp.New(mockidp.Config{})
		require.NoError(b, err)
		srv := httptest.NewServer(idp)
		srv.Close()
	}
}
