package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	Runs struct {
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

func TestActionUsesItsInputs(t *testing.T) {
	a := readAction(t)
	used := map[string]bool{}
	for _, step := range a.Runs.Steps {
		assert.NotRegexp(t, expression, step.Run, "%s: an input in a script is code that a stranger may write", step.Name)
		if step.Run != "" {
			assert.Equal(t, "bash", step.Shell, step.Name)
		}
		texts := []string{step.WorkingDirectory, step.If}
		for _, v := range step.Env {
			texts = append(texts, v)
		}
		for _, v := range step.With {
			texts = append(texts, v)
		}
		for _, m := range regexp.MustCompile(`inputs\.([a-z-]+)`).FindAllStringSubmatch(strings.Join(texts, " "), -1) {
			used[m[1]] = true
			assert.Contains(t, a.Inputs, m[1])
		}
	}
	for name, input := range a.Inputs {
		assert.True(t, used[name], "nobody looks at the input %s", name)
		assert.NotNil(t, input.Default, "%s has no default", name)
	}
}

// TestWorkflowGivesInputsThatExist checks the workflow that users copy;
// make lint has actionlint read the rest.
func TestWorkflowGivesInputsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../ci/github.yml")
	require.NoError(t, err)
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &workflow))
	inputs, calls := readAction(t).Inputs, 0
	for job, j := range workflow.Jobs {
		for _, step := range j.Steps {
			if !strings.HasPrefix(step.Uses, "hsharness/hsharness@") {
				continue
			}
			calls++
			for name := range step.With {
				assert.Contains(t, inputs, name, job)
			}
		}
	}
	assert.Equal(t, 3, calls)
}

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
	env      []string // of the job
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	r := &runner{reader: newReader(t), account: true}
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
	known := map[string]string{} // of the expressions
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
	for _, step := range a.Runs.Steps {
		if strings.HasPrefix(step.Name, "Build") || strings.HasPrefix(step.Uses, "actions/setup-go@") { // TestActionBuilds does
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
	require.Empty(r.t, step.Uses)
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
	cmd.Dir = filepath.Join(r.dir, values(step.WorkingDirectory))
	cmd.Env = append(os.Environ(), "CI=true", "GITHUB_ACTIONS=true", "GITHUB_WORKFLOW=classification", "GITHUB_RUN_ID=17", "GITHUB_JOB=record",
		"GITHUB_EVENT_NAME=workflow_dispatch", "GITHUB_REF_NAME=main", "GITHUB_ACTOR=octocat", "GITHUB_ACTION_PATH="+root, "RUNNER_TEMP="+r.temp,
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

func TestActionRecordsAndPushes(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	r := newRunner(t)
	code, log, summary := r.does(map[string]string{"command": "npm test", "mode": "record", "max-spend": "5", "require": "5", "keep": "commit"})
	require.Zero(t, code, log)
	assert.EqualValues(t, 2, r.served())
	assert.Contains(t, r.pushed(), "recordings: bought by classification 17\n\nrecordings/")
	assert.Contains(t, summary, "hsharness: spent 2 · 98 left")
	assert.Regexp(t, `(?m)^spent +2$`, summary)
	out, err := r.command("quota", "runs").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "record", "the suite is the job's name")

	// From then on a fork, without an account, replays, and pushes nothing.
	before := r.pushed()
	r.account = false
	code, log, summary = r.does(map[string]string{"command": "npm test", "keep": "commit"})
	require.Zero(t, code, log)
	assert.Contains(t, summary, "replayed 2")
	assert.EqualValues(t, 2, r.served())
	assert.Equal(t, before, r.pushed())

	// One that asks for something new fails, and says what is missing.
	code, log, summary = r.does(map[string]string{"command": "classify 3"})
	assert.Equal(t, exitMissing, code, log)
	assert.Regexp(t, `::error title=hsharness, exit code 3::hsharness: .*`, log)
	assert.Contains(t, summary, "--mode record --max-spend 1")
}

// TestActionKeepsWhatItBought: in whatever state the repository is, what was bought is
// pushed or uploaded, by the sandbox's own count, or the job fails.
func TestActionKeepsWhatItBought(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	for name, one := range map[string]struct {
		before []string // typed before the job
		keep   string
		folder string // of the recordings; empty is recordings
		pushed bool   // or else uploaded alone
		said   string
		code   int
		env    string
	}{
		"a branch":            {keep: "commit", pushed: true},
		"an artifact":         {keep: "upload"},
		"ignored folder":      {before: []string{"echo recordings/ >>.gitignore && git commit -qam ignored && git push -q"}, keep: "commit", pushed: true},
		"ignored files":       {before: []string{"echo '*.json' >>.gitignore && git commit -qam ignored && git push -q"}, keep: "commit", pushed: true},
		"another folder":      {before: []string{"echo 'recordings: { dir: answers }' >>hsharness.yaml && git commit -qam dir && git push -q"}, keep: "commit", folder: "answers", pushed: true},
		"no git":              {before: []string{"rm -rf .git"}, keep: "commit", said: "in no git repository"},
		"a link":              {before: []string{"mkdir kept && touch kept/.keep && ln -s kept recordings && git add . && git commit -qm link && git push -q"}, keep: "commit", folder: "kept", pushed: true},
		"somebody pushed":     {before: []string{"git clone -q $(git remote get-url origin) other && cd other && git -c user.name=x -c user.email=x@x commit -q --allow-empty -m theirs && git push -q && cd .. && rm -rf other"}, keep: "commit", pushed: true},
		"protected branch":    {before: []string{"printf '#!/bin/sh\\necho this branch is protected >&2; exit 1\\n' >$(git remote get-url origin)/hooks/pre-receive && chmod +x $(git remote get-url origin)/hooks/pre-receive"}, keep: "commit", said: "this branch is protected"},
		"no remote":           {before: []string{"git remote set-url origin /nowhere"}, keep: "commit", said: "could not be pushed"},
		"a pull request":      {before: []string{"git checkout -q --detach"}, keep: "commit", said: "no branch is checked out"},
		"a suite that fails":  {keep: "commit", pushed: true, code: 1},
		"another user's tree": {keep: "commit", pushed: true, env: "GIT_TEST_ASSUME_DIFFERENT_OWNER=1"}, // as git tests it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunner(t)
			for _, line := range one.before {
				code, out := r.types(line)
				require.Zero(t, code, "%s\n%s", line, out)
			}
			if one.env != "" {
				r.env = append(r.env, one.env)
				cmd := exec.Command("git", "-C", r.dir, "status")
				cmd.Env = append(os.Environ(), one.env)
				out, err := cmd.CombinedOutput()
				require.Error(t, err)
				require.Contains(t, string(out), "dubious ownership")
			}
			command := "npm test"
			if one.code != 0 {
				command += "; false"
			}
			code, log, _ := r.does(map[string]string{"command": command, "mode": "record", "max-spend": "5", "keep": one.keep})
			require.Equal(t, one.code, code, log)
			require.EqualValues(t, 2, r.served())
			assert.Len(t, r.artifact, 2, "each answer that was bought is uploaded: %s", log)
			code, out := r.types("git -C " + r.remote + " ls-tree -r --name-only main")
			require.Zero(t, code, out)
			folder := "recordings/"
			if one.folder != "" {
				folder = one.folder + "/"
			}
			want := 0
			if one.pushed {
				want = 2
			}
			assert.Equal(t, want, strings.Count(out, folder+"post-hscode"), "%s\n%s", out, log)
			if one.said != "" {
				assert.Contains(t, log, one.said)
				assert.Contains(t, log, "do not buy it again")
			}

			// Another clone brings the artifact home, and has nothing to buy.
			if !one.pushed {
				code, out := r.types("mv recordings away; hsharness recordings recover " + strings.Join(r.artifact, " ") + " && hsharness exec --mode replay -- npm test")
				assert.Zero(t, code, out)
			}
			assert.EqualValues(t, 2, r.served())
		})
	}
}

// TestActionFailsWhereNothingIsKept: neither a push nor an upload, and the job is red
// though the suite passed.
func TestActionFailsWhereNothingIsKept(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	r := newRunner(t)
	r.offline = true
	code, out := r.types("git remote set-url origin /nowhere")
	require.Zero(t, code, out)
	code, log, _ := r.does(map[string]string{"command": "npm test", "mode": "record", "max-spend": "2", "keep": "commit"})
	assert.Equal(t, exitFailed, code, log)
	assert.Contains(t, log, "::error title=hsharness::what was bought could be neither pushed nor uploaded")
	code, log, _ = r.does(map[string]string{"command": "npm test"})
	assert.Zero(t, code, log)
	assert.Nil(t, r.artifact, "nothing was bought")

	// A run that was killed left no bill: what is new in the folder is what it bought.
	r.offline = false
	code, log, _ = r.does(map[string]string{"command": "classify 3; kill -9 $PPID", "mode": "record", "max-spend": "1"})
	assert.NotZero(t, code, log)
	assert.EqualValues(t, 3, r.served())
	require.NotEmpty(t, r.artifact, log)
	code, out = r.types("cat " + strings.Join(r.artifact, " "))
	require.Zero(t, code, out)
	assert.Contains(t, out, "cotton t-shirt number 2", "the third is what it bought")
}

// TestActionKeepsSecretsBack: an answer with the account's secret in it is neither
// uploaded nor pushed, and the job says so; what else was bought is kept.
func TestActionKeepsSecretsBack(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	r := newRunner(t)
	leak := "npm test && sed -i 's/cotton/" + realSecret + "/' $(grep -l cotton recordings/*/*.json | head -n 1)"
	code, log, _ := r.does(map[string]string{"command": leak, "mode": "record", "max-spend": "2", "keep": "commit"})
	assert.Equal(t, exitPolicy, code, log)
	assert.EqualValues(t, 2, r.served())
	assert.Contains(t, log, "holds a secret")
	assert.Len(t, r.artifact, 1, log)
	for _, file := range r.artifact {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NotContains(t, string(text), realSecret)
	}
	_, out := r.types("git -C " + r.remote + " grep -l " + realSecret + " main")
	assert.Empty(t, out)
}

// TestActionMeetsTheSameRecording: both takes are kept.
func TestActionMeetsTheSameRecording(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	// Somebody bought and pushed the same answers meanwhile: both takes are kept.
	r := newRunner(t)
	code, log, _ := r.does(map[string]string{"command": "npm test", "mode": "record", "max-spend": "5", "keep": "commit"})
	require.Zero(t, code, log)
	code, out := r.types("git reset -q --hard HEAD && rm -rf recordings && git status --short | head -n 1")
	require.Zero(t, code, out)
	code, log, _ = r.does(map[string]string{"command": "npm test", "mode": "record", "max-spend": "5", "keep": "commit"})
	require.Zero(t, code, log)
	require.EqualValues(t, 4, r.served())
	code, out = r.types("git -C " + r.remote + " show main:$(git -C " + r.remote + " ls-tree -r --name-only main recordings | head -n 1)")
	require.Zero(t, code, out)
	assert.Equal(t, 2, strings.Count(out, `"recorded_at"`), out)
}

func TestActionVerifies(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	r := newRunner(t)
	code, log, _ := r.does(map[string]string{"command": "npm test", "mode": "record", "max-spend": "2", "keep": "commit"})
	require.Zero(t, code, log)
	code, log, summary := r.does(map[string]string{"sample": "1", "max-spend": "1", "require": "10", "keep": "commit"})
	require.Zero(t, code, log)
	assert.EqualValues(t, 3, r.served())
	assert.Regexp(t, `(?m)^spent +3$`, summary)

	// A gate that is not met sends nothing.
	code, log, summary = r.does(map[string]string{"sample": "1", "max-spend": "1", "require": "98"})
	assert.Equal(t, exitBlocked, code, log)
	assert.EqualValues(t, 3, r.served())
	assert.Contains(t, summary, "nothing ran")

	// Nor does what could not be kept.
	code, log, _ = r.does(map[string]string{"sample": "1", "max-spend": "1", "keep": "comit"})
	assert.Equal(t, exitUsage, code, log)
	assert.EqualValues(t, 3, r.served())
}

func TestActionRunsScenarios(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	r := newRunner(t)
	code, log, summary := r.does(nil)
	assert.Zero(t, code, log)
	assert.Contains(t, summary, "everyday goods get a code of their heading")
	assert.NotContains(t, summary, "### hsharness")

	require.NoError(t, os.Mkdir(filepath.Join(r.dir, "scenarios"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "scenarios", "one.yaml"), []byte(
		"version: 1\nname: one\nsteps:\n  - request: POST /hscode/classify\n    body: { description: laptop, countryOfDestination: US }\n"), 0o600))
	code, log, _ = r.does(nil)
	assert.Equal(t, exitMissing, code, log)
	assert.Regexp(t, `(?m)^::error file=scenarios/one\.yaml,line=`, log)
	code, log, summary = r.does(map[string]string{"mode": "record", "max-spend": "1", "keep": "commit"})
	require.Zero(t, code, log)
	assert.Contains(t, summary, "| bought | one")
	assert.Contains(t, r.pushed(), "recordings/")
	assert.EqualValues(t, 1, r.served())
}

func TestActionBuilds(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	for _, step := range readAction(t).Runs.Steps {
		if !strings.HasPrefix(step.Name, "Build") {
			continue
		}
		root, err := filepath.Abs("../..")
		require.NoError(t, err)
		temp := t.TempDir()
		cmd := exec.Command("bash", "-eo", "pipefail", "-c", step.Run+"\nPATH=\"$(cat \"$GITHUB_PATH\")\" hsharness version")
		cmd.Env = append(os.Environ(), "GITHUB_ACTION_PATH="+root, "RUNNER_TEMP="+temp, "GITHUB_PATH="+filepath.Join(temp, "path"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Regexp(t, `^hsharness \S+ go1`, string(out))
		return
	}
	t.Fatal("the action builds nothing")
}
