package seal_test

import (
	"bytes"
	"errors"
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

func start(t *testing.T, cfg seal.Config) place {
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

// serve answers with a text at an address inside, by this process.
func (p place) serve(address, text string) {
	p.t.Helper()
	l, err := p.Listen(address)
	require.NoError(p.t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text+"\n") })}
	go func() { _ = server.Serve(l) }()
	p.t.Cleanup(func() { _ = server.Close() })
}

func TestCommandOfASeal(t *testing.T) {
	t.Parallel()
	s := start(t, seal.Config{Hosts: map[string]netip.Addr{"one.example": netip.MustParseAddr("127.0.77.1")}})
	s.serve("127.0.77.1:443", "inside")
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = outside.Close() })
	code, out := s.run(`curl -s http://one.example:443/
		grep -E "^(Cap|NoNew)" /proc/self/status
		ls -l /proc/self/fd | grep -cE 'socket:|anon_inode:|memfd:'
		curl -s -o /dev/null http://` + outside.Addr().String() + `/; echo $?
		cat /proc/net/dev | grep -c :
		exit 3`)
	assert.Equal(t, 3, code)
	const none = "0000000000000000"
	assert.Equal(t, "inside\nCapInh:\t"+none+"\nCapPrm:\t"+none+"\nCapEff:\t"+none+"\nCapBnd:\t"+none+"\nCapAmb:\t"+none+"\nNoNewPrivs:\t1\n0\n7\n1\n", out)
	_, err = net.Dial("tcp", "127.0.77.1:443")
	assert.Error(t, err, "outside there is none")
}

// TestFilesOfASeal are there to be read, and are nowhere else.
func TestFilesOfASeal(t *testing.T) {
	t.Parallel()
	before, err := os.ReadFile("/etc/hosts")
	require.NoError(t, err)
	s := start(t, seal.Config{Files: func(folder string) map[string][]byte {
		return map[string][]byte{"own.txt": []byte("own\n"), "deeper/own.txt": []byte("deeper\n"), "/etc/passwd": []byte("other\n"), "/etc/no/such.file": []byte("none\n")}
	}})
	code, out := s.run("cd " + s.Folder() + " && cat own.txt deeper/own.txt /etc/passwd; ls -d /etc/no; for f in own.txt new.txt /etc/hosts /etc/passwd; do echo x >$f && echo written; done; exit 0")
	assert.Equal(t, 0, code)
	assert.True(t, strings.HasPrefix(out, "own\ndeeper\nother\n"), out)
	assert.NotContains(t, out, "written")
	_, err = os.Stat(s.Folder() + "/own.txt")
	assert.ErrorIs(t, err, os.ErrNotExist)
	after, err := os.ReadFile("/etc/hosts")
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestHowItEnds(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{
		"exit 0": 0, "exit 255": 255, "kill -TERM $$": 143, "kill -9 $$": 137,
		"kill -9 1; exit 4":           4, // nobody inside can end the shim
		"sleep 600 & exit 5":          5, // and nothing outlives the command
		"(sleep 0.01; exit 6) & wait": 0,
	} {
		code, _ := start(t, seal.Config{}).run(script)
		assert.Equal(t, want, code, script)
	}
	s := start(t, seal.Config{})
	err := s.Start("/no/such/program", []string{"a"}, nil, "")
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, err = s.Wait()
	assert.Error(t, err)
	_, err = s.Listen("127.0.0.1:0")
	assert.Error(t, err, "there is no seal any more")
	assert.NoError(t, s.Close())
}

func TestListenersThatCantBe(t *testing.T) {
	t.Parallel()
	s := start(t, seal.Config{})
	s.serve("127.0.0.1:443", "")
	_, err := s.Listen("127.0.0.1:443")
	assert.ErrorContains(t, err, "address already in use")
	_, err = s.Listen("192.0.2.1:443")
	assert.ErrorContains(t, err, "cannot assign requested address")
	_, err = s.ListenPacket("127.0.0.1:53")
	assert.NoError(t, err)
}

// TestStepsAreExplained: whoever asks for a seal is told which step failed, in words of
// their own.
func TestStepsAreExplained(t *testing.T) {
	t.Parallel()
	told := ""
	_, err := seal.Start(seal.Config{
		Files:   func(string) map[string][]byte { return map[string][]byte{"a": nil, "a/b": nil} },
		Explain: func(step string, err error) error { told = step; return errors.New("because") },
	})
	assert.EqualError(t, err, "because")
	assert.Equal(t, seal.StepMounts, told)
}

func TestProbe(t *testing.T) {
	t.Parallel()
	assert.NoError(t, seal.Probe())
}
