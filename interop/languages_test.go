package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
)

// readPage is the blocks of a page in each language, in order.
func readPage(t *testing.T, name string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, m := range regexp.MustCompile("(?ms)^```([a-z]*)\\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	return blocks
}

// TestLanguagesPageAsWritten compares the programs of the page with the examples that
// they are, and types what the page says of each, offline, recording from a sandbox
// that counts, and replaying. Debian has no .NET: that program is only shown.
func TestLanguagesPageAsWritten(t *testing.T) {
	page := readPage(t, "docs/languages.md")
	for language, file := range map[string]string{"java": "java/ShirtTest.java", "csharp": "dotnet/ShirtTest.cs", "ruby": "ruby/shirt_test.rb", "php": "php/shirt_test.php", "perl": "perl/shirt.t"} {
		text, err := os.ReadFile(filepath.Join("..", "examples", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		if len(page[language]) != 1 || page[language][0] != string(text) {
			t.Errorf("docs/languages.md does not show examples/%s as it is", file)
		}
	}

	bin := t.TempDir() // built as a release is: make cross has compiled that already
	build := exec.Command("go", "build", "-trimpath", "-tags=nopgxregisterdefaulttypes", "-ldflags", "-s -w", "-o", bin, "./hsharness")
	build.Dir, build.Env = filepath.Join("..", "cmd"), append(os.Environ(), "GOWORK=", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	path := bin + string(os.PathListSeparator) + os.Getenv("PATH")

	lines := strings.Split(strings.TrimSpace(strings.Join(page["sh"], "")), "\n")
	if len(lines) != 4 {
		t.Errorf("the page says %d commands, want one for each language that is tried", len(lines))
	}
	for _, line := range lines {
		command, ok := strings.CutPrefix(line, "hsharness exec -- ")
		if !ok {
			t.Fatalf("%s: what the page says is an exec", line)
		}
		tool := strings.Fields(command)[0]
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(tool); err != nil {
				if os.Getenv("CI") != "" {
					t.Fatalf("%s is not installed", tool)
				}
				t.Logf("NOT RUN: %s is not installed", tool)
				return
			}
			dir, served := project(t)
			run := func(line string, want int) {
				t.Helper()
				cmd := exec.Command("sh", "-c", line)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+path, "CI=", "REAL_SECRET=real", "XDG_STATE_HOME="+dir)
				out, err := cmd.CombinedOutput()
				if code := cmd.ProcessState.ExitCode(); code != want {
					t.Fatalf("%s: exit code %d, want %d: %v\n%s", line, code, want, err, out)
				}
			}
			run("hsharness quota init --granted 10", 0)
			run(line, 0)
			run("hsharness exec --mode replay -- "+command, 3)
			if n := served(); n != 0 {
				t.Errorf("the sandbox served %d before anything was bought", n)
			}
			run("hsharness exec --bill bill.json --mode record --max-spend 3 -- "+command, 0)
			run("hsharness exec --mode replay -- "+command, 0)
			var bill struct{ Requests, Spent int }
			text, err := os.ReadFile(filepath.Join(dir, "bill.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &bill); err != nil {
				t.Fatal(err)
			}
			if bill.Requests != 1 || bill.Spent != 1 || served() != 1 {
				t.Errorf("%d requests, %d spent, %d served, want one of each", bill.Requests, bill.Spent, served())
			}
		})
	}
}

// project is a copy of the examples whose sandbox is one that counts.
func project(t *testing.T) (dir string, served func() int64) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join("..", "examples"))); err != nil {
		t.Fatal(err)
	}
	server, err := services.Serve(services.Config{
		Clients: []mockidp.Client{{ID: "real-id", Secrets: []mockidp.Secret{{Value: "real"}}, Scopes: avalara.Scopes()}},
	}, services.Addresses{Identity: "127.0.0.1:0", API: "127.0.0.1:0", Control: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	urls := server.Endpoints.Sandbox
	text := fmt.Sprintf("version: 1\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: real-id, client_secret: %q } }\n", urls.Identity, urls.API, "${REAL_SECRET}")
	if err := os.WriteFile(filepath.Join(dir, "hsharness.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, func() int64 { return server.API(avalara.Sandbox).Usage().Served }
}
