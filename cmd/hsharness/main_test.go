package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hsharness/hsharness/cmd/internal/seal"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// TestMain lets the scripts run hsharness as a program of its own.
func TestMain(m *testing.M) {
	if seal.IsShim() { // this program is hsharness then too
		os.Exit(seal.Shim())
	}
	testscript.Main(m, map[string]func(){"hsharness": orInWine(withSigningKey(main)), "dying": withSigningKey(dying), "classify": classify, "nosocket": nosocket, "keepgate": keepGate, "breakout": breakout, "raised": raised})
}

// classify is a client in a language of its own: it knows nothing but its
// environment. It asks for as many classifications as its argument says, one
// after the other, and prints the status of each.
func classify() {
	many := 1
	if len(os.Args) > 1 {
		if _, err := fmt.Sscan(os.Args[1], &many); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	resp, err := http.PostForm(os.Getenv("HSHARNESS_TOKEN_URL"), url.Values{
		"grant_type": {"client_credentials"}, "scope": {"hs-code-classification"},
		"client_id": {os.Getenv("HSHARNESS_CLIENT_ID")}, "client_secret": {os.Getenv("HSHARNESS_CLIENT_SECRET")},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	_ = resp.Body.Close()
	if err != nil || answer.AccessToken == "" {
		fmt.Fprintln(os.Stderr, "no token", err)
		os.Exit(1)
	}
	for i := range many {
		body := fmt.Sprintf(`{"description":"cotton t-shirt number %d","countryOfDestination":"US"}`, i)
		r, _ := http.NewRequest(http.MethodPost, os.Getenv("HSHARNESS_API_URL")+"/hscode/classify", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+answer.AccessToken)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("Hsharness-Verdict"))
		if resp.StatusCode != http.StatusOK || len(os.Args) > 2 {
			fmt.Println(string(text))
		}
	}
}

func TestScripts(t *testing.T) { scripts(t, "testdata/script") }

func scripts(t *testing.T, folder string) {
	testscript.Run(t, testscript.Params{
		Dir:                 folder,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update, // what cmp compares with
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", os.Getenv("GORACE"))
			env.Setenv("CI", "") // what a person sees; a script sets it where it matters
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			inWine(env)
			return nil
		},
		// What no program for Windows can do is behind [!wine].
		Condition: func(name string) (bool, error) {
			if name != "wine" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return wine(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready": ready,
			"token": token,
			"post":  post,
			"get":   get,
			"exits": exits,
			"spend": spend,
			"sql":   sql,
			"taped": taped,
			"key":   key,
		},
	})
}

// ready waits for serve's ready file and sets a variable for each of its URLs:
// SANDBOX_token_url, PRODUCTION_api_url, control_url, client_id, …
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready FILE")
	}
	name := ts.MkAbs(args[0])
	var data []byte
	var err error
	// The file appears at once and whole, but nothing tells when; polling is
	// what its readers do.
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		if data, err = os.ReadFile(name); err == nil {
			break
		}
	}
	ts.Check(err)
	var all map[string]any
	ts.Check(json.Unmarshal(data, &all))
	for key, value := range all {
		switch v := value.(type) {
		case string:
			ts.Setenv(key, v)
		case map[string]any:
			for k, u := range v {
				ts.Setenv(strings.ToUpper(key)+"_"+k, u.(string))
			}
		}
	}
}

// token asks a token endpoint and sets a variable: token VAR URL ID SECRET SCOPE.
func token(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: token VAR URL ID SECRET SCOPE")
	}
	resp, err := http.PostForm(args[1], url.Values{
		"grant_type": {"client_credentials"}, "client_id": {args[2]}, "client_secret": {args[3]}, "scope": {args[4]},
	})
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	ts.Check(json.NewDecoder(resp.Body).Decode(&answer))
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("token endpoint answered %d", resp.StatusCode)
	}
	ts.Setenv(args[0], answer.AccessToken)
}

// key sets a variable to what a file holds but its line end: key VAR FILE.
func key(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: key VAR FILE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}

// post sends JSON and prints status, WWW-Authenticate and body to a file that
// the script looks into: post FILE URL TOKEN BODY. An empty TOKEN sends none.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: post FILE URL TOKEN BODY")
	}
	exchange(ts, args[0], http.MethodPost, args[1], args[2], args[3])
}

// get is post without a body and a token: get FILE URL.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get FILE URL")
	}
	exchange(ts, args[0], http.MethodGet, args[1], "", "")
}

func exchange(ts *testscript.TestScript, file, method, target, token, body string) {
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	ts.Check(err)
	text := fmt.Sprintf("%d\n%s\n%s\n", resp.StatusCode, resp.Header.Get("WWW-Authenticate"), answer)
	ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
}

// exits runs a program that must exit with a code: exits CODE PROGRAM ARG….
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// spend does what a run does to a ledger file: it begins, spends that many
// units one by one, and ends, perhaps because the service said that nothing is
// left, or stays active, or is left dead behind:
// spend FILE RUN MAX UNITS ended|exhausted|active|dead.
func spend(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: spend FILE RUN MAX UNITS ended|exhausted|active|dead")
	}
	most, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	count, err := strconv.Atoi(args[3])
	ts.Check(err)
	config := sqlite.Config{Path: ts.MkAbs(args[0])}
	if args[4] == "dead" { // its lease has passed long ago
		config.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	}
	ctx := context.Background()
	store, err := sqlite.Open(ctx, config)
	ts.Check(err)
	defer func() { ts.Check(store.Close()) }()
	info, err := store.Info(ctx)
	ts.Check(err)
	client := quota.Client{Store: store, Account: info.Account, StateHome: ts.Getenv("XDG_STATE_HOME")}
	run, err := client.Begin(ctx, quota.RunSpec{ID: args[1], Max: most, Mode: "live", Attribution: quota.Attribution{Suite: "shop", Branch: "main"}}, nil)
	ts.Check(err)
	for i := range count {
		id := fmt.Sprintf("%s-%d", args[1], i)
		_, err := run.Spend(ctx, quota.SpendSpec{ID: id, Units: 1, Operation: "classify", Test: "TestShop"})
		ts.Check(err)
		ts.Check(run.Settle(quota.Settlement{Spend: id, Outcome: quota.Answered, Status: 200, DurationMS: 12}))
	}
	if args[4] == "exhausted" {
		_, err := store.Exhaust(ctx, quota.ExhaustSpec{Run: args[1], Status: 402})
		ts.Check(err)
	}
	if args[4] == "ended" || args[4] == "exhausted" {
		_, err := run.End(ctx, quota.Counters{Requests: int64(count)})
		ts.Check(err)
	}
}

// sql changes a ledger file behind its back: sql FILE STATEMENTS.
func sql(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE STATEMENTS")
	}
	db, err := sqlite3.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(errors.Join(db.Exec(args[1]), db.Close()))
}
