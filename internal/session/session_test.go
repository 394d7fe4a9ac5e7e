package session_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// read is a project of this text, in an environment.
func read(t *testing.T, text string, environ map[string]string) (*project.Project, func(string) string) {
	t.Helper()
	getenv := func(name string) string { return environ[name] }
	file := filepath.Join(t.TempDir(), project.Name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	p, err := project.Read(file, false, getenv)
	require.NoError(t, err)
	return p, getenv
}

const (
	real     = "version: 1\nenvironments: { sandbox: { client_id: me, client_secret: \"${KEY}\" } }\n"
	loopback = "version: 1\nenvironments: { sandbox: { identity_url: http://127.0.0.1:1, api_url: http://127.0.0.1:1 } }\n"
)

// Of all that say how far a run may go the lowest counts, and is named.
func TestLimit(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text    string
		environ map[string]string
		want    guard.Limit
	}{
		"what is typed":           {real, nil, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"the policy":              {real + "policy: { mode: record }\n", nil, guard.Limit{Mode: guard.Record, By: "policy.mode"}},
		"the environment":         {real, map[string]string{"HSHARNESS_MAX_MODE": "replay"}, guard.Limit{Mode: guard.Replay, By: "HSHARNESS_MAX_MODE"}},
		"CI":                      {real, map[string]string{"CI": "1"}, guard.Limit{Mode: guard.Replay, By: "policy.ci"}},
		"CI=true":                 {real, map[string]string{"CI": "true"}, guard.Limit{Mode: guard.Replay, By: "policy.ci"}},
		"CI=0":                    {real, map[string]string{"CI": "0"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"CI=false":                {real, map[string]string{"CI": "false"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"CI=False":                {real, map[string]string{"CI": "False"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"CI, on loopback":         {loopback, map[string]string{"CI": "1"}, guard.Limit{Mode: guard.Replay, By: "policy.ci"}},
		"CI, loopback exempt":     {loopback + "policy: { loopback: exempt }\n", map[string]string{"CI": "1"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
		"CI, real, exempt":        {real + "policy: { loopback: exempt }\n", map[string]string{"CI": "1"}, guard.Limit{Mode: guard.Replay, By: "policy.ci"}},
		"the lowest of them":      {real + "policy: { mode: record }\n", map[string]string{"HSHARNESS_MAX_MODE": "offline", "CI": "1"}, guard.Limit{Mode: guard.Offline, By: "HSHARNESS_MAX_MODE"}},
		"more than typed is none": {real + "policy: { mode: live }\n", map[string]string{"HSHARNESS_MAX_MODE": "live"}, guard.Limit{Mode: guard.Live, By: "--mode"}},
	} {
		p, getenv := read(t, row.text, row.environ)
		upstream, err := p.Upstream()
		require.NoError(t, err, name)
		got, err := session.Limit(p, upstream, getenv, guard.Limit{Mode: guard.Live, By: "--mode"})
		require.NoError(t, err, name)
		assert.Equal(t, row.want, got, name)
	}
}

// A run that is lowered says so first, with the rule and with what mends it, which is
// never what was typed; so do its bill and its misses. One with an amount and no mode
// that spends says that nothing will be spent.
// TestWhereElse: what can't be gone to here is said to be possible elsewhere.
func TestWhereElse(t *testing.T) {
	t.Parallel()
	ci := map[string]string{"CI": "1"}
	for name, row := range map[string]struct {
		text    string
		environ map[string]string
		want    string
	}{
		"here":                  {real, nil, ""},
		"CI":                    {real, ci, ", outside of CI"},
		"CI that may":           {real + "policy: { ci: record }\n", ci, ""},
		"the policy":            {real + "policy: { mode: replay }\n", nil, ", with policy.mode: record in FILE"},
		"a variable":            {real, map[string]string{"HSHARNESS_MAX_MODE": "replay"}, ", without HSHARNESS_MAX_MODE"},
		"a stand-in, in CI":     {loopback, ci, ", outside of CI"},
		"a stand-in, exempt":    {loopback + "policy: { loopback: exempt }\n", ci, ""},
		"URLs that are not set": {"version: 1\nenvironments: { sandbox: { api_url: \"${NONE}\" } }\n", ci, ", outside of CI"},
	} {
		p, getenv := read(t, row.text, row.environ)
		assert.Equal(t, strings.ReplaceAll(row.want, "FILE", p.File), session.Where(p, getenv, guard.Record), name)
	}
	none, err := project.Read(filepath.Join(t.TempDir(), project.Name), true, func(string) string { return "" })
	require.NoError(t, err)
	assert.Equal(t, ", once there is hsharness.yaml with environments.sandbox", session.Where(none, func(string) string { return "" }, guard.Record))
	assert.Empty(t, session.Where(none, func(string) string { return "" }, guard.Replay))
}

func TestLoweredIsSaid(t *testing.T) {
	t.Parallel()
	ci := func(event, ref string) map[string]string {
		return map[string]string{"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_REF": "refs/heads/" + ref, "GITHUB_REF_NAME": ref}
	}
	rules := "policy: { ci: [ { event: push, branch: main, mode: replay }, { event: schedule, branch: main, mode: record } ] }\n"
	for name, row := range map[string]struct {
		text    string
		environ map[string]string
		mode    guard.Mode
		max     int64
		want    []string
		line    string
	}{
		"by a rule of CI": {real + rules, ci("push", "main"), guard.Record, 5, []string{
			`--mode record is lowered to replay by policy.ci, rule 1 (CI is set; event "push", branch "main", which is trusted); to let it go further: in FILE, before the other rules of policy.ci: - { event: "push", branch: "main", mode: record }`,
		}, "replay instead of record, by policy.ci"},
		"by none of them": {real + rules, ci("schedule", "feature"), guard.Live, 0, []string{
			`--mode live is lowered to replay by policy.ci, no rule of which lets this run go further (CI is set; event "schedule", branch "feature", which is trusted); to let it go further: in FILE, before the other rules of policy.ci: - { event: "schedule", branch: "feature", mode: live }`,
		}, "replay instead of live, by policy.ci"},
		"a name alone": {real + rules, ci("pull_request_target", "main"), guard.Record, 0, []string{
			`--mode record is lowered to replay by policy.ci, no rule of which lets this run go further (CI is set; event "pull_request", branch "main", which is not trusted); to let it go further: start it by push, schedule or hand on a branch of the repository: a rule that names a branch lets nothing else go further`,
		}, "replay instead of record, by policy.ci"},
		"Jenkins, which does not say why": {real, map[string]string{"CI": "1", "JENKINS_URL": "x", "BRANCH_NAME": "main"}, guard.Record, 0, []string{
			`--mode record is lowered to replay by policy.ci, no rule of which lets this run go further (CI is set; event "", branch "main", which is trusted); to let it go further: policy.ci: [ { branch: "main", mode: record }, { mode: replay } ] in FILE`,
		}, "replay instead of record, by policy.ci"},
		"a mode and no rules": {real + "policy: { ci: offline }\n", ci("push", "main"), guard.Record, 5, []string{
			`--mode record is lowered to offline by policy.ci, which is offline (CI is set; event "push", branch "main", which is trusted); to let it go further: policy.ci: [ { event: "push", branch: "main", mode: record }, { mode: offline } ] in FILE`,
		}, "offline instead of record, by policy.ci"},
		"a fork, and no rules": {real + "policy: { ci: replay }\n", ci("pull_request_target", "main"), guard.Record, 5, []string{
			`--mode record is lowered to replay by policy.ci, which is replay (CI is set; event "pull_request", branch "main", which is not trusted); to let it go further: start it by push, schedule or hand on a branch of the repository: a rule that names a branch lets nothing else go further; and write one: policy.ci: [ { event: schedule, branch: main, mode: record }, { mode: replay } ] in FILE`,
		}, "replay instead of record, by policy.ci"},
		"another system": {real, map[string]string{"CI": "true", "CIRCLECI": "true"}, guard.Record, 5, []string{
			`--mode record is lowered to replay by policy.ci, no rule of which lets this run go further (CI is set; event "", branch "", which is not trusted); to let it go further: HSHARNESS_EVENT=nightly, in a job that runs no stranger's code, and policy.ci: [ { event: "nightly", mode: record }, { mode: replay } ] in FILE: this CI system vouches for no branch`,
		}, "replay instead of record, by policy.ci"},
		"a pull request of another system": {real, map[string]string{"CI": "true", "HSHARNESS_EVENT": "pull_request"}, guard.Record, 5, []string{
			`--mode record is lowered to replay by policy.ci, no rule of which lets this run go further (CI is set; event "pull_request", branch "", which is not trusted); to let it go further: HSHARNESS_EVENT=nightly, in a job that runs no stranger's code, and policy.ci: [ { event: "nightly", mode: record }, { mode: replay } ] in FILE: this CI system vouches for no branch`,
		}, "replay instead of record, by policy.ci"},
		"another system that says what began it": {real + rules, map[string]string{"CI": "true", "HSHARNESS_EVENT": "cron"}, guard.Record, 5, []string{
			`--mode record is lowered to replay by policy.ci, no rule of which lets this run go further (CI is set; event "cron", branch "", which is not trusted); to let it go further: HSHARNESS_EVENT=cron, in a job that runs no stranger's code, and in FILE, before the other rules of policy.ci: - { event: "cron", mode: record }: this CI system vouches for no branch`,
		}, "replay instead of record, by policy.ci"},
		"a stand-in": {loopback, map[string]string{"CI": "1"}, guard.Record, 0, []string{
			`--mode record is lowered to replay by policy.ci, no rule of which lets this run go further (CI is set; event "", branch "", which is not trusted); to let it go further: policy.loopback: exempt in FILE, for the sandbox is a stand-in on loopback`,
		}, "replay instead of record, by policy.ci"},
		"by the policy": {real + "policy: { mode: replay }\n", nil, guard.Live, 0,
			[]string{"--mode live is lowered to replay by policy.mode; to let it go further: policy.mode: live in FILE"}, "replay instead of live, by policy.mode"},
		"by a variable": {real, map[string]string{"HSHARNESS_MAX_MODE": "offline"}, guard.Record, 0,
			[]string{"--mode record is lowered to offline by HSHARNESS_MAX_MODE; to let it go further: unset HSHARNESS_MAX_MODE, or set it to record"}, "offline instead of record, by HSHARNESS_MAX_MODE"},
		"an amount and no mode": {real, nil, guard.Offline, 5,
			[]string{"nothing will be spent: the amount of 5 counts in the modes record and live, and this run is offline"}, ""},
		"an amount and a replay": {real, nil, guard.Replay, 5,
			[]string{"nothing will be spent: the amount of 5 counts in the modes record and live, and this run is replay"}, ""},
		"what was asked for": {real, ci("push", "main"), guard.Replay, 0, nil, ""},
	} {
		p, getenv := read(t, row.text, row.environ)
		var said []string
		s, err := session.Open(t.Context(), session.Config{
			Project: p, Getenv: getenv, Limits: []guard.Limit{{Mode: row.mode, By: "--mode"}}, Max: row.max,
			Warn: func(format string, args ...any) {
				said = append(said, strings.ReplaceAll(fmt.Sprintf(format, args...), p.File, "FILE"))
			},
		})
		require.NoError(t, err, name)
		assert.Equal(t, row.want, said, name)
		var bill report.Bill
		require.NoError(t, s.End(t.Context(), &bill), name)
		if row.line != "" {
			assert.Contains(t, bill.Line(), " · "+row.line+" · ", name)
		} else {
			assert.NotContains(t, bill.Line(), "instead of", name)
		}
		for _, line := range said {
			_, mend, _ := strings.Cut(line, "to let it go further: ")
			assert.NotContains(t, mend, "--mode", name)
		}
		s.Close()
	}
}

// A bill says that there is no ledger where there is none, and only there.
func TestBillSaysWhatIsKnownOfTheLedger(t *testing.T) {
	t.Parallel()
	five := 5
	for name, row := range map[string]struct {
		mode guard.Mode
		look func(context.Context) (*int, string)
		open error
		want string
	}{
		"offline, a ledger":    {guard.Offline, func(context.Context) (*int, string) { return &five, "" }, nil, "5 left"},
		"offline, not asked":   {guard.Offline, func(context.Context) (*int, string) { return nil, "the ledger was not asked" }, nil, "the ledger was not asked"},
		"offline, none":        {guard.Offline, func(context.Context) (*int, string) { return nil, "" }, nil, "no ledger"},
		"replay, none":         {guard.Replay, nil, quota.ErrNoLedger, "no ledger"},
		"replay, out of reach": {guard.Replay, nil, quota.ErrUnreachable, "the ledger can't be asked"},
		"replay, may read it":  {guard.Replay, func(context.Context) (*int, string) { return &five, "" }, quota.ErrReadOnly, "5 left"},
		"replay, not asked":    {guard.Replay, func(context.Context) (*int, string) { return nil, "the ledger was not asked" }, quota.ErrUnreachable, "the ledger can't be asked"},
		"replay, of another":   {guard.Replay, func(context.Context) (*int, string) { return &five, "" }, quota.ErrOtherAccount, "the ledger can't be asked"},
	} {
		p, getenv := read(t, real, nil)
		s, err := session.Open(t.Context(), session.Config{
			Project: p, Getenv: getenv, Limits: []guard.Limit{{Mode: row.mode, By: "--mode"}}, Look: row.look,
			Ledger: func(context.Context) (session.Ledger, error) { return nil, row.open },
		})
		require.NoError(t, err, name)
		var bill report.Bill
		require.NoError(t, s.End(t.Context(), &bill), name)
		assert.Equal(t, row.want, bill.Remaining(), name)
		assert.Contains(t, bill.Line(), row.want, name)
		s.Close()
	}
}

// A run that does not buy asks nobody for the credential; one that does, and has
// neither an amount nor a ledger, sends nothing.
func TestOpenAsksOnlyForWhatItNeeds(t *testing.T) {
	t.Parallel()
	p, getenv := read(t, loopback, nil)
	for mode, wrong := range map[guard.Mode]string{guard.Offline: "", guard.Replay: "", guard.Record: "needs an amount", guard.Live: "needs an amount"} {
		asked := false
		s, err := session.Open(t.Context(), session.Config{
			Project: p, Getenv: getenv, Limits: []guard.Limit{{Mode: mode, By: "a test"}},
			Credential: func() (guard.Credential, []recording.Secret, error) {
				asked = true
				return guard.Credential{}, nil, nil
			},
		})
		assert.Equal(t, mode.Buys(), asked, mode)
		if wrong != "" {
			require.ErrorContains(t, err, wrong)
			continue
		}
		require.NoError(t, err)
		services, err := s.Services(guard.Live, nil)
		require.NoError(t, err)
		assert.Equal(t, mode, services.Mode(), "no ceiling lets it go further")
		require.NoError(t, services.Close())
		s.Close()
	}
}
