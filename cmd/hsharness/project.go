package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/hsharness/hsharness/harness/guard"
	"github.com/hsharness/hsharness/harness/recording"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/quota"
)

// project is the file hsharness.yaml. The zero project is that of a folder
// without one.
type project struct {
	Version      int                 `yaml:"version"`
	Allowance    allowanceSettings   `yaml:"allowance"`
	Ledger       string              `yaml:"ledger"`
	Environments environmentSettings `yaml:"environments"`
	Operations   guard.Operations    `yaml:"operations"`
	Budgets      []quota.Rule        `yaml:"budgets"`
	// PerRun is the amount of a run that gives none, in units. Zero is none.
	PerRun     int64             `yaml:"per_run"`
	Recordings recordingSettings `yaml:"recordings"`
	Policy     policySettings    `yaml:"policy"`

	// file is where it was read, empty for the zero project.
	file string
}

type allowanceSettings struct {
	Name        string `yaml:"name"`
	Granted     int64  `yaml:"granted"`
	SpentBefore int64  `yaml:"spent_before"`
	Floor       int64  `yaml:"floor"`
	WarnAt      string `yaml:"warn_at"`
}

type environmentSettings struct {
	Sandbox sandboxSettings `yaml:"sandbox"`
}

// sandboxSettings say where the sandbox is and who asks. An empty URL is the
// real one, as far as it is known.
type sandboxSettings struct {
	IdentityURL   string       `yaml:"identity_url"`
	APIURL        string       `yaml:"api_url"`
	LegacyAPIURL  string       `yaml:"legacy_api_url"`
	ManagedAPIURL string       `yaml:"managed_api_url"`
	ClientID      string       `yaml:"client_id"`
	ClientSecret  guard.Secret `yaml:"client_secret"`
}

type recordingSettings struct {
	Dir    string   `yaml:"dir"`
	MaxAge string   `yaml:"max_age"`
	Ignore []string `yaml:"ignore"`
}

type policySettings struct {
	Mode      string                `yaml:"mode"`
	CI        ciPolicy              `yaml:"ci"`
	CILedger  string                `yaml:"ci_ledger"`
	OnBlocked string                `yaml:"on_blocked"`
	Unbilled  []int                 `yaml:"unbilled"`
	Exhausted []guard.ExhaustedRule `yaml:"exhausted"`
}

// ciRule is one line of policy.ci.
type ciRule struct {
	Event  oneOrMany `yaml:"event"`
	Branch oneOrMany `yaml:"branch"`
	Mode   string    `yaml:"mode"`
}

// ciPolicy is policy.ci: one mode, or a list of rules of which the first that
// matches holds.
type ciPolicy []ciRule

// UnmarshalYAML reads a mode's name or a list of rules.
func (c *ciPolicy) UnmarshalYAML(unmarshal func(any) error) error {
	var mode string
	if unmarshal(&mode) == nil {
		*c = ciPolicy{{Mode: mode}}
		return nil
	}
	var rules []ciRule
	if err := unmarshal(&rules); err != nil {
		return err
	}
	*c = rules
	return nil
}

// oneOrMany is a string or a list of strings.
type oneOrMany []string

// UnmarshalYAML reads both forms.
func (o *oneOrMany) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	var many []string
	if err := unmarshal(&many); err != nil {
		return err
	}
	*o = many
	return nil
}

// matches tells whether one of the globs matches, as those of budgets do; none
// of them means any.
func (o oneOrMany) matches(text string) bool {
	return len(o) == 0 || slices.ContainsFunc(o, func(glob string) bool {
		return quota.Match{Branch: glob}.Matches(quota.Attribution{Branch: text})
	})
}

// mode is what the policy allows for an event and a branch. Without a rule that
// matches it is replay.
func (c ciPolicy) mode(event, branch string) string {
	for _, rule := range c {
		if rule.Event.matches(event) && rule.Branch.matches(branch) {
			return rule.Mode
		}
	}
	return guard.Replay.String()
}

// defaultLedger is where the ledger is when nothing else is said.
const defaultLedger = "sqlite:.hsharness/ledger.db"

// readProject reads a project file. An optional one that is not there is the
// zero project.
func readProject(name string, optional bool, getenv func(string) string) (*project, error) {
	data, err := os.ReadFile(name)
	if optional && errors.Is(err, os.ErrNotExist) {
		return &project{}, nil
	}
	if err != nil {
		return nil, err
	}
	p := &project{file: name}
	if err := yaml.UnmarshalWithOptions(data, p, yaml.Strict()); err != nil {
		return nil, yamlError(name, err)
	}
	if err := complaintsError(name, data, p.complaints()); err != nil {
		return nil, err
	}
	s := &p.Environments.Sandbox
	for _, text := range []*string{&s.ClientID, (*string)(&s.ClientSecret), &s.IdentityURL, &s.APIURL, &s.LegacyAPIURL, &s.ManagedAPIURL, &p.Ledger} {
		*text = expand(*text, getenv)
	}
	return p, nil
}

// variable is ${NAME} or ${NAME:-default}.
var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}`)

// expand replaces variables of the environment; one that is not set is empty.
func expand(text string, getenv func(string) string) string {
	return variable.ReplaceAllStringFunc(text, func(v string) string {
		m := variable.FindStringSubmatch(v)
		if value := getenv(m[1]); value != "" {
			return value
		}
		return m[2]
	})
}

// maxAge is how old a recording may get before it is called stale, 0 for any.
func (p *project) maxAge() time.Duration {
	age, _ := parseAge(p.Recordings.MaxAge) // checked when the project was read; none is 0
	return age
}

// maxAgeDays is a hundred years, which fit into a time.Duration.
const maxAgeDays = 36500

// parseAge reads a duration that may be given in days.
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > maxAgeDays {
			return 0, fmt.Errorf("%q is no number of days, want 0 to %d", days, maxAgeDays)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	return time.ParseDuration(text)
}

// parsePercent reads a whole percentage from 1% to 100%.
func parsePercent(text string) (int64, error) {
	digits, ok := strings.CutSuffix(text, "%")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 1 || n > 100 {
		return 0, fmt.Errorf("%q is no percentage", text)
	}
	return n, nil
}

// defaultRecordings is the folder of recordings when nothing else is said.
const defaultRecordings = "recordings"

// recordings opens the project's folder of recordings. The real credential is
// among the secrets that it looks for.
func (p *project) recordings() (*recording.Store, error) {
	return p.recordingsIn(p.recordingsDir())
}

// recordingsDir is the project's folder of recordings.
func (p *project) recordingsDir() string {
	dir := cmp.Or(p.Recordings.Dir, defaultRecordings)
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(p.dir(), dir)
}

// recordingsIn opens another folder as the project's.
func (p *project) recordingsIn(dir string) (*recording.Store, error) {
	cfg := recording.Config{Dir: dir, Ignore: p.Recordings.Ignore, NeverAnswer: guard.Exhausted(p.Policy.Exhausted)}
	if secret := string(p.Environments.Sandbox.ClientSecret); secret != "" {
		cfg.Secrets = append(cfg.Secrets, recording.Secret{Name: "client_secret", Value: secret})
	}
	return recording.Open(cfg)
}

// dir is the folder of the project file, "." without one.
func (p *project) dir() string { return filepath.Dir(p.file) }

// upstream is where the sandbox is: the real one, but for the URLs that are
// set. As soon as one of those is on loopback, the others are not filled in
// with real hosts: a mock's token has no business there, and a real credential
// none here.
func (s sandboxSettings) upstream() (guard.Upstream, error) {
	set := guard.Upstream{Identity: s.IdentityURL, APIs: map[avalara.API]string{
		avalara.Current: s.APIURL, avalara.Legacy: s.LegacyAPIURL, avalara.Managed: s.ManagedAPIURL,
	}}
	set, err := set.Plain()
	if err != nil {
		return guard.Upstream{}, err
	}
	real := guard.RealSandbox()
	if set.AnyLoopback() {
		real = guard.Upstream{}
	}
	if set.Identity == "" {
		set.Identity = real.Identity
	}
	for api, base := range set.APIs {
		if base == "" {
			set.APIs[api] = real.APIs[api]
		}
	}
	if set.AnyLoopback() && (set.Identity == "" || !set.AllLoopback()) {
		return guard.Upstream{}, errors.New("environments.sandbox: some URLs are on loopback and some are not; give identity_url and every API's URL that is used, all of the same kind")
	}
	return set, nil
}
