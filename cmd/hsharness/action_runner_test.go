package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// action is what action.yml has to say, and no more.
type action struct {
	Name, Description string
	Branding          map[string]string
	Inputs            map[string]struct {
		Description string
		Default     *string
		Required    bool
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	ID, Name, Uses, If, Shell, Run string
	WorkingDirectory               string `yaml:"working-directory"`
	ContinueOnError                bool   `yaml:"continue-on-error"`
	With, Env                      map[string]string
}

func readAction(t *testing.T) action {
	t.Helper()
	text, err := os.ReadFile("../../action.yml")
	require.NoError(t, err)
	var a action
	require.NoError(t, yaml.UnmarshalWithOptions(text, &a, yaml.Strict()))
	require.Equal(t, "composite", a.Runs.Using)
	return a
}

// expression is one of the runner's.
var expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)

// TestWorkflowGivesInputsThatExist checks the workflow that users copy;
// make lint has actionlint read the rest.
// runner does what GitHub's does with a composite action, in the folder of a
// reader whose sandbox counts and who pushes to a repository nearby.
type runner struct {
	*reader
	temp, remote string
	// account gives the job the credential that forks don't get.
	account bool
	// offline makes uploads fail; artifact are the files of the latest one.
	offline  bool
	artifact []string
	// cache is GitHub's: the files of an entry by its key.
	cache map[string][]byte
	// event is what github says of the job, such as event_name.
	event map[string]string
	// outputs are those of the latest run.
	outputs map[string]string
	env     []string // of the job
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	r := &runner{reader: newReader(t), account: true, cache: map[string][]byte{}}
	r.event = map[string]string{"event_name": "workflow_dispatch", "ref_name": "main", "base_ref": "", "job": "record", "run_id": "17", "run_attempt": "1"}
	r.temp, r.remote = t.TempDir(), filepath.Join(t.TempDir(), "remote.git")
	for _, line := range []string{
		"echo 'policy: { loopback: exempt }' >>hsharness.yaml", // what is a stand-in here would be real
		"git init -q --bare -b main " + r.remote, "git init -q -b main . && git remote add origin " + r.remote,
		"printf '.hsharness/\\nbin/\\n' >.gitignore && git add . && git commit -qm project && git push -q -u origin main",
		"hsharness quota init --granted 100",
	} {
		code, out := r.types(line)
		require.Zero(t, code, "%s\n%s", line, out)
	}
	return r
}

// does runs the action's steps as the runner does. The code is that of the first that
// fails and may not.
func (r *runner) does(with map[string]string) (code int, log, summary string) {
	r.t.Helper()
	a := readAction(r.t)
	inputs := map[string]string{}
	for name, input := range a.Inputs {
		inputs[name] = *input.Default
	}
	for name, value := range with {
		require.Contains(r.t, inputs, name)
		inputs[name] = value
	}
	root, err := filepath.Abs("../..")
	require.NoError(r.t, err)
	file := func(name string) string {
		path := filepath.Join(r.temp, name)
		require.NoError(r.t, os.WriteFile(path, nil, 0o600))
		return path
	}
	summaryFile := file("summary")
	r.artifact = nil
	known := map[string]string{"runner.temp": r.temp} // of the expressions
	for name, value := range r.event {
		known["github."+name] = value
	}
	for name, value := range inputs {
		known["inputs."+name] = value
	}
	value := func(name string) string {
		if _, ok := known[name]; !ok && strings.HasPrefix(name, "steps.") {
			id := strings.Split(name, ".")[1]
			require.Contains(r.t, known, "steps."+id+".outcome", name)
			return "" // an output that the step did not set
		}
		require.Contains(r.t, known, name)
		return known[name]
	}
	values := func(text string) string {
		return expression.ReplaceAllStringFunc(text, func(e string) string { return value(expression.FindStringSubmatch(e)[1]) })
	}
	holds := func(condition string) bool {
		for part := range strings.SplitSeq(condition, " && ") {
			switch m := comparison.FindStringSubmatch(part); {
			case part == "always()" || part == "":
			case m == nil:
				require.Fail(r.t, condition)
			case (value(m[1]) == m[3]) != (m[2] == "=="):
				return false
			}
		}
		return true
	}
	begun := false
	for _, step := range a.Runs.Steps {
		if step.Name == "Ask the ledger" {
			begun = true
		}
		if !begun { // TestActionBuilds does
			continue
		}
		outcome := "skipped"
		if (code == 0 || strings.HasPrefix(step.If, "always()")) && holds(step.If) {
			output := file("output")
			stepCode, out := r.step(step, root, output, summaryFile, values)
			log += out
			outcome = "success"
			if stepCode != 0 {
				outcome = "failure"
			}
			if stepCode != 0 && code == 0 && !step.ContinueOnError {
				code = stepCode
			}
			for name, v := range stepOutputs(r.t, output) {
				known["steps."+step.ID+".outputs."+name] = v
			}
		}
		known["steps."+step.ID+".outcome"] = outcome
	}
	require.True(r.t, begun)
	r.outputs = map[string]string{}
	for name, output := range a.Outputs {
		r.outputs[name] = values(output.Value)
	}
	text, err := os.ReadFile(summaryFile)
	require.NoError(r.t, err)
	assert.NotContains(r.t, log+string(text), realSecret)
	return code, log, string(text)
}

// comparison is a part of a step's condition.
var comparison = regexp.MustCompile(`^(\S+) (==|!=) '(.*)'$`)

// step runs one step, and returns its exit code and what it printed.
func (r *runner) step(step actionStep, root, output, summary string, values func(string) string) (int, string) {
	r.t.Helper()
	if strings.HasPrefix(step.Uses, "actions/upload-artifact@") {
		require.Equal(r.t, "true", step.With["include-hidden-files"], "an emergency copy is below .hsharness, and would be left out")
		return r.upload(values(step.With["name"]), strings.Fields(values(step.With["path"])))
	}
	if action, ok := strings.CutPrefix(step.Uses, "actions/cache/"); ok {
		action, _, _ = strings.Cut(action, "@")
		return r.cached(action, values(step.With["path"]), values(step.With["key"]), values(step.With["restore-keys"]))
	}
	require.Empty(r.t, step.Uses)
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
	cmd.Dir = filepath.Join(r.dir, values(step.WorkingDirectory))
	cmd.Env = append(os.Environ(), "CI=true", "GITHUB_ACTIONS=true", "GITHUB_WORKFLOW=classification", "GITHUB_RUN_ID=17", "GITHUB_JOB=record",
		"GITHUB_EVENT_NAME="+r.event["event_name"], "GITHUB_REF_NAME="+r.event["ref_name"], "GITHUB_ACTOR=octocat", "GITHUB_ACTION_PATH="+root, "RUNNER_TEMP="+r.temp,
		"GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary, "XDG_STATE_HOME="+r.dir, "HSHARNESS_PUSH_PAUSES=0 0 0",
		"PATH="+filepath.Join(r.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, r.env...)
	if r.account {
		cmd.Env = append(cmd.Env, "REAL_SECRET="+realSecret)
	}
	for name, value := range step.Env {
		cmd.Env = append(cmd.Env, name+"="+values(value))
	}
	out, _ := cmd.CombinedOutput() // its code says it
	return cmd.ProcessState.ExitCode(), string(out)
}

// cached saves a folder's only file, or restores the newest that a key or the beginning
// of one names.
func (r *runner) cached(action, dir, key, beginning string) (int, string) {
	r.t.Helper()
	file := filepath.Join(dir, "bill.json")
	if action == "save" {
		text, err := os.ReadFile(file)
		require.NoError(r.t, err)
		require.NotContains(r.t, r.cache, key, "an entry is never written again")
		r.cache[key] = text
		return 0, ""
	}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(r.cache))) {
		if name == key || beginning != "" && strings.HasPrefix(name, beginning) {
			require.NoError(r.t, os.MkdirAll(dir, 0o755))
			require.NoError(r.t, os.WriteFile(file, r.cache[name], 0o600))
			break
		}
	}
	return 0, ""
}

// upload keeps what the artifact of that name would hold.
func (r *runner) upload(name string, paths []string) (int, string) {
	r.t.Helper()
	require.NotEmpty(r.t, name)
	if r.offline {
		return 1, "no connection\n"
	}
	for _, path := range paths {
		require.NoError(r.t, filepath.WalkDir(path, func(file string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				r.artifact = append(r.artifact, file)
			}
			return err
		}))
	}
	if len(r.artifact) == 0 {
		return 1, "no files\n"
	}
	return 0, ""
}

// stepOutputs reads what a step told those that follow.
func stepOutputs(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	all := map[string]string{}
	lines := strings.Split(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		if name, end, ok := strings.Cut(lines[i], "<<"); ok {
			var value []string
			for i++; lines[i] != end; i++ {
				value = append(value, lines[i])
			}
			all[name] = strings.Join(value, "\n")
		} else if name, value, ok := strings.Cut(lines[i], "="); ok {
			all[name] = value
		}
	}
	return all
}

func (r *runner) pushed() string {
	r.t.Helper()
	code, out := r.types("git -C " + r.remote + " log --format=%s --name-only main")
	require.Zero(r.t, code, out)
	return out
}

// TestActionKeepsWhatItBought: in whatever state the repository is, what was bought is
// pushed or uploaded, by the sandbox's own count, or the job fails.
// TestActionFailsWhereNothingIsKept: neither a push nor an upload, and the job is red
// though the suite passed.
// TestActionKeepsSecretsBack: an answer with the account's secret in it is neither
// uploaded nor pushed, and the job says so; what else was bought is kept.
// TestActionMeetsTheSameRecording: both takes are kept.
