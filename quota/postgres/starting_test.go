package postgres

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// TestServerThatStartsIsUnreachable: who connects while a server starts is told so by the
// server, and could no more ask the ledger than where nothing listens.
func TestServerThatStartsIsUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	const fields = "SFATAL\x00VFATAL\x00C57P03\x00Mthe database system is starting up\x00\x00"
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1024)) // the start of a connection
			_, _ = io.WriteString(c, "E\x00\x00\x00"+string(rune(len(fields)+4))+fields)
			_ = c.Close()
		}
	}()
	_, err = Open(t.Context(), Config{DSN: "postgres://hsharness@" + l.Addr().String() + "/hsharness?sslmode=disable"})
	require.ErrorIs(t, err, quota.ErrUnreachable)
	assert.ErrorContains(t, err, "the database system is starting up")
}
