package clients

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/mockidp"
)

// user is who runs a client.
type user struct {
	name string
	// id owns the project, in the network of the test.
	id    int
	place apart.Place
	// before stands before each command.
	before []string
}

// users are root and one who is not, whoever runs the test.
func users(t *testing.T) []user {
	ordinary := user{name: "an ordinary user", id: 1001, place: apart.Place{User: 1001, Group: 1001}}
	root := user{name: "root"}
	if os.Getuid() != 0 {
		// To have a network of its own the test has the capabilities of a user
		// namespace, which an ordinary user does not have.
		ordinary = user{name: ordinary.name, id: os.Getuid(), before: []string{"setpriv", "--inh-caps=-all", "--ambient-caps=-all", "--"}}
		root = user{name: root.name, id: os.Getuid(), place: apart.Place{Unshare: []string{"--user", "--map-root-user"}}}
	}
	if !ordinary.place.Possible(t) || !root.place.Possible(t) {
		t.Fatal("neither root nor another user can be had here")
	}
	return []user{root, ordinary}
}

// stand is a sandbox that counts, and the project of a user that may use it.
type stand struct {
	t        *testing.T
	programs string
	user     user
	dir      string
	server   *services.Server
	// ledger is what the ledger said last.
	ledger int64
}

// newStand serves a sandbox where it can be paid for, and makes the project.
func newStand(t *testing.T, programs string, u user, keys map[avalara.Environment]*mockidp.Keys) *stand {
	t.Helper()
	const secret = "the-real-licence-key"
	at := apart.Address + ":0"
	server, err := services.Serve(services.Config{
		Clients: []mockidp.Client{{ID: "real-id", Secrets: []mockidp.Secret{{Value: secret}}, Scopes: avalara.Scopes()}},
		Keys:    keys,
	}, services.Addresses{Identity: at, API: at, Control: "127.0.0.1:0", Anywhere: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	s := &stand{t: t, programs: programs, user: u, dir: apart.Folder(t), server: server}
	urls := server.Endpoints.Sandbox
	project := fmt.Sprintf("version: 1\nenvironments: { sandbox: { identity_url: %q, api_url: %q, client_id: real-id, client_secret: %s } }\n", urls.Identity, urls.API, secret)
	if err := os.WriteFile(s.path("hsharness.yaml"), []byte(project), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(s.dir, u.id, u.id); err != nil {
		t.Fatal(err)
	}
	s.run(nil, "quota", "init", "--granted", "10")
	return s
}

func (s *stand) path(name string) string { return filepath.Join(s.dir, name) }

// command is hsharness, run by the user where the programs are, with the credential
// that they have of their own and nothing of the test's environment.
func (s *stand) command(env []string, args ...string) *exec.Cmd {
	name := append(slices.Clone(s.user.before), filepath.Join(s.programs, "hsharness"), "--config", s.path("hsharness.yaml"))
	cmd := s.user.place.Command(s.t, name[0], append(name[1:], args...)...)
	cmd.Dir = s.programs
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "XDG_STATE_HOME=" + s.dir, "PYTHONDONTWRITEBYTECODE=1",
		"AVALARA_CLIENT_ID=2000123456", "AVALARA_CLIENT_SECRET=0F1E2D3C4B5A6978",
	}, env...)
	return cmd
}

// run is a command that has to succeed, and what it printed.
func (s *stand) run(env []string, args ...string) []byte {
	s.t.Helper()
	out, err := s.command(env, args...).Output()
	if err != nil {
		s.t.Fatalf("hsharness %q: %v\n%s", args, err, out)
	}
	return out
}

// counts is what one run came to: the codes that the program printed, what the bill
// says, and by how much the sandbox's own count and the ledger have grown.
type counts struct {
	Codes []string
	Exit  int
	Bill  bill
	// Asked are other hosts that it asked for.
	Asked  []string
	Served int64
	Ledger int64
	output string
}

// bill is what is looked at of one.
type bill struct {
	Requests, Spent, Unknown, Replayed, Mocked, Missed, Refused int64
	Mode, Verdict, Seal                                         string
}

// code is one of a shirt, then one of a computer.
var code = []*regexp.Regexp{regexp.MustCompile(`^6109\d{6}$`), regexp.MustCompile(`^8471\d{6}$`)}

// check tells whether everybody counted the same, and as much as has to be bought.
func (c counts) check(bought int64) error {
	if c.Exit != 0 {
		return fmt.Errorf("exit code %d", c.Exit)
	}
	if len(c.Codes) != goods {
		return fmt.Errorf("it printed %q, want %d codes", c.Codes, goods)
	}
	for i, text := range c.Codes {
		if !code[i].MatchString(text) {
			return fmt.Errorf("it printed %q for %d", text, i)
		}
	}
	if c.Bill.Spent != bought || c.Served != bought || c.Ledger != bought {
		return fmt.Errorf("the bill says %d spent, the ledger %d, and the sandbox served %d; want %d", c.Bill.Spent, c.Ledger, c.Served, bought)
	}
	want := bill{Requests: goods, Spent: bought, Replayed: goods - bought, Mode: c.Bill.Mode, Verdict: "ok", Seal: "sealed"}
	if c.Bill.Mode == "offline" {
		want.Replayed, want.Mocked = 0, goods
	}
	if len(c.Asked) > 0 {
		return fmt.Errorf("it asked for %q", c.Asked)
	}
	if c.Bill != want {
		return fmt.Errorf("the bill says %+v, want %+v", c.Bill, want)
	}
	return nil
}

// sealed runs a client sealed and counts.
func (s *stand) sealed(mode []string, c client) counts {
	s.t.Helper()
	served, ledger := s.served(), s.ledger
	_ = os.Remove(s.path("bill.json"))
	args := append(append([]string{"exec", "--sealed", "--bill", s.path("bill.json")}, mode...), "--")
	cmd := s.command(c.env, append(args, c.command...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	got := counts{
		Codes: strings.Fields(string(out)), Exit: cmd.ProcessState.ExitCode(),
		output: string(out) + stderr.String(),
	}
	s.ledger = s.spent()
	got.Served, got.Ledger = s.served()-served, s.ledger-ledger
	text, err := os.ReadFile(s.path("bill.json"))
	if err != nil {
		s.t.Fatalf("%v\n%s", err, got.output)
	}
	if err := json.Unmarshal(text, &got.Bill); err != nil {
		s.t.Fatal(err)
	}
	others := struct{ Asked *[]string }{&got.Asked}
	if err := json.Unmarshal(text, &others); err != nil {
		s.t.Fatal(err)
	}
	return got
}

// served is the sandbox's own count, by its control endpoint.
func (s *stand) served() int64 {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.Endpoints.ControlURL+"/usage", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.server.Endpoints.ControlToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var usage struct{ Sandbox struct{ Served *int64 } }
	if err := json.NewDecoder(resp.Body).Decode(&usage); err != nil || usage.Sandbox.Served == nil {
		s.t.Fatalf("%s: %v", resp.Status, err)
	}
	return *usage.Sandbox.Served
}

// spent is what the ledger says.
func (s *stand) spent() int64 {
	s.t.Helper()
	var status struct{ Spent, Unknown, Held *int64 }
	if err := json.Unmarshal(s.run(nil, "quota", "status", "--format", "json"), &status); err != nil {
		s.t.Fatal(err)
	}
	if *status.Unknown != 0 || *status.Held != 0 {
		s.t.Errorf("%d unknown and %d held after the run", *status.Unknown, *status.Held)
	}
	return *status.Spent
}
