package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/reach"
)

// startGateway starts one as a process of its own, on free ports, and returns its
// URLs. It must end with 0 when it is told to.
func (s *sandbox) startGateway(args ...string) (reach.GatewayURLs, func()) {
	s.t.Helper()
	cmd := s.command(append(args, "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--quiet")...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, cmd.Start())
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(s.t, err)
	var urls reach.GatewayURLs
	require.NoError(s.t, json.Unmarshal(line, &urls))
	return urls, func() {
		require.NoError(s.t, cmd.Process.Signal(syscall.SIGTERM))
		assert.NoError(s.t, cmd.Wait(), "SIGTERM is how a gateway ends well")
	}
}

func TestGatewayPageAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "docs/gateway.md")
	r := newReader(t)
	base, stop := "", func() {}
	for _, line := range p.typed {
		if strings.HasPrefix(line, "hsharness gateway --") {
			var urls reach.GatewayURLs
			urls, stop = r.startGateway(strings.Fields(line)[1:]...)
			base = strings.TrimPrefix(urls.Identity, "http://")
			continue
		}
		code, out := r.types(strings.ReplaceAll(line, "127.0.0.1:8730", base))
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	stop()
	assert.EqualValues(t, 2, r.served(), "the suite is bought once")
	status := r.status()
	assert.EqualValues(t, 39, status.Spent)
	assert.Empty(t, status.ActiveRuns, "what it held went back when it ended")
	r.verify()
}
