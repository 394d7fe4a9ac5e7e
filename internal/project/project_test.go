package project

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/quota"
)

// wholeProject has every setting.
const wholeProject = `version: 1
allowance: { name: sandbox, granted: 1000, spent_before: 37, floor: 100, warn_at: 70% }
ledger: sqlite:.hsharness/ledger.db
environments: { sandbox: { client_id: "${HSHARNESS_SANDBOX_CLIENT_ID}", client_secret: "${HSHARNESS_SANDBOX_CLIENT_SECRET}" } }
operations: [ { match: "POST /hscode/hints", cost: 0 } ]
budgets: [ { match: { branch: "release/*" }, may_use_floor: true }, { match: { suite: nightly }, max_per_run: 20, max_per_day: 20 } ]
per_run: 10
exec: { env: { AVALARA_TOKEN_URL: "{token_url}", EMPTY: "" } }
recordings: { dir: recordings, max_age: 180d, ignore: ["/requestId"] }
schedules: { GB: tariff/gb.csv, EU: taric.csv }
policy:
  mode: live
  ci: [ { event: [schedule, manual], branch: main, mode: record }, { mode: replay } ]
  ci_ledger: shared
  loopback: exempt
  on_blocked: fail
  unasked: warn
  sealed: required
  unbilled: []
  exhausted: [ { number: 1715 }, { status: 402 } ]
`

func getenv(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

// read reads a project file of this content.
func read(t *testing.T, content string, env map[string]string) (*Project, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), Name)
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	return Read(name, false, getenv(env))
}

func TestReadProject(t *testing.T) {
	p, err := read(t, wholeProject, map[string]string{"HSHARNESS_SANDBOX_CLIENT_ID": "id", "HSHARNESS_SANDBOX_CLIENT_SECRET": "secret"})
	require.NoError(t, err)

	assert.Equal(t, filepath.Dir(p.File), p.Dir())
	want := &Project{
		Version:      1,
		Allowance:    Allowance{Name: "sandbox", Granted: 1000, SpentBefore: 37, Floor: 100, WarnAt: "70%"},
		Ledger:       "sqlite:.hsharness/ledger.db",
		Environments: Environments{Sandbox{ClientID: "id", ClientSecret: "${HSHARNESS_SANDBOX_CLIENT_SECRET}"}},
		Operations:   p.Operations,
		texts:        p.texts,
		Budgets: []quota.Rule{
			{Match: quota.Match{Branch: "release/*"}, MayUseFloor: true},
			{Match: quota.Match{Suite: "nightly"}, MaxPerRun: 20, MaxPerDay: 20},
		},
		PerRun:     10,
		Exec:       Exec{Env: map[string]string{"AVALARA_TOKEN_URL": "{token_url}", "EMPTY": ""}},
		Recordings: Recordings{Dir: "recordings", MaxAge: "180d", Ignore: []string{"/requestId"}},
		Schedules:  map[string]string{"EU": "taric.csv", "GB": "tariff/gb.csv"},
		Policy: Policy{
			Mode:     "live",
			CI:       CIPolicy{{Event: Globs{"schedule", "manual"}, Branch: Globs{"main"}, Mode: "record"}, {Mode: "replay"}},
			CILedger: "shared", Loopback: "exempt", OnBlocked: "fail", Unasked: "warn", Sealed: "required", Unbilled: []int{},
			Exhausted: []guard.ExhaustedRule{{Number: 1715}, {Status: 402}},
		},
		File: p.File, data: p.data,
	}
	assert.Equal(t, want, p)
	price, err := p.Operations.Price("POST", "/hscode/hints", nil)
	require.NoError(t, err)
	assert.Zero(t, price.Units)
}

func TestReadProjectThatIsNotThere(t *testing.T) {
	name := filepath.Join(t.TempDir(), Name)
	p, err := Read(name, true, getenv(nil))
	require.NoError(t, err)
	assert.Equal(t, &Project{}, p)
	assert.Equal(t, ".", p.Dir())
	assert.EqualError(t, p.ClientSecret().CheckCredential(getenv(nil)), "environments.sandbox.client_secret is missing")

	_, err = Read(name, false, getenv(nil))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestReadProjectSaysWhereItIsWrong(t *testing.T) {
	_, err := read(t, "version: 1\npolicy:\n  mode: live\n  on_block: fail\n", nil)
	require.Error(t, err)
	text := err.Error()
	assert.Contains(t, text, Name+":4:3: ")
	assert.Contains(t, text, `"on_block"`)
	_, excerpt, _ := strings.Cut(text, "\n")
	lines := strings.Split(excerpt, "\n")
	at := -1
	for i, line := range lines {
		if strings.Contains(line, "on_block: …") {
			at = i
		}
	}
	require.GreaterOrEqual(t, at, 0, text)
	require.Greater(t, len(lines), at+1, text)
	assert.Equal(t, strings.Index(lines[at], "on_block"), strings.Index(lines[at+1], "^"), text)
}

// TestOperationsAreLookedAtOnce: each is compared with those before it, and told by its own
// number; to look at all of them again at each of them took minutes for a thousand.
func TestOperationsAreLookedAtOnce(t *testing.T) {
	_, err := read(t, "version: 1\noperations:\n  - { match: \"POST /a/**\", cost: 1 }\n  - { match: \"POST /a/b\", cost: 1 }\n  - { match: \"post /c\", cost: 1 }\n  - { match: \"POST /a/c\", cost: 1 }\n", nil)
	require.Error(t, err)
	assert.Contains(t, err.Error(), `:4:5: operation 2: "POST /a/b" is never reached, "POST /a/**" before it covers it`)
	assert.Contains(t, err.Error(), `:6:5: operation 4: "POST /a/c" is never reached`)
}

func TestReadProjectRefuses(t *testing.T) {
	for name, row := range map[string]struct{ content, place, want string }{
		"no version":         {"ledger: sqlite:x\n", ":1:1: ", "version is missing"},
		"another version":    {"version: 2\n", ":1:10: ", "version is 2"},
		"a key twice":        {"version: 1\nper_run: 1\nper_run: 2\n", ":3:1: ", "per_run"},
		"no YAML":            {"version: [1\n", ":1:", ""},
		"a negative amount":  {"version: 1\nper_run: -1\n", ":2:10: ", "want 1 to"},
		"a negative grant":   {"version: 1\nallowance: { granted: -1 }\n", ":2:23: ", "want 0 to"},
		"a text as a number": {"version: 1\nper_run: many\n", ":2:10: ", ""},
		"a mode":             {"version: 1\npolicy: { mode: fast }\n", ":2:17: ", `"fast"`},
		"a mode of a rule":   {"version: 1\npolicy:\n  ci:\n    - mode: live\n    - mode: fast\n", ":5:13: ", `"fast"`},
		"a mode of CI":       {"version: 1\npolicy: { ci: fast }\n", ":2:15: ", `"fast"`},
		"ci_ledger":          {"version: 1\npolicy: { ci_ledger: mine }\n", ":2:22: ", `policy.ci_ledger "mine"`},
		"loopback":           {"version: 1\npolicy: { loopback: real }\n", ":2:21: ", `policy.loopback "real"`},
		"on_blocked":         {"version: 1\npolicy: { on_blocked: wait }\n", ":2:23: ", `policy.on_blocked "wait"`},
		"max_age":            {"version: 1\nrecordings: { max_age: old }\n", ":2:24: ", `recordings.max_age is "old", want an age such as 180d`},
		"warn_at":            {"version: 1\nallowance: { warn_at: 0.7 }\n", ":2:23: ", `allowance.warn_at is 0.7, want a text`},
		"an operation twice": {"version: 1\noperations:\n  - { match: \"POST /a\", cost: 0 }\n  - match: \"POST /a\"\n    cost: 1\n", ":4:5: ", "POST /a"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(t, row.content, nil)
			require.Error(t, err)
			assert.Contains(t, err.Error(), row.want)
			assert.Contains(t, err.Error(), Name+row.place)
			assert.Contains(t, err.Error(), "^", "the caret under it")
		})
	}
}

func TestReadProjectNamesEveryMistake(t *testing.T) {
	_, err := read(t, "version: 1\nper_run: -1\npolicy: { mode: fast, on_blocked: wait }\n", nil)
	require.Error(t, err)
	for _, want := range []string{":2:10: ", ":3:17: ", ":3:35: "} {
		assert.Contains(t, err.Error(), Name+want)
	}
}

// A project may give a price to everything that the built-in rules know: its
// own come first.
func TestReadProjectMayPriceAnew(t *testing.T) {
	p, err := read(t, "version: 1\noperations: [ { match: \"POST /hscode*/**\", cost: 2 } ]\n", nil)
	require.NoError(t, err)
	price, err := p.Operations.Price("POST", "/hscode/classify", nil)
	require.NoError(t, err)
	assert.Equal(t, 2, price.Units)
}

func TestExpand(t *testing.T) {
	env := getenv(map[string]string{"A": "a", "B_2": "b"})
	for text, want := range map[string]string{
		"plain":               "plain",
		"${A}":                "a",
		"x${A}y${B_2}z":       "xaybz",
		"${NONE}":             "",
		"${NONE:-else}":       "else",
		"${NONE:-}":           "",
		"${A:-else}":          "a",
		"${NONE:-http://x:1}": "http://x:1",
		"$A ${} ${1} ${A-x}":  "$A ${} ${1} ${A-x}",
	} {
		got, unset := expand(text, env)
		assert.Equal(t, want, got, text)
		assert.Equal(t, text == "${NONE}", len(unset) > 0, text)
	}
}

func TestExpandedSettings(t *testing.T) {
	p, err := read(t, `version: 1
ledger: "${L}"
environments: { sandbox: { identity_url: "${U}", api_url: "${U}", legacy_api_url: "${U}", managed_api_url: "${U}", client_id: "${U}", client_secret: "${U}" } }
`, map[string]string{"L": "sqlite:l", "U": "http://127.0.0.1:1"})
	require.NoError(t, err)
	u := "http://127.0.0.1:1"
	assert.Equal(t, "sqlite:l", p.Ledger)
	assert.Equal(t, Sandbox{IdentityURL: u, APIURL: u, LegacyAPIURL: u, ManagedAPIURL: u, ClientID: u, ClientSecret: "${U}"}, p.Environments.Sandbox)
	assert.Equal(t, u, p.ClientSecret().Value(getenv(map[string]string{"U": u})))
}

func TestUpstream(t *testing.T) {
	const here, there = "http://127.0.0.1:1", "https://sandbox.example"
	real := guard.RealSandbox()
	for name, row := range map[string]struct {
		set  Sandbox
		want guard.Upstream
	}{
		"nothing set is the real one": {Sandbox{}, real},
		"one URL of another host": {Sandbox{LegacyAPIURL: there}, guard.Upstream{Identity: real.Identity,
			APIs: map[avalara.API]string{avalara.Current: real.APIs[avalara.Current], avalara.Legacy: there, avalara.Managed: real.APIs[avalara.Managed]}}},
		"loopback is filled up with nothing": {Sandbox{IdentityURL: here, APIURL: here}, guard.Upstream{Identity: here,
			APIs: map[avalara.API]string{avalara.Current: here, avalara.Legacy: "", avalara.Managed: ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := row.set.upstream()
			require.NoError(t, err)
			assert.Equal(t, row.want.Identity, got.Identity)
			for _, api := range avalara.APIs() {
				assert.Equal(t, row.want.APIs[api], got.APIs[api], api)
			}
		})
	}
}

func TestUpstreamRefuses(t *testing.T) {
	const here, there = "http://127.0.0.1:1", "https://sandbox.example"
	for name, set := range map[string]Sandbox{
		"an API on loopback and no identity":       {APIURL: here},
		"an API on loopback and a real identity":   {IdentityURL: there, APIURL: here},
		"an identity on loopback and a real API":   {IdentityURL: here, APIURL: there},
		"one of several APIs away from loopback":   {IdentityURL: here, APIURL: here, LegacyAPIURL: there},
		"the managed API away from loopback":       {IdentityURL: here, APIURL: here, ManagedAPIURL: there},
		"what is no base URL":                      {APIURL: "sandbox.example"},
		"a base URL with a path":                   {APIURL: there + "/hscode"},
		"a base URL with a credential in the host": {APIURL: "https://a:b@sandbox.example"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := set.upstream()
			assert.Error(t, err)
		})
	}
	for _, api := range avalara.APIs() {
		base := "https://" + avalara.HostOf(avalara.Production, api).Name
		for _, set := range []Sandbox{{APIURL: base}, {LegacyAPIURL: base}, {ManagedAPIURL: base}, {IdentityURL: base}} {
			_, err := set.upstream()
			var production *guard.ProductionError
			assert.True(t, errors.As(err, &production), "%s: %v", base, err)
		}
	}
	_, err := Sandbox{IdentityURL: avalara.IdentityURL(avalara.Production)}.upstream()
	var production *guard.ProductionError
	assert.ErrorAs(t, err, &production)
}

func TestCIPolicyMode(t *testing.T) {
	rules := CIPolicy{
		{Event: Globs{"schedule", "manual"}, Branch: Globs{"main"}, Mode: "record"},
		{Branch: Globs{"release-*"}, Mode: "live"},
		{Event: Globs{"pull_request"}, Mode: "offline"},
	}
	restricted := CIPolicy{{Branch: Globs{"main"}, Mode: "offline"}, {Mode: "record"}}
	open := CIPolicy{{Branch: Globs{"main"}, Mode: "live"}, {Mode: "record"}}
	tags := CIPolicy{{Branch: Globs{"tag:v*"}, Mode: "record"}, {Branch: Globs{"*/main", "main"}, Mode: "live"}}
	trusted := func(event, branch string) quota.Attribution {
		return quota.Attribution{Event: event, Branch: branch, Trusted: branch}
	}
	claimed := func(event, branch string) quota.Attribution {
		return quota.Attribution{Event: event, Branch: branch}
	}
	for _, row := range []struct {
		policy CIPolicy
		who    quota.Attribution
		want   guard.Mode
		rule   int
	}{
		{nil, trusted("push", "main"), guard.Replay, 0},
		{CIPolicy{{Mode: "record"}}, trusted("push", "main"), guard.Record, 1},
		{rules, trusted("schedule", "main"), guard.Record, 1},
		{rules, trusted("manual", "main"), guard.Record, 1},
		{rules, trusted("schedule", "feature"), guard.Replay, 0},
		{rules, trusted("push", "main"), guard.Replay, 0},
		{rules, trusted("schedule", "release-1"), guard.Live, 2},
		{rules, trusted("pull_request", "release-1"), guard.Live, 2},
		{rules, trusted("pull_request", "feature"), guard.Offline, 3},
		{rules, quota.Attribution{}, guard.Replay, 0},

		{rules, claimed("schedule", "main"), guard.Replay, 0},
		{rules, claimed("pull_request", "release-1"), guard.Offline, 3},
		{restricted, claimed("push", "main"), guard.Offline, 1},
		{restricted, claimed("push", "feature"), guard.Record, 2},
		{open, claimed("push", "main"), guard.Record, 2},
		{open, trusted("push", "main"), guard.Live, 1},
		{CIPolicy{{Branch: Globs{"*"}, Mode: "record"}}, claimed("push", "main"), guard.Replay, 0},
		{tags, trusted("push", "tag:main"), guard.Replay, 0},
		{tags, trusted("push", "tag:v1"), guard.Record, 1},
		{tags, trusted("push", "v1"), guard.Replay, 0},
		{tags, claimed("push", "tag:v1"), guard.Replay, 0},
	} {
		mode, rule := row.policy.Mode(row.who)
		assert.Equal(t, row.want, mode, "%v %+v", row.policy, row.who)
		assert.Equal(t, row.rule, rule, "%v %+v", row.policy, row.who)
	}
}

func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"180d": 180 * 24 * time.Hour, "0d": 0, "36h": 36 * time.Hour} {
		got, err := ParseAge(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "1x2d", "180", "999999999999d"} {
		_, err := ParseAge(text)
		assert.Error(t, err, text)
	}
}

func TestParsePercent(t *testing.T) {
	got, err := ParsePercent("70%")
	require.NoError(t, err)
	assert.EqualValues(t, 70, got)
	for _, text := range []string{"", "%", "0%", "101%", "-5%", "70", "7.5%"} {
		_, err := ParsePercent(text)
		assert.Error(t, err, text)
	}
}

func FuzzReadProject(f *testing.F) {
	// Each key of its own: the whole file takes as long as a hundred of them.
	section := ""
	for line := range strings.Lines(wholeProject) {
		if section != "" && !strings.ContainsAny(line[:1], " -#\n") {
			f.Add("version: 1\n" + section)
			section = ""
		}
		if !strings.HasPrefix(line, "version:") {
			section += line
		}
	}
	f.Add("version: 1\n" + section)
	f.Add("version: 1\npolicy: { ci: record }\n")
	f.Add("version: [1\n")
	f.Add("version: 1\nbudgets: {}\n")
	f.Add("version: 1\nnotify:\n  - { at: [70%], url: \"https://u:s3cret@h.example?x, y\", ur: https://h.example/s3cret }\n") // its error showed them
	f.Add("version: 1\nallowance: { granted: 010, spent_before: 1e3, floor: 0x1 }\n")                                         // numbers that others read otherwise
	f.Add("")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content string) {
		name := filepath.Join(dir, Name)
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		p, err := Read(name, false, getenv(nil))
		if err != nil {
			assert.Contains(t, err.Error(), Name)
			return
		}
		assert.Equal(t, 1, p.Version)
		if _, err := p.Upstream(); err == nil {
			p.Policy.CI.Mode(quota.Attribution{Event: "push", Branch: "main"})
		}
	})
}

func TestWhatIsWrongWithACredential(t *testing.T) {
	env := getenv(map[string]string{"GOOD": "LK-1234", "SPACE": "LK-1234 "})
	for written, want := range map[string]string{
		"${GOOD}": "", "plain": "", "": "x is missing", "${NONE}": "NONE is not set, and x is made of it", "${NONE}${GOOD}${OTHER}": "NONE and OTHER are not set, and x is made of them",
		"${NONE:-}": "x is empty", "${NONE:-LK-1}": "", "${SPACE}": "x (SPACE) ends with white space", "LK-1234\n": "x ends with a line break",
	} {
		err := Text{"x", written}.CheckCredential(env)
		if want == "" {
			assert.NoError(t, err, written)
			continue
		}
		assert.EqualError(t, err, want, written)
		assert.NotContains(t, err.Error(), "1234")
	}
}

func TestURLsOfVariablesThatAreNotSet(t *testing.T) {
	p, err := read(t, "version: 1\nenvironments: { sandbox: { identity_url: \"${U}\", api_url: \"http://${V:-127.0.0.1}:1\" } }\n", nil)
	require.NoError(t, err)
	_, err = p.Upstream()
	require.EqualError(t, err, "U is not set, and environments.sandbox.identity_url is made of it")
	assert.Equal(t, err, p.UnsetURLs())
}
