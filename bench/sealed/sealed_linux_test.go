package sealed

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hsharness/hsharness/bench"
)

// clientVariable makes this program the client: it says how many requests to measure.
const clientVariable = "BENCH_REQUESTS"

// What the client needs to know of a server that is not the real one.
const (
	baseVariable  = "BENCH_URL"
	tokenVariable = "BENCH_TOKEN"
)

func TestMain(m *testing.M) {
	if many := os.Getenv(clientVariable); many != "" {
		if err := client(many); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const body = `{"description":"cotton t-shirt, knitted","countryOfDestination":"US"}`

// client sends requests one after the other over one connection, and prints the
// nanoseconds of one. It has the real URLs built in.
func client(many string) error {
	n, err := strconv.Atoi(many)
	if err != nil {
		return err
	}
	base, token := os.Getenv(baseVariable), os.Getenv(tokenVariable)
	if base == "" {
		base = "https://hscode.api.sbx.avalara.com"
		if token, err = realToken(); err != nil {
			return err
		}
	}
	once := func() error {
		r, err := http.NewRequest(http.MethodPost, base+"/hscode/classify", strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", resp.Status, text)
		}
		return err
	}
	for range 50 { // warm
		if err := once(); err != nil {
			return err
		}
	}
	start := time.Now()
	for range n {
		if err := once(); err != nil {
			return err
		}
	}
	fmt.Println(time.Since(start).Nanoseconds() / int64(n))
	return nil
}

func realToken() (string, error) {
	resp, err := http.PostForm("https://ai-sbx.avlr.sh/connect/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"acme"}, "client_secret": {"built-in"}, "scope": {"hs-code-classification"},
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Token string `json:"access_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.Token, err
}

// build builds hsharness, once a benchmark.
func build(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "hsharness")
	cmd := exec.Command("go", "build", "-trimpath", "-tags=nopgxregisterdefaulttypes", "-ldflags=-s -w", "-o", path, "./hsharness")
	cmd.Dir, cmd.Env = "../../cmd", append(os.Environ(), "GOWORK=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// run runs a command that must succeed, and returns what it wrote to standard output.
func run(b *testing.B, dir string, environ []string, name string, args ...string) string {
	b.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), environ...), &out, &errs
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s %v: %v\n%s", name, args, err, errs.String())
	}
	return out.String()
}

// BenchmarkExecTrue is exec --sealed of a command that does nothing, beside exec of it.
func BenchmarkExecTrue(b *testing.B) {
	program, dir := build(b), b.TempDir()
	var plain, sealed []time.Duration
	measure := func(args ...string) time.Duration {
		return bench.Timed(func() { run(b, dir, nil, program, append(args, "--quiet", "--", "true")...) })
	}
	for range 3 {
		measure("exec")
		measure("exec", "--sealed")
	}
	for b.Loop() {
		plain, sealed = append(plain, measure("exec")), append(sealed, measure("exec", "--sealed"))
	}
	p, s := bench.Median(plain), bench.Median(sealed)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(p.Microseconds())/1000, "plain-ms")
	b.ReportMetric(float64(s.Microseconds())/1000, "sealed-ms")
	b.ReportMetric(float64((s-p).Microseconds())/1000, "more-ms")
}

// BenchmarkReplay is a replayed request of a sealed client, beside the same to a bare
// server over TLS on loopback. Both go over one connection, of the version of HTTP that
// client and server agree on.
func BenchmarkReplay(b *testing.B) {
	const requests = 2000
	program, dir := build(b), b.TempDir()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	stand := exec.Command(program, "serve", "--client", "real:secret", "--ready-file", filepath.Join(dir, "ready.json"),
		"--identity-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0", "--control-addr", "127.0.0.1:0")
	if err := stand.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stand.Process.Kill(); _ = stand.Wait() })
	var ready struct {
		Sandbox struct {
			Identity string `json:"identity_url"`
			API      string `json:"api_url"`
		}
	}
	for deadline := time.Now().Add(10 * time.Second); ready.Sandbox.API == ""; {
		if text, err := os.ReadFile(filepath.Join(dir, "ready.json")); err == nil {
			_ = json.Unmarshal(text, &ready)
		}
		if time.Now().After(deadline) {
			b.Fatal("serve is not ready")
		}
	}
	project := fmt.Sprintf("version: 1\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: real, client_secret: '${SECRET}' } }\npolicy: { loopback: exempt }\n",
		ready.Sandbox.Identity, ready.Sandbox.API)
	if err := os.WriteFile(filepath.Join(dir, "hsharness.yaml"), []byte(project), 0o600); err != nil {
		b.Fatal(err)
	}
	run(b, dir, nil, program, "quota", "init", "--granted", "5")
	run(b, dir, []string{"SECRET=secret", clientVariable + "=1"}, program, "exec", "--sealed", "--mode", "record", "--max-spend", "1", "--", self)

	answer := []byte(`{"hsCode":"6109100012","description":"further T-shirts of cotton","countryOfDestination":"US","confidence":0.75}` + "\n")
	bare := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}))
	bare.EnableHTTP2 = true
	bare.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	bare.StartTLS()
	b.Cleanup(bare.Close)
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, pemOf(bare.Certificate()), 0o600); err != nil {
		b.Fatal(err)
	}

	measure := func(environ []string, name string, args ...string) time.Duration {
		text := run(b, dir, append(environ, clientVariable+"="+strconv.Itoa(requests)), name, args...)
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			b.Fatal(err)
		}
		return time.Duration(n)
	}
	var us, them []time.Duration
	for b.Loop() {
		us = append(us, measure(nil, program, "exec", "--sealed", "--mode", "replay", "--quiet", "--", self))
		them = append(them, measure([]string{"SSL_CERT_FILE=" + ca, baseVariable + "=" + bare.URL, tokenVariable + "=none"}, self))
	}
	a, t := bench.Median(us), bench.Median(them)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(a), "ours-ns")
	b.ReportMetric(float64(t), "theirs-ns")
	b.ReportMetric(float64(a)/float64(t), "ratio")
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
