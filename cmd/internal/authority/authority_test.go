package authority

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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

func authority(t *testing.T, names ...string) *Authority {
	t.Helper()
	a, err := New(names...)
	require.NoError(t, err)
	return a
}

// write writes a file of a test.
func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func TestItSignsForTheServicesNamesAlone(t *testing.T) {
	t.Parallel()
	a := authority(t, "login.sandbox.example")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	accepted := func(leaf *tls.Certificate, name string) error {
		own, err := x509.ParseCertificate(leaf.Certificate[0])
		require.NoError(t, err)
		assert.Equal(t, a.cert.SubjectKeyId, own.AuthorityKeyId)
		_, err = own.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		return err
	}
	for _, name := range []string{"ai-sbx.avlr.sh", "identity.avalara.com", "api.classification.avalara.net", "login.sandbox.example"} {
		leaf, err := a.leaf(name)
		require.NoError(t, err, name)
		assert.NoError(t, accepted(leaf, name), name)
		assert.Error(t, accepted(leaf, "other.avalara.com"), "it is for one name")
		upper, err := a.leaf(strings.ToUpper(name))
		require.NoError(t, err)
		assert.Same(t, leaf, upper)
	}
	for _, name := range []string{
		"", "example.com", "sandbox.example", "avalara.com.example", "notavalara.com", "avlr.sh.", ".avlr.sh", "a..avlr.sh", "*.avlr.sh", "127.0.0.1", "::1", "ä.avlr.sh",
		strings.Repeat("a", 64) + ".avlr.sh", strings.Repeat("a.", 130) + "avlr.sh",
	} {
		_, err := a.leaf(name)
		var not *NotOursError
		assert.ErrorAs(t, err, &not, name)
	}
	// Nor does anybody believe its key, if it signs for another.
	for _, name := range []string{"example.com", "127.0.0.1", "::1"} {
		leaf, err := a.Sign("x", nil, []net.IP{net.ParseIP(name)})
		if net.ParseIP(name) == nil {
			leaf, err = a.Sign("x", []string{name}, nil)
		}
		require.NoError(t, err)
		assert.Error(t, accepted(leaf, name), name)
	}
	assert.True(t, a.cert.PermittedDNSDomainsCritical)
	for _, name := range []string{"", "*.example.com", "Example.com", "10.0.0.1", "a b"} {
		_, err := New(name)
		assert.Error(t, err, name)
	}
}

func TestAThousandNames(t *testing.T) {
	t.Parallel()
	a := authority(t)
	for i := range 1000 {
		_, err := a.leaf(fmt.Sprintf("n%d.avalara.com", i))
		require.NoError(t, err)
	}
	assert.Len(t, a.leaves, mostLeaves)
}

func TestBundleEndsWithTheAuthority(t *testing.T) {
	t.Parallel()
	a := authority(t)
	other := authority(t)
	for _, system := range [][]byte{nil, other.PEM(), []byte("# no line end"), []byte(strings.TrimSpace(string(other.PEM())))} {
		pool := x509.NewCertPool()
		bundle := a.Bundle(system)
		pool.AppendCertsFromPEM(bundle)
		assert.True(t, strings.HasPrefix(string(bundle), string(system)))
		want := x509.NewCertPool()
		want.AppendCertsFromPEM(system)
		want.AppendCertsFromPEM(a.PEM())
		assert.True(t, want.Equal(pool))
	}
}

func TestEnvironKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	set := map[string]string{"JAVA_TOOL_OPTIONS": "-Xmx1g", "PHP_INI_SCAN_DIR": "/their/own"}
	dir := filepath.Join("a dir", "php")
	f := Files{Own: "own.pem", Bundle: "all.pem", TrustStore: "a dir/trust.p12", PHP: dir}
	assert.Equal(t, []string{
		"SSL_CERT_FILE=all.pem", "REQUESTS_CA_BUNDLE=all.pem", "CURL_CA_BUNDLE=all.pem", "PERL_LWP_SSL_CA_FILE=all.pem", "NIX_SSL_CERT_FILE=all.pem", "NODE_EXTRA_CA_CERTS=own.pem",
		`JAVA_TOOL_OPTIONS=-Xmx1g -Dx=y "-Djavax.net.ssl.trustStore=a dir/trust.p12" -Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStorePassword=changeit`,
		"PHP_INI_SCAN_DIR=/their/own" + string(os.PathListSeparator) + dir,
	}, f.Environ(func(name string) string { return set[name] }, "-Dx=y"))
	none := func(string) string { return "" }
	assert.Equal(t, []string{"NODE_EXTRA_CA_CERTS=own.pem", "PHP_INI_SCAN_DIR=" + string(os.PathListSeparator) + dir}, Files{Own: "own.pem", PHP: dir}.Environ(none))
	assert.Empty(t, Files{}.Environ(none))
}

// What a user's own variables name stays trusted.
func TestSystemIsWhatClientsTrust(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	set := map[string]string{
		"SSL_CERT_FILE": write(t, dir, "a", []byte("A\n")), "REQUESTS_CA_BUNDLE": write(t, dir, "b", []byte("B")),
		"CURL_CA_BUNDLE": write(t, dir, "c", []byte("A")), "NODE_EXTRA_CA_CERTS": filepath.Join(dir, "none"),
	}
	assert.Equal(t, "A\n\nB", string(System(func(name string) string { return set[name] })))
}

// serve answers hello to whoever trusts the authority, and says which address dials it.
func serve(t *testing.T, a *Authority) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", a.TLS())
	require.NoError(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello "+r.Host) })}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return l.Addr().String()
}

// TestStrictClientsTakeIt: OpenSSL at its strictest, with Python 3.13's flags and curl.
func TestStrictClientsTakeIt(t *testing.T) {
	t.Parallel()
	a := authority(t)
	dir := t.TempDir()
	ca := write(t, dir, "ca.pem", a.PEM())
	leaf, err := a.leaf("ai-sbx.avlr.sh")
	require.NoError(t, err)
	file := write(t, dir, "leaf.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}))
	if openssl, ok := program(t, "openssl"); ok {
		out, err := exec.Command(openssl, "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "ai-sbx.avlr.sh", "-CAfile", ca, file).CombinedOutput()
		assert.NoError(t, err, "%s", out)
		bad, err := a.Sign("x", []string{"example.com"}, nil)
		require.NoError(t, err)
		other := write(t, dir, "bad.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bad.Certificate[0]}))
		out, err = exec.Command(openssl, "verify", "-x509_strict", "-CAfile", ca, other).CombinedOutput()
		assert.Error(t, err)
		assert.Contains(t, string(out), "permitted subtree violation")
	}
	at := serve(t, a)
	_, port, err := net.SplitHostPort(at)
	require.NoError(t, err)
	if curl, ok := program(t, "curl"); ok {
		out, err := exec.Command(curl, "-sS", "--http1.1", "--cacert", ca, "--connect-to", "ai-sbx.avlr.sh:443:127.0.0.1:"+port, "https://ai-sbx.avlr.sh/").CombinedOutput()
		assert.NoError(t, err, "%s", out)
		assert.Equal(t, "hello ai-sbx.avlr.sh", string(out))
	}
	if python, ok := program(t, "python3"); ok {
		const client = `import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
context.set_alpn_protocols(["h2"])
with context.wrap_socket(socket.create_connection(("127.0.0.1", sys.argv[1])), server_hostname="ai-sbx.avlr.sh") as s:
    print(s.selected_alpn_protocol(), s.version())
`
		out, err := exec.Command(python, "-c", client, port, ca).CombinedOutput()
		assert.NoError(t, err, "%s", out)
		assert.Equal(t, "h2 TLSv1.3\n", string(out))
	}
}

// TestJavaReadsTheTrustStore: keytool, with a certificate of a system in it.
func TestJavaReadsTheTrustStore(t *testing.T) {
	t.Parallel()
	a, system := authority(t), authority(t)
	bundle := append([]byte("# comment\n-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"), system.PEM()...)
	store, password, err := a.TrustStore(bundle)
	require.NoError(t, err)
	keytool, ok := program(t, "keytool")
	if !ok {
		return
	}
	file := write(t, t.TempDir(), "trust.p12", store)
	out, err := exec.Command(keytool, "-list", "-keystore", file, "-storepass", password, "-rfc").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, 2, strings.Count(string(out), "Entry type: trustedCertEntry"), "%s", out)
	for _, want := range []*Authority{a, system} {
		all := x509.NewCertPool()
		assert.True(t, all.AppendCertsFromPEM(out))
		_, err := want.cert.Verify(x509.VerifyOptions{Roots: all})
		assert.NoError(t, err)
	}
}
