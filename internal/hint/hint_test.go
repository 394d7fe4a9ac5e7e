package hint_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/scenario"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/internal/share"
	"github.com/hsharness/hsharness/quota"
)

// refusals is what is advised against each refusal of a ledger; empty where the
// caller alone can know, or it is a mistake of a program.
var refusals = map[string]struct {
	err    error
	advice string
}{
	"ErrNoLedger":     {quota.ErrNoLedger, "hsharness quota init --granted N"},
	"ErrNotLedger":    {quota.ErrNotLedger, "--ledger sqlite:PATH"},
	"ErrLedgerExists": {quota.ErrLedgerExists, ""},
	"ErrNewerSchema":  {quota.ErrNewerSchema, "install the version"},
	"ErrUnsafePlace":  {quota.ErrUnsafePlace, "a local disk"},
	"ErrLocalInCI":    {quota.ErrLocalInCI, "policy.ci_ledger: local"},
	"ErrOtherAccount": {quota.ErrOtherAccount, "the ledger of this account"},
	"ErrWentBack":     {quota.ErrWentBack, "hsharness quota reconcile --observed N --note WHY"},
	"ErrNoHighWater":  {quota.ErrNoHighWater, "hsharness doctor"},
	"ErrBusy":         {quota.ErrBusy, "let that process go on"},
	"ErrReadOnly":     {quota.ErrReadOnly, "let its owner"},
	"ErrPoisoned":     {quota.ErrPoisoned, "hsharness quota verify"},
	"ErrClosed":       {quota.ErrClosed, ""},
	"ErrConflict":     {quota.ErrConflict, ""},
	"ErrSpent":        {quota.ErrSpent, ""},
	"ErrNoRun":        {quota.ErrNoRun, "hsharness quota runs"},
	"ErrNoSpend":      {quota.ErrNoSpend, ""},
	"ErrNoProof":      {quota.ErrNoProof, ""},
	"ErrRunOver":      {&quota.RunOverError{}, "hsharness quota runs"},
	"ErrHoldUsed":     {&quota.HoldUsedError{}, "repeat with a larger --max-spend"},
	"ErrBlocked":      {&quota.BlockedError{}, "hsharness quota status"},
	"ErrUnreachable":  {quota.ErrUnreachable, "hsharness doctor"},
	"ErrDamaged":      {quota.ErrDamaged, "hsharness quota import FILE"},
	"ErrDisplaced":    {errors.Join(quota.ErrWentBack, quota.ErrDisplaced), "let what uses it end, then: hsharness quota verify"},
	"ErrRunsActive":   {&quota.RunsActiveError{Run: "r1"}, "hsharness quota end r1"},
}

// TestWhatIsSharedIsMended: a damaged row of the database is no file of the folder, and no
// command takes it out.
func TestWhatIsSharedIsMended(t *testing.T) {
	t.Parallel()
	wrong := &recording.SharedError{FileError: &recording.FileError{File: "the shared answer"}, Removal: "DELETE IT"}
	for _, err := range []error{wrong, &guard.Refusal{Verdict: guard.RecordingDamaged, Err: fmt.Errorf("x: %w", wrong)}} {
		assert.Contains(t, hint.For(err), "DELETE IT; then, where the folder has the answer: hsharness recordings push")
	}
	assert.Contains(t, hint.For(&recording.ShareError{Err: &share.TooMuchError{Look: "LOOK"}}), "delete what nobody bought: LOOK")
}

// TestAnErrorOfTheLedgerHasANextCommand whatever it is: a server has more of them than
// anybody lists.
func TestAnErrorOfTheLedgerHasANextCommand(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "look: hsharness doctor", hint.For(session.Failed(errors.New("FATAL: sorry, too many clients already"))))
	assert.Equal(t, "let that process go on, or end it", hint.For(session.Failed(quota.ErrBusy)), "what is known comes first")
}

// verdicts is what is advised against a refusal of each verdict whose error says
// nothing more.
var verdicts = map[string]string{
	"Blocked": "hsharness quota runs", "LedgerUnavailable": "hsharness doctor", "Stopped": "hsharness quota status",
	"UpstreamFailed": "", "Policy": "", "Missed": "", "RecordingDamaged": "hsharness recordings scan", "NoHost": "", "RecordingFailed": "hsharness doctor",
	"Capped": "", "Cancelled": "", "Mocked": "", "Unbought": "", "Replayed": "", "Bought": "", "Unauthorized": "", "Unreadable": "",
}

// commandOf is the next command in the body of a refusal.
func commandOf(t *testing.T, refusal *guard.Refusal) string {
	t.Helper()
	rec := httptest.NewRecorder()
	refusal.Write(rec, hint.For)
	var body struct {
		Command string `json:"command"`
	}
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &body))
	return body.Command
}

// declared are the names that a package's source declares by var or const and that
// pick chooses.
func declared(t *testing.T, dir string, pick func(name string, spec *ast.ValueSpec) bool) []string {
	t.Helper()
	files, err := fs.Glob(os.DirFS(dir), "*.go")
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), dir+"/"+file, nil, 0)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range group.Specs {
				spec, ok := s.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for _, name := range spec.Names {
					if pick(name.Name, spec) {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	require.NotEmpty(t, names)
	return names
}

// TestEveryRefusalOfALedgerIsDecided: a new one has to say what helps, or that
// nothing does.
func TestEveryRefusalOfALedgerIsDecided(t *testing.T) {
	t.Parallel()
	names := declared(t, "../../quota", func(name string, _ *ast.ValueSpec) bool { return strings.HasPrefix(name, "Err") })
	assert.Len(t, names, len(refusals))
	for _, name := range names {
		want, ok := refusals[name]
		if !assert.True(t, ok, "quota.%s is not in the table", name) {
			continue
		}
		for _, err := range []error{want.err, fmt.Errorf("open: %w", want.err), session.Failed(want.err)} {
			got := hint.For(err)
			if want.advice == "" {
				assert.Empty(t, got, name)
				assert.Equal(t, err.Error(), hint.Text(err), name)
				continue
			}
			assert.Contains(t, got, want.advice, name)
			assert.Contains(t, hint.Text(err), err.Error(), name)
			assert.True(t, strings.HasSuffix(hint.Text(err), got), name)
		}
		// A refused request has the same advice, or that of its verdict.
		refused := hint.For(&guard.Refusal{Verdict: guard.LedgerUnavailable, Err: want.err})
		if want.advice == "" {
			assert.Equal(t, "hsharness doctor", refused, name)
		} else {
			assert.Equal(t, hint.For(want.err), refused, name)
		}
		assert.Equal(t, refused, commandOf(t, &guard.Refusal{Verdict: guard.LedgerUnavailable, Err: want.err}), name)
	}
}

func TestEveryVerdictIsDecided(t *testing.T) {
	t.Parallel()
	names := declared(t, "../guard", func(_ string, spec *ast.ValueSpec) bool {
		of, ok := spec.Type.(*ast.Ident)
		return ok && of.Name == "Verdict"
	})
	assert.Len(t, names, len(verdicts))
	values := map[string]guard.Verdict{
		"Blocked": guard.Blocked, "LedgerUnavailable": guard.LedgerUnavailable, "Stopped": guard.Stopped, "UpstreamFailed": guard.UpstreamFailed,
		"Policy": guard.Policy, "Missed": guard.Missed, "RecordingDamaged": guard.RecordingDamaged, "NoHost": guard.NoHost, "RecordingFailed": guard.RecordingFailed,
		"Capped": guard.Capped, "Cancelled": guard.Cancelled, "Mocked": guard.Mocked, "Replayed": guard.Replayed, "Bought": guard.Bought,
		"Unauthorized": guard.Unauthorized, "Unreadable": guard.Unreadable,
	}
	for _, name := range names {
		want, ok := verdicts[name]
		assert.True(t, ok, "guard.%s is not in the table", name)
		refusal := &guard.Refusal{Verdict: values[name], Err: errors.New("why")}
		assert.Equal(t, want, hint.For(refusal), name)
		assert.Equal(t, want, commandOf(t, refusal), name)
	}
}

// TestAdviceKnowsTheNumbers: where a command needs them, it has them.
func TestAdviceKnowsTheNumbers(t *testing.T) {
	t.Parallel()
	copying := quota.Bar{Reason: quota.Copying, From: "sqlite:old.db", To: "sqlite:new.db"}
	moved := quota.Bar{Reason: quota.Moved, To: "sqlite:new.db"}
	blocked := func(rule string, budget int, holders ...quota.Holder) error {
		return &quota.BlockedError{Refusals: []quota.Refusal{{Rule: rule, Budget: budget}}, Holders: holders}
	}
	for want, err := range map[string]error{
		"hsharness quota copy --ledger sqlite:old.db --to sqlite:new.db":                                                     &quota.BarredError{Bar: copying},
		"hsharness quota status --ledger sqlite:new.db":                                                                      &quota.BlockedError{Bar: moved},
		"hsharness quota reconcile --observed N --note WHY":                                                                  blocked("exhausted", 0),
		"see what it costs: hsharness exec --mode offline --config a.yaml -- npm test; or change budget 1 in hsharness.yaml": hint.Priced(session.Failed(blocked("block", 1)), []string{"--config", "a.yaml"}, "npm", "test"),
		"change budget 1 in hsharness.yaml":                                                                                  blocked("block", 1),
		"repeat with --max-spend 3, which fits; or change budget 2 in hsharness.yaml": &quota.BlockedError{
			Run: "r", Requested: 5, Refusals: []quota.Refusal{{Rule: "max_per_run", Budget: 2, Limit: 3}},
		},
		"wait for the next day (UTC); or change budget 2 in hsharness.yaml": &quota.BlockedError{
			Run: "r", Requested: 5, Refusals: []quota.Refusal{{Rule: "max_per_day", Budget: 2, Limit: 3, Used: 3}},
		},
		"repeat with --max-spend 1, which fits; or if the service granted more: hsharness quota grant N --note WHY": &quota.BlockedError{
			Run: "r", Requested: 5, Refusals: []quota.Refusal{{Rule: "usable", Limit: 2}, {Rule: "max_total", Budget: 1, Limit: 4, Used: 3}},
		},
		"if the service granted more: hsharness quota grant N --note WHY": &quota.BlockedError{ // by quota status --require, which has no run
			Requested: 5, Refusals: []quota.Refusal{{Rule: "usable", Limit: 2}},
		},
		"lower the floor, which keeps the rest: hsharness quota floor N": &quota.BlockedError{
			Requested: 5, Available: 5, Floor: 1, Refusals: []quota.Refusal{{Rule: "usable", Limit: 4}},
		},
		"hsharness quota runs; and if the process of a run is gone: hsharness quota end a": blocked("usable", 0, quota.Holder{ID: "a"}, quota.Holder{ID: "b"}),
		"hsharness quota runs; and if the process of a run is gone: hsharness quota end b": blocked("usable", 0, quota.Holder{ID: "a"}, quota.Holder{ID: "b", Ahead: true}),
		"repeat with --mode record --max-spend 3":                                          &guard.MissError{Units: 3},
		"hsharness recordings refresh 0123456789ab --max-spend 2":                          &guard.StaleError{Key: "0123456789abcdef", Units: 2},
		"repeat with --mode record --max-spend 2, outside of CI":                           &guard.MissError{Units: 2, Where: ", outside of CI"},
		"repeat with --mode record --max-spend 1":                                          &guard.MissError{},
		"policy.mode: record":                                &guard.MissError{Units: 3, Mend: "policy.mode: record"},
		"repeat with --mode offline":                         &guard.MissError{Production: true},
		"let that process go on, or end it":                  &quota.NoAnswerError{Holder: "process 7", Err: errors.New("late")},
		"hsharness doctor":                                   &quota.NoAnswerError{Err: errors.New("late")},
		"use the URLs that hsharness exec sets":              &guard.PastGuardError{},
		"use 127.0.0.1, or --listen-anywhere if you mean it": &services.NotLoopbackError{},
		"start again: hsharness exec -- CMD; or, of a serve that ended: unset HSHARNESS_CONTROL_URL": services.ErrGuardGone,
		"allow them with --allow-exec":                                                       scenario.ErrExecForbidden,
		"repeat with --max-spend N, or set per_run in shop.yaml":                             &session.NoAmountError{File: "shop.yaml"},
		"hsharness exec --sealed --mode live --max-spend N -- CMD":                           &session.UnsealedError{Mode: guard.Live},
		"hsharness exec --sealed --mode record --max-spend 3 --suite 'a b' -- npm test":      hint.Sealable(fmt.Errorf("open: %w", &session.UnsealedError{Mode: guard.Record, Max: 3}), []string{"--suite", "a b"}, "npm", "test"),
		"write hsharness.yaml, with version: 1 and environments.sandbox, or: hsharness init": &session.NoProjectError{},
	} {
		assert.Equal(t, want, hint.For(err), "%T", err)
	}
	assert.Equal(t, "blocked: the ledger goes on at sqlite:new.db\n  next: hsharness quota status --ledger sqlite:new.db",
		hint.Text(&quota.BarredError{Bar: moved}))
}

// TestWarningsSayWhatHelps: those of a status that a command helps against.
// TestLongLinesOfErrorsAreCut: what is quoted of a file may be all of it.
func TestLongLinesOfErrorsAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 10_000)
	text := hint.Text(errors.New("first\n" + long + "\nlast"))
	lines := strings.Split(text, "\n")
	require.Len(t, lines, 3)
	assert.Equal(t, []string{"first", strings.Repeat("é", 4096) + "… (11809 bytes more)", "last"}, lines)
	many := strings.Repeat(strings.Repeat("x", 8000)+"\n", 100)
	assert.Equal(t, many, hint.Text(errors.New(many)), "as many lines as there are")
}

func TestWarningsSayWhatHelps(t *testing.T) {
	t.Parallel()
	moved := quota.Bar{Reason: quota.Moved, To: "sqlite:new.db"}
	got := hint.Warnings(quota.Status{
		Bar: moved, ActiveRuns: []quota.Holder{{ID: "r", Ahead: true}},
		Warnings: []string{
			"run r holds 3 units until 2030", "all runs are blocked: " + moved.String(), "all runs are blocked: " + quota.Astray("a copy").Error(), "9 spent of 8 granted",
		},
	})
	require.Len(t, got, 4)
	assert.Contains(t, got[0], "hsharness quota end r")
	assert.Contains(t, got[1], "hsharness quota status --ledger sqlite:new.db")
	assert.Contains(t, got[2], "hsharness quota reconcile --observed N")
	assert.Equal(t, "9 spent of 8 granted", got[3])
}

// An error's own advice comes before that of its type, is told once, and leaves the error
// what it is.
func TestOwnAdvice(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("look: %w", hint.LookAt("sqlite:x.db").About(fmt.Errorf("%w at x.db", quota.ErrLedgerExists)))
	require.ErrorIs(t, err, quota.ErrLedgerExists)
	assert.Equal(t, string(hint.LookAt("sqlite:x.db")), hint.For(err))
	assert.Equal(t, err.Error()+"; look at it: hsharness quota status --ledger sqlite:x.db", hint.Text(err))
	assert.Equal(t, string(hint.Project), hint.For(hint.Project.About(quota.ErrNoLedger)))
	assert.NoError(t, hint.Project.About(nil))
	assert.Equal(t, "look at it: hsharness quota status --ledger 'sqlite:a b.db'", string(hint.LookAt("sqlite:a b.db")))
	assert.Equal(t, "name a file or folder, or write the first scenarios: hsharness init 'a b'", string(hint.FirstScenarios("a b/hsharness.yaml")))
}
