package project

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/nomenclature"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/strict"
	"github.com/hsharness/hsharness/quota"
)

// Name is what a project file is called.
const Name = "hsharness.yaml"

// What holds where the file says nothing.
const (
	// DefaultLedger is where the ledger is, relative to the file.
	DefaultLedger = "sqlite:.hsharness/ledger.db"
	// Fail is what settings say that let a run fail.
	Fail = "fail"
	// DefaultRecordings is the folder of recordings, relative to the file.
	DefaultRecordings = "recordings"
)

// Project is a project file. The zero Project is that of a folder without one:
// zero fields are settings that were not written. It must not be changed.
type Project struct {
	Version      int              `yaml:"version"`
	Allowance    Allowance        `yaml:"allowance"`
	Ledger       string           `yaml:"ledger"`
	Environments Environments     `yaml:"environments"`
	Operations   guard.Operations `yaml:"operations"`
	Budgets      []quota.Rule     `yaml:"budgets"`
	// PerRun is the amount of a run that gives none, in units. Zero is none.
	PerRun int64 `yaml:"per_run"`
	// Rate is as it is written; see [Project.Rates].
	Rate       []string   `yaml:"rate"`
	Exec       Exec       `yaml:"exec"`
	Recordings Recordings `yaml:"recordings"`
	// Notify says who is told when the allowance goes down.
	Notify []Notify `yaml:"notify"`
	// Schedules are files with the codes that can be declared in a country.
	Schedules map[string]string `yaml:"schedules"`
	Policy    Policy            `yaml:"policy"`

	// File is where it was read, empty for the zero project.
	File string `yaml:"-"`

	data  []byte
	texts texts
}

// Allowance is what the account may spend, in units.
type Allowance struct {
	Name        string `yaml:"name"`
	Granted     int64  `yaml:"granted"`
	SpentBefore int64  `yaml:"spent_before"`
	Floor       int64  `yaml:"floor"`
	// WarnAt is a percentage; see [Allowance.WarnPercent].
	WarnAt string `yaml:"warn_at"`
}

// WarnPercent is the share of granted from which one is warned, 0 for never.
func (a Allowance) WarnPercent() int64 {
	percent, _ := ParsePercent(a.WarnAt) // checked when it was read; none is 0
	return percent
}

// Environments are those that may ever be called: one.
type Environments struct {
	Sandbox Sandbox `yaml:"sandbox"`
}

// Sandbox says where the sandbox is and who asks. An empty URL is the real one,
// as far as it is known.
type Sandbox struct {
	IdentityURL   string `yaml:"identity_url"`
	APIURL        string `yaml:"api_url"`
	LegacyAPIURL  string `yaml:"legacy_api_url"`
	ManagedAPIURL string `yaml:"managed_api_url"`
	ClientID      string `yaml:"client_id"`
	// ClientSecret is as it is written: see [Project.ClientSecret].
	ClientSecret guard.Secret `yaml:"client_secret"`
	// Proxy is as it is written, for it may hold a password: see
	// [Project.Upstream].
	Proxy guard.Secret `yaml:"proxy"`
}

// Recordings say where bought answers are and what tells them apart.
type Recordings struct {
	Dir string `yaml:"dir"`
	// MaxAge is an age; see [Project.MaxAge].
	MaxAge string `yaml:"max_age"`
	// Expired is what a recording older than that does to a run that it answers in: warn
	// or [Fail]. Empty is warn.
	Expired string `yaml:"expired"`
	// OnMiss is what a replay does with what was never bought: [guard.FailMiss], which
	// empty is too, or [guard.MockMiss].
	OnMiss string   `yaml:"on_miss"`
	Ignore []string `yaml:"ignore"`
	// Headers are request headers that make two requests different.
	Headers []string `yaml:"headers"`
	// Answers are the statuses that are answers, such as 2xx or 404. Nil means
	// those of package recording.
	Answers []string `yaml:"answers"`
	// Drift says what counts as a change of an answer; the first rule that fits a place
	// holds.
	Drift []DriftRule `yaml:"drift"`
	// Share is where answers are kept besides the folder: [ShareLedger], or nowhere. Keep
	// is for how long, an age, and MaxSize how much of them: see [Recordings.Shares].
	Share   string `yaml:"share"`
	Keep    string `yaml:"keep"`
	MaxSize string `yaml:"max_size"`
}

// DriftRule says what counts as a change at a place of an answer. Without Digits, Within
// and Ignore every other value does.
type DriftRule struct {
	// At is a JSON pointer, with * for any member or element, and all below it; or * for
	// every place.
	At string `yaml:"at"`
	// Digits is how many digits of a code are compared; 0 is all.
	Digits int `yaml:"digits"`
	// Within is how far numbers may differ; nil is not at all.
	Within *float64 `yaml:"within"`
	// Ignore is that nothing there counts.
	Ignore bool `yaml:"ignore"`
}

// Exec is what commands get besides what every command gets.
type Exec struct {
	// Env are variables: by their names, texts with the placeholders of package names.
	Env map[string]string `yaml:"env"`
	// Forward are ports of this machine's loopback that a sealed command can reach.
	Forward []int `yaml:"forward"`
}

// Policy says how far runs may go.
type Policy struct {
	// Mode is the most that any run may do; empty is live.
	Mode      string                `yaml:"mode"`
	CI        CIPolicy              `yaml:"ci"`
	CILedger  string                `yaml:"ci_ledger"`
	Loopback  string                `yaml:"loopback"`
	OnBlocked string                `yaml:"on_blocked"`
	Unasked   string                `yaml:"unasked"`
	Sealed    string                `yaml:"sealed"`
	Unbilled  []int                 `yaml:"unbilled"`
	Exhausted []guard.ExhaustedRule `yaml:"exhausted"`
}

// MustAsk tells whether a command has to ask the guard for something.
func (p Policy) MustAsk() bool { return p.Unasked == "fail" }

// MustSeal tells whether a run that buys needs a seal around what it starts.
func (p Policy) MustSeal() bool { return p.Sealed == "required" }

// Read reads a project file. An optional one that is not there is the zero
// project. The error names everything that is wrong with the file, each with
// file:line:column and a caret. getenv gives the values of ${NAME}.
func Read(name string, optional bool, getenv func(string) string) (*Project, error) {
	data, err := files.Read(name, files.Text)
	if optional && errors.Is(err, os.ErrNotExist) {
		return &Project{}, nil
	}
	if err != nil {
		return nil, err
	}
	p := &Project{File: name, data: bytes.TrimPrefix(data, []byte("\ufeff"))}
	f, err := Settings().Read(name, data)
	if err != nil {
		return nil, err
	}
	complain(f)
	if err := f.Err(); err != nil {
		return nil, err
	}
	if err := f.Decode(p); err != nil {
		return nil, err
	}
	p.expand(getenv)
	return p, nil
}

// complain adds what a table can't say.
func complain(f *strict.File) {
	var so guard.Operations
	strict.Each(f, "operations", func(i int, op guard.Operation) {
		so = append(so, op)
		if err := so.ValidateLast(); err != nil {
			f.Complain(at("operations", i), "operation %d: %s", i+1, err)
			so = so[:len(so)-1] // those after it would only repeat it
		}
	})
	strict.Each(f, "budgets", func(i int, r quota.Rule) {
		match := r.Match
		if r == (quota.Rule{Match: match}) {
			f.Complain(at("budgets", i), "the budget does nothing: say max_per_run, max_per_day, max_total, may_use_floor: true or block: true")
		}
	})
	complainNotify(f)
	pers := map[time.Duration]bool{}
	strict.Each(f, "rate", func(i int, text string) {
		r, err := pace.Parse(text)
		if err == nil && pers[r.Per] {
			f.Complain(at("rate", i), "there are two rates for the same time: the lower one holds, so leave the other out")
		}
		pers[r.Per] = true
	})
	strict.Each(f, "policy.exhausted", func(i int, r guard.ExhaustedRule) {
		if r == (guard.ExhaustedRule{}) {
			f.Complain(at("policy.exhausted", i), "the rule matches every failure: say number, status or both")
		}
	})
}

// Dir is the folder of the project file, "." without one.
func (p *Project) Dir() string { return filepath.Dir(p.File) }

// Rates are what the account's requests keep to, none without the setting.
func (p *Project) Rates() []pace.Rate { return pace.ParseAll(p.Rate) }

// MaxAge is how old a recording may get before it is called stale, 0 for any.
func (p *Project) MaxAge() time.Duration {
	age, _ := ParseAge(p.Recordings.MaxAge) // checked when the project was read; none is 0
	return age
}

// OpenRecordings opens the project's folder of recordings. The secrets are taken
// out of what is written to it: those who write give the real one.
func (p *Project) OpenRecordings(secrets ...recording.Secret) (*recording.Store, error) {
	return p.OpenRecordingsIn(p.RecordingsDir(), secrets...)
}

// RecordingsDir is the project's folder of recordings.
func (p *Project) RecordingsDir() string {
	return Under(p.Dir(), cmp.Or(p.Recordings.Dir, DefaultRecordings))
}

// MockDir is the folder of what was learned of the service's answers.
func (p *Project) MockDir() string { return Under(p.Dir(), shape.Folder) }

// Learned is what was learned of the service's answers, nil for nothing. Where a file of it
// is wrong the error is a [*shape.Error].
func (p *Project) Learned() (*shape.Set, error) {
	return shape.Read(filepath.ToSlash(p.MockDir()), files.FS(p.MockDir()))
}

// OpenSchedules reads the project's schedules, and further ones, which win.
func (p *Project) OpenSchedules(further map[string]string) (*nomenclature.Schedules, error) {
	all := make(map[string]string)
	for country, name := range p.Schedules {
		all[country] = Under(p.Dir(), name)
	}
	maps.Copy(all, further)
	return nomenclature.Open(all, func(name string) (io.ReadCloser, error) { return files.Open(name, files.Text) })
}

// OpenRecordingsIn opens another folder as the project's.
func (p *Project) OpenRecordingsIn(dir string, secrets ...recording.Secret) (*recording.Store, error) {
	return recording.Open(recording.Config{
		Dir: dir, Ignore: p.Recordings.Ignore, Headers: p.Recordings.Headers,
		Answers: p.Recordings.Answers, NeverAnswer: guard.Exhausted(p.Policy.Exhausted), Secrets: secrets,
	})
}
