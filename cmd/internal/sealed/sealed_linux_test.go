package sealed_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/authority"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/seal"
	"github.com/hsharness/hsharness/cmd/internal/sealed"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/services"
)

func TestMain(m *testing.M) {
	if seal.IsShim() {
		os.Exit(seal.Shim())
	}
	os.Exit(m.Run())
}

// read is a project file's project.
func read(t *testing.T, text string) *project.Project {
	t.Helper()
	file := filepath.Join(t.TempDir(), project.Name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	p, err := project.Read(file, false, func(string) string { return "" })
	require.NoError(t, err)
	return p
}

// run runs a script of the shell in a seal with services of its own.
func run(t *testing.T, cfg sealed.Config, environ ...string) (code int, out string, bill seen) {
	t.Helper()
	var text bytes.Buffer
	script := cfg.How
	cfg.How, cfg.Stdout, cfg.Stderr = sealed.Yes, &text, &text
	if cfg.Project == nil {
		cfg.Project = read(t, "version: 1\n")
	}
	if cfg.Getenv == nil {
		cfg.Getenv = func(string) string { return "" }
	}
	place, err := sealed.Open(cfg)
	require.NoError(t, err)
	defer func() { assert.NoError(t, place.Close()) }()
	st, err := services.New(services.Config{Listen: place.Opener()})
	require.NoError(t, err)
	defer func() { assert.NoError(t, st.Close()) }()
	require.NoError(t, place.Serve(st))
	code, err = process.Command{Inside: place}.Run([]string{"sh", "-c", script}, place.Environ(append([]string{"PATH=" + os.Getenv("PATH")}, environ...)))
	require.NoError(t, err)
	place.Fill(&bill.Bill)
	require.NoError(t, st.Close())
	bill.Notes = place.Notes()
	return code, text.String(), bill
}

// seen is what a seal saw.
type seen struct {
	report.Bill
	Notes []string
}

// script is a config whose command is a script.
func script(text string, forward ...int) sealed.Config {
	return sealed.Config{Flags: sealed.Flags{How: text, Forward: forward}}
}

// portOf is the port of a server of this machine.
func portOf(t *testing.T, addr net.Addr) int {
	t.Helper()
	_, port, err := net.SplitHostPort(addr.String())
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return n
}

func TestForwardedPorts(t *testing.T) {
	t.Parallel()
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello from outside\n") })
	in, out := httptest.NewServer(hello), httptest.NewServer(hello)
	t.Cleanup(in.Close)
	t.Cleanup(out.Close)
	open, closed := portOf(t, in.Listener.Addr()), portOf(t, out.Listener.Addr())
	cfg := script(fmt.Sprintf(`for at in 127.0.0.1:%d [::1]:%d localhost:%d 127.0.0.1:%d; do curl -s --max-time 5 http://$at || echo none; done`, open, open, open, closed))
	cfg.Project = read(t, fmt.Sprintf("version: 1\nexec: { forward: [%d] }\n", open))
	_, text, _ := run(t, cfg)
	assert.Equal(t, strings.Repeat("hello from outside\n", 3)+"none\n", text)
}

// TestForwardsCarryBothWays: an end that has said all may still be told something.
func TestForwardsCarryBothWays(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				all, _ := io.ReadAll(c) // until the other end has said all
				_, _ = fmt.Fprintf(c, "%d bytes\n", len(all))
				_ = c.Close()
			}()
		}
	}()
	port := portOf(t, l.Addr())
	_, text, _ := run(t, script(fmt.Sprintf(`bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d; head -c 3000000 /dev/zero >&3; exec 4>&3; python3 -c "import socket; s=socket.socket(fileno=3); s.settimeout(10); s.shutdown(socket.SHUT_WR); print(s.recv(100).decode(), end=\"\")"'`, port), port))
	assert.Equal(t, "3000000 bytes\n", text)
	_, text, bill := run(t, script(fmt.Sprintf(`curl -s http://127.0.0.1:%d; case $? in 52|56) echo closed;; esac`, 9), 9))
	assert.Equal(t, "closed\n", text, "nobody listens there: it is closed at once")
	assert.Equal(t, []string{"forward 9: nobody listens at this port of the machine's loopback, and 1 connection was closed: start the server, or name its port"}, bill.Notes)
}

func TestNoForwardToTheSandbox(t *testing.T) {
	t.Parallel()
	cfg := sealed.Config{
		Flags:   sealed.Flags{How: sealed.Yes, Forward: []int{8710}},
		Project: read(t, "version: 1\nenvironments: { sandbox: { identity_url: 'http://127.0.0.1:8700', api_url: 'http://localhost:8710' } }\n"),
		Getenv:  func(string) string { return "" },
	}
	const refused = "forward 8710: there is the sandbox of this project, and only the guard may reach it"
	_, err := sealed.Open(cfg)
	assert.EqualError(t, err, refused)

	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	own, err := os.Hostname()
	require.NoError(t, err)
	hosts := []string{own}
	for _, one := range addresses {
		if network, ok := one.(*net.IPNet); ok && !network.IP.IsLinkLocalUnicast() {
			hosts = append(hosts, network.IP.String())
		}
	}
	for _, host := range hosts { // a server may listen at all addresses of its machine
		cfg.Project = read(t, fmt.Sprintf("version: 1\nenvironments: { sandbox: { identity_url: 'http://%s', api_url: 'http://%s' } }\n", net.JoinHostPort(host, "8700"), net.JoinHostPort(host, "8710")))
		_, err := sealed.Open(cfg)
		assert.EqualError(t, err, refused, host)
	}
	cfg.Forward = []int{53}
	_, err = sealed.Open(cfg)
	assert.EqualError(t, err, "forward 53: names are asked for there inside, and answered by the seal")
}

// TestClientsThatDoNotTrust: whoever brings authorities of its own is told what to do.
func TestClientsThatDoNotTrust(t *testing.T) {
	t.Parallel()
	other, err := authority.New()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "other.pem")
	require.NoError(t, os.WriteFile(file, other.PEM(), 0o600))
	url := "https://ai-sbx.avlr.sh/.well-known/openid-configuration"
	_, _, notes := run(t, script("curl -s "+url+" && curl -s --cacert "+file+" "+url+"; curl -s --cacert "+file+" "+url))
	assert.Equal(t, []string{"ai-sbx.avlr.sh: 2 connections were broken off by a client that does not trust the certificates of this run: have it use the system's authorities, or those in the file that $SSL_CERT_FILE names inside"}, notes.Notes)
}

func TestTheProjectsOwnHosts(t *testing.T) {
	t.Parallel()
	cfg := script("curl -s -o /dev/null -w '%{http_code}' https://legacy.sandbox.example/api")
	cfg.Project = read(t, "version: 1\nenvironments: { sandbox: { legacy_api_url: 'https://legacy.sandbox.example' } }\n")
	upstream, err := cfg.Project.Upstream()
	require.NoError(t, err)
	assert.Equal(t, []string{"legacy.sandbox.example"}, services.OwnNames(upstream))
	_, text, bill := run(t, cfg)
	assert.Empty(t, bill.AskedFor)
	assert.NotEqual(t, "000", text)
}

// TestWhatIsAskedForElsewhere has names go through every door that a C library knows.
func TestWhatIsAskedForElsewhere(t *testing.T) {
	t.Parallel()
	_, text, bill := run(t, script(`getent hosts ai-sbx.avlr.sh; getent hosts One.Example || echo none; cat /etc/resolv.conf; grep ^hosts /etc/nsswitch.conf`))
	assert.Equal(t, "127.0.77.1      ai-sbx.avlr.sh\nnone\nnameserver 127.0.0.1\noptions timeout:2 attempts:2\nhosts: files dns\n", text)
	assert.Equal(t, []string{"one.example"}, bill.AskedFor)
}

func TestEnvironmentOfASeal(t *testing.T) {
	t.Parallel()
	_, text, _ := run(t, script("env"), "HTTP_PROXY=http://a", "https_proxy=http://a", "All_Proxy=http://a", "NO_PROXY=b", "SSL_CERT_FILE=/theirs", "A=b")
	found := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		found[name] = value
	}
	assert.Equal(t, "yes", found["HSHARNESS_SEALED"])
	assert.Equal(t, "b", found["A"])
	assert.NotContains(t, text, "http://a")
	assert.NotEqual(t, "/theirs", found["SSL_CERT_FILE"], "the last of a name counts")
	for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "JAVA_TOOL_OPTIONS", "PHP_INI_SCAN_DIR"} {
		assert.NotEmpty(t, found[name], name)
	}
}

// TestBundlesOfOnesOwn: whoever names authorities of their own keeps them, and ours with
// them.
func TestBundlesOfOnesOwn(t *testing.T) {
	t.Parallel()
	theirs := filepath.Join(t.TempDir(), "theirs.pem")
	require.NoError(t, os.WriteFile(theirs, []byte("# theirs\n"), 0o600))
	cfg := script("head -2 $NODE_EXTRA_CA_CERTS; echo $NODE_EXTRA_CA_CERTS; echo x >>$NODE_EXTRA_CA_CERTS || echo kept")
	cfg.Getenv = func(name string) string { return map[string]string{"NODE_EXTRA_CA_CERTS": theirs}[name] }
	_, text, _ := run(t, cfg, "NODE_EXTRA_CA_CERTS="+theirs)
	assert.Contains(t, text, "# theirs\n-----BEGIN CERTIFICATE-----\n"+theirs+"\n")
	assert.True(t, strings.HasSuffix(text, "kept\n"), text)
	text2, err := os.ReadFile(theirs)
	require.NoError(t, err)
	assert.Equal(t, "# theirs\n", string(text2), "nothing is changed outside")
}

func TestFlags(t *testing.T) {
	t.Parallel()
	parse := func(args ...string) (sealed.Flags, *pflag.FlagSet, error) {
		var f sealed.Flags
		flags := pflag.NewFlagSet("exec", pflag.ContinueOnError)
		f.Add(flags)
		err := flags.Parse(args)
		return f, flags, err
	}
	f, _, err := parse("--sealed", "--forward", "5432", "--forward=6379,5432")
	require.NoError(t, err)
	assert.Equal(t, sealed.Flags{How: sealed.Yes, Forward: []int{5432, 6379}}, f)
	f, _, err = parse("--sealed=strict")
	require.NoError(t, err)
	assert.Equal(t, sealed.Strict, f.How)
	assert.NoError(t, f.CheckCommand("strict"), "it is strict, and this is a command")
	f, _, err = parse("--sealed", "strict")
	require.NoError(t, err)
	assert.EqualError(t, f.CheckCommand("strict"), "strict is taken for the command here; as a value of --sealed it has an equals sign before it, as in --sealed=strict")
	assert.NoError(t, f.CheckCommand("true"))
	for _, wrong := range []string{"--sealed=no", "--forward=0", "--forward=65536", "--forward=a", "--forward="} {
		_, _, err = parse(wrong)
		assert.Error(t, err, wrong)
	}

	none, within := func(string) string { return "" }, func(string) string { return "yes" }
	f, flags, err := parse("--sealed")
	require.NoError(t, err)
	assert.ErrorIs(t, f.Within(flags, nil, none), sealed.ErrOutermost)
	assert.NoError(t, f.Within(flags, nil, within))
	assert.NoError(t, f.Within(flags, map[string]bool{"sealed": true}, none), "a variable is for the exec around")
	f, flags, err = parse("--forward=1")
	require.NoError(t, err)
	assert.ErrorIs(t, f.Within(flags, nil, within), sealed.ErrForward)
}

// TestNoSealIsNothing: what an exec without one does with it.
func TestNoSealIsNothing(t *testing.T) {
	t.Parallel()
	var f sealed.Flags
	place, err := f.Open(nil, nil, process.Command{})
	require.NoError(t, err)
	assert.Nil(t, place.Opener())
	var bill report.Bill
	place.Fill(&bill)
	assert.Equal(t, report.Bill{}, bill)
	assert.Empty(t, place.Notes())
	assert.NoError(t, place.Close())
}
