package seal_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/seal"
)

func TestMain(m *testing.M) {
	if seal.IsShim() {
		os.Exit(seal.Shim())
	}
	os.Exit(m.Run())
}

// place is a seal and what its command wrote.
type place struct {
	*seal.Seal
	t   *testing.T
	out *bytes.Buffer
}

func make1(t *testing.T, cfg seal.Config) place {
	t.Helper()
	var out bytes.Buffer
	cfg.Stdout, cfg.Stderr = &out, &out
	s, err := seal.Start(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return place{s, t, &out}
}

// run runs a script of the shell.
func (p place) run(script string) (code int, out string) {
	p.t.Helper()
	require.NoError(p.t, p.Start("/bin/sh", []string{"sh", "-c", script}, os.Environ(), ""))
	code, err := p.Wait()
	require.NoError(p.t, err)
	return code, p.out.String()
}

func TestCommandOfASeal(t *testing.T) {
	t.Parallel()
	s := make1(t, seal.Config{Hosts: map[string]netip.Addr{"one.example": netip.MustParseAddr("127.0.77.1")}, Files: func(string) map[string][]byte { return map[string][]byte{"dir/own.txt": []byte("own\n")} }})
	l, err := s.Listen("127.0.77.1:443")
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "answer to "+r.Host+"\n") })}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	code, out := s.run(`id -u; grep Cap /proc/self/status; grep NoNew /proc/self/status; cat /etc/hosts; curl -s http://one.example:443/; cat ` + s.Folder() + `/dir/own.txt; ls -la /mnt; ps -ef; mount | tail -8; exit 3`)
	assert.Equal(t, 3, code)
	t.Log(out)
	_, err = net.Dial("tcp", "127.0.77.1:443")
	assert.Error(t, err, "outside there is none")
	assert.True(t, strings.Contains(out, "answer to one.example"))
}
