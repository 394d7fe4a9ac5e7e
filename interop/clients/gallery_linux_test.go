package clients

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
)

var update = flag.Bool("update", false, "write the table of docs/sealed.md again")

// envPrograms names the folder of the programs, once they are built.
const envPrograms = "CLIENTS_PROGRAMS"

// goods is how many descriptions each program has built in.
const goods = 2

// seen is what one client came to, by the user who ran it.
type seen map[string]map[string]runs

// runs are the runs of one client by one user, by [modes].
type runs map[string]counts

// modes are how each client is run, in this order, and what has to be bought then.
var modes = []struct {
	name   string
	args   []string
	bought int64
}{
	{"offline", nil, 0},
	{"record", []string{"--mode", "record", "--max-spend", "3"}, goods},
	{"record again", []string{"--mode", "record", "--max-spend", "3"}, 0},
	{"replay", []string{"--mode", "replay"}, 0},
}

// TestGallery runs every client sealed, as root and as an ordinary user: offline, twice
// in record against a sandbox that is not on loopback, and in replay. The sandbox's own
// count, the bill, the ledger and what the program printed have to agree, and the table
// of the page is what was seen. A client that this machine lacks fails.
func TestGallery(t *testing.T) {
	if os.Getenv(envPrograms) == "" {
		dir := apart.Folder(t)
		if !t.Run("build", func(t *testing.T) { build(t, dir) }) {
			return
		}
		if err := os.Setenv(envPrograms, dir); err != nil {
			t.Fatal(err)
		}
		apart.Afar(t, "")
		if t.Failed() {
			return // what was seen is no table
		}
		text, err := os.ReadFile(filepath.Join(dir, "seen.json"))
		if err != nil {
			t.Fatal(err)
		}
		comparePage(t, text)
		return
	}
	if !apart.Afar(t, "") {
		return
	}
	dir, keys := os.Getenv(envPrograms), services.NewKeys(guard.Offline)
	var (
		mu  sync.Mutex
		all = seen{}
	)
	t.Run("clients", func(t *testing.T) {
		for _, c := range clients {
			for _, u := range users(t) {
				t.Run(c.name+" as "+u.name, func(t *testing.T) {
					t.Parallel()
					s := newStand(t, dir, u, keys)
					found := runs{}
					for _, mode := range modes {
						got := s.sealed(mode.args, c)
						found[mode.name] = got
						if err := got.check(mode.bought); err != nil {
							t.Errorf("%s: %v\n%s", mode.name, err, got.output)
						}
					}
					mu.Lock()
					defer mu.Unlock()
					if all[c.name] == nil {
						all[c.name] = map[string]runs{}
					}
					all[c.name][u.name] = found
				})
			}
		}
	})
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "seen.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// build puts hsharness, the programs and what they need into a folder. It is built as a
// release is: make cross has compiled that already.
func build(t *testing.T, dir string) {
	sources, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if name == "node_modules" {
			continue
		}
		if out, err := exec.Command("cp", "-r", name, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	writeCertifi(t, dir)
	goes := append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	for _, step := range []struct {
		name, in string
		env      []string
		command  []string
	}{
		{"hsharness", filepath.Join("..", "..", "cmd"), append(goes, "GOWORK="), []string{"go", "build", "-trimpath", "-tags=nopgxregisterdefaulttypes", "-ldflags", "-s -w", "-o", dir, "./hsharness"}},
		{"static", ".", goes, []string{"go", "build", "-trimpath", "-o", filepath.Join(dir, "static", "static"), "./static"}},
		{"npm", dir, os.Environ(), []string{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"}},
		{"java", dir, os.Environ(), []string{"javac", "-d", "java", "java/Client.java"}},
	} {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), step.command[0], step.command[1:]...)
			cmd.Dir, cmd.Env = step.in, step.env
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", step.command, err, out)
			}
		})
	}
}

// certifi is a module certifi with roots of its own beside it, as PyPI has it; Debian's
// names the system's bundle.
const certifi = "import os\n\n\ndef where():\n    return os.path.join(os.path.dirname(__file__), 'cacert.pem')\n"

// writeCertifi puts that module where [clients] looks for it, with a copy of the system's
// roots.
func writeCertifi(t *testing.T, dir string) {
	t.Helper()
	roots, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "pypi", "certifi")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"cacert.pem": roots, "__init__.py": []byte(certifi)} {
		if err := os.WriteFile(filepath.Join(at, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// page is the page with the table, and where it stands there.
const (
	page  = "../../docs/sealed.md"
	begin = "<!-- made by TestGallery of interop/clients, with -update, from what it saw -->\n"
	end   = "<!-- end of what it saw -->\n"
)

// comparePage compares the table of the page with what was seen.
func comparePage(t *testing.T, text []byte) {
	t.Helper()
	var all seen
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	table, err := tableOf(all)
	if err != nil {
		t.Error(err)
		return
	}
	t.Logf("\n%s", table)
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(have), begin)
	shown, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	if shown == table {
		return
	}
	if !*update {
		t.Errorf("%s shows another table than what was seen; in interop: GOWORK=off go test ./clients -update\n%s", page, table)
		return
	}
	if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tableOf is the table of what was seen. What root and an ordinary user saw has to be
// the same.
func tableOf(all seen) (string, error) {
	var b strings.Builder
	b.WriteString("| client | from | offline | record | record again | replay |\n|---|---|---|---|---|---|\n")
	for _, c := range clients {
		var lines []string
		for name, found := range all[c.name] {
			line := fmt.Sprintf("| %s | %s |", c.name, c.from)
			for _, mode := range modes {
				got, ok := found[mode.name]
				if !ok {
					return "", fmt.Errorf("%s was not run in %s as %s", c.name, mode.name, name)
				}
				line += fmt.Sprintf(" %d answered, %d bought |", len(got.Codes), got.Served)
			}
			lines = append(lines, line)
		}
		if len(lines) != 2 || lines[0] != lines[1] {
			return "", fmt.Errorf("%s: two users did not see the same: %q", c.name, lines)
		}
		b.WriteString(lines[0] + "\n")
	}
	return b.String(), nil
}
