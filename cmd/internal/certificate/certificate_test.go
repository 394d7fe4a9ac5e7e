package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program is where a program is. A machine with Go alone may lack it, and says that its
// part did not run; CI has all.
func program(t *testing.T, name string) (path string, installed bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "%s is not installed", name)
		t.Logf("NOT RUN: %s is not installed", name)
	}
	return path, err == nil
}

// strict wants what strict clients do, by Go's own eyes: the authority is named by its
// id, and signed the leaf, which is for those names and no other.
func strict(t *testing.T, authority, leaf string, names ...string) {
	t.Helper()
	read := func(name string) *x509.Certificate {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		block, _ := pem.Decode(text)
		require.NotNil(t, block)
		c, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		return c
	}
	ca, own := read(authority), read(leaf)
	require.NotEmpty(t, ca.SubjectKeyId)
	assert.Equal(t, ca.SubjectKeyId, own.AuthorityKeyId)
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	for _, name := range names {
		_, err := own.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		assert.NoError(t, err, name)
	}
	_, err := own.Verify(x509.VerifyOptions{Roots: roots, DNSName: "other.local"})
	assert.Error(t, err)
}

// made is a certificate for names, in files: the authority's and its own.
func made(t *testing.T, names ...string) (cfg *tls.Config, authority, leaf string) {
	t.Helper()
	dir := t.TempDir()
	authority, leaf = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "leaf.pem")
	cfg, err := Make(authority, names...)
	require.NoError(t, err)
	der := cfg.Certificates[0].Certificate[0]
	require.NoError(t, os.WriteFile(leaf, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return cfg, authority, leaf
}

// A gateway goes on for months, and nobody is told when its certificate is over; Apple's
// systems take none that lives longer than 825 days.
func TestItLivesAsLongAsAServer(t *testing.T) {
	t.Parallel()
	_, authority, leaf := made(t)
	for _, name := range []string{authority, leaf} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		block, _ := pem.Decode(text)
		require.NotNil(t, block)
		c, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		assert.True(t, c.NotAfter.After(time.Now().AddDate(2, 0, 0)), "%s ends at %s", name, c.NotAfter)
		assert.LessOrEqual(t, c.NotAfter.Sub(c.NotBefore), 825*24*time.Hour)
	}
}

func TestStrictOpenSSLTakesIt(t *testing.T) {
	t.Parallel()
	_, authority, leaf := made(t, "hs.local", "*.svc.local", "10.1.2.3")
	strict(t, authority, leaf, "localhost", "hs.local", "api.svc.local", "127.0.0.1", "::1", "10.1.2.3")
	openssl, installed := program(t, "openssl")
	if !installed {
		return
	}
	for flag, names := range map[string][]string{
		"-verify_hostname": {"localhost", "hs.local", "api.svc.local"}, "-verify_ip": {"127.0.0.1", "::1", "10.1.2.3"},
	} {
		for _, name := range names {
			out, err := exec.Command(openssl, "verify", "-x509_strict", "-purpose", "sslserver", flag, name, "-CAfile", authority, leaf).CombinedOutput()
			assert.NoError(t, err, "%s: %s", name, out)
		}
	}
	out, err := exec.Command(openssl, "verify", "-x509_strict", "-verify_hostname", "other.local", "-CAfile", authority, leaf).CombinedOutput()
	assert.Error(t, err, "%s", out)
	_, another, _ := made(t)
	out, err = exec.Command(openssl, "verify", "-x509_strict", "-CAfile", another, leaf).CombinedOutput()
	assert.Error(t, err, "%s", out)
}

// TestStrictPythonTakesIt: what Python 3.13 does unless told otherwise.
func TestStrictPythonTakesIt(t *testing.T) {
	t.Parallel()
	cfg, authority, leaf := made(t, "hs.local")
	strict(t, authority, leaf, "hs.local", "localhost", "127.0.0.1")
	python, installed := program(t, "python3")
	if !installed {
		return
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("hello"))
			_ = conn.Close()
		}
	}()
	const client = `import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
host, port = sys.argv[1].rsplit(":", 1)
for name in sys.argv[3:]:
    with context.wrap_socket(socket.create_connection((host, port)), server_hostname=name) as s:
        assert s.recv(5) == b"hello"
`
	out, err := exec.Command(python, "-c", client, l.Addr().String(), authority, "hs.local", "localhost", "127.0.0.1").CombinedOutput()
	assert.NoError(t, err, "%s", out)
	out, err = exec.Command(python, "-c", client, l.Addr().String(), authority, "other.local").CombinedOutput()
	assert.ErrorContains(t, err, "exit status 1")
	assert.Contains(t, string(out), "Hostname mismatch")
}
