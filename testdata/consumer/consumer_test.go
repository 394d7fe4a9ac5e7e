// Package consumer adds hsharness to a module with requirements of its own, as
// its users do, and looks at what that changes.
package consumer

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The consumer's module, as it is before. What it requires is what it ships.
const (
	before = `module example.com/shop

go 1.25

require (
	github.com/jackc/pgx/v5 v5.7.2
	github.com/prometheus/client_golang v1.20.5
	github.com/spf13/cobra v1.8.1
	golang.org/x/oauth2 v0.25.0
)
`
	shop = `package shop

import (
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/oauth2/clientcredentials"
)

type Shop struct {
	DB     *pgx.Conn
	Sold   prometheus.Counter
	Sell   cobra.Command
	Tokens clientcredentials.Config
}
`
	shopTest = `package shop

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hsharness/hsharness/harness"
)

func TestClassify(t *testing.T) {
	h := harness.Start(t, harness.Options{})
	resp, err := h.Client().Post(h.APIURL()+"/hscode/classify", "application/json", strings.NewReader(` + "`" + `{"description":"men's cotton t-shirt","countryOfDestination":"US"}` + "`" + `))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "6109") {
		t.Fatal(resp.Status, err, string(body))
	}
}
`
)

var requirement = regexp.MustCompile(`(?m)^(?:\t|require )(\S+) (v\S+)|^(go) (\S+)$`)

// requirements are the versions of a go.mod, indirect ones and the go line included.
func requirements(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range requirement.FindAllStringSubmatch(string(text), -1) {
		all[m[1]+m[3]] = m[2] + m[4]
	}
	return all
}

// TestConsumerKeepsItsVersions adds the library and a test that uses it: no
// requirement of the module moves, its go line neither, and the test passes
// without a network.
func TestConsumerKeepsItsVersions(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// What the go command reads here, go test's cache does not see.
	ours := requirements(t, filepath.Join(root, "go.mod"))
	if len(ours) < 5 {
		t.Fatalf("the library requires %v", ours)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", before)
	write("shop.go", shop)
	if out, err := run(dir, nil, "mod", "tidy"); err != nil {
		if os.Getenv("CI") == "" { // these are other people's modules: without a network they can't be had
			t.Logf("NOT RUN: the consumer's modules can't be fetched without a network:\n%s", out)
			return
		}
		t.Fatalf("%v\n%s", err, out)
	}
	was := requirements(t, filepath.Join(dir, "go.mod"))

	write("shop_test.go", shopTest)
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	write("go.mod", string(text)+"\nreplace github.com/hsharness/hsharness => "+root+"\n")
	if out, err := run(dir, nil, "mod", "tidy"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	is := requirements(t, filepath.Join(dir, "go.mod"))
	if is["github.com/hsharness/hsharness"] == "" || is["github.com/goccy/go-yaml"] == "" {
		t.Errorf("hsharness is not required: %v", is)
	}
	for name, version := range was {
		if is[name] != version {
			t.Errorf("adding hsharness moved %s from %s to %q", name, version, is[name])
		}
	}
	if out, err := run(dir, []string{"GOPROXY=off"}, "test", "-count=1", "./..."); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// run runs the go command in a folder that knows nothing of our workspace.
func run(dir string, environ []string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS="), environ...)
	for _, name := range os.Environ() { // of an exec that this test runs in
		if name, _, _ = strings.Cut(name, "="); strings.HasPrefix(name, "HSHARNESS_") {
			cmd.Env = append(cmd.Env, name+"=")
		}
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}
