package main

import (
	"fmt"
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
		texts := []string{step.WorkingDirectory}
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

// installed tells whether programs are there. A machine with Go alone lacks some,
// and says that the test did not run; CI has all.
func installed(t *testing.T, programs ...string) bool {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			require.Empty(t, os.Getenv("CI"), "%s is not installed", name)
			t.Logf("NOT RUN: %s is not installed", name)
			return false
		}
	}
	return true
}

// runner does what GitHub's does with a composite action, in the folder of a
// reader whose sandbox counts and who pushes to a repository nearby.
type runner struct {
	*reader
	temp, remote string
	// account gives the job the credential that forks don't get.
	account bool
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

// does runs the action's steps. The code is that of the first that fails.
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
	output, summaryFile := file("output"), file("summary")
	require.NoError(r.t, os.RemoveAll(filepath.Join(r.temp, "hsharness.log"))) // a job begins with nothing
	values := func(text string) string {
		return expression.ReplaceAllStringFunc(text, func(e string) string {
			name, ok := strings.CutPrefix(expression.FindStringSubmatch(e)[1], "inputs.")
			require.True(r.t, ok, e)
			return inputs[name]
		})
	}
	for _, step := range a.Runs.Steps {
		if step.Run == "" || strings.HasPrefix(step.Name, "Build") { // TestActionBuilds does
			continue
		}
		condition, always := strings.CutPrefix(step.If, "always()")
		if code != 0 && !always {
			continue
		}
		if condition = strings.TrimPrefix(condition, " && "); condition != "" {
			m := regexp.MustCompile(`^steps\.bought\.outputs\.([a-z]+) == 'true'$`).FindStringSubmatch(condition)
			require.NotNil(r.t, m, condition)
			set, err := os.ReadFile(output)
			require.NoError(r.t, err)
			if !strings.Contains(string(set), m[1]+"=true\n") {
				continue
			}
		}
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		cmd.Dir = filepath.Join(r.dir, values(step.WorkingDirectory))
		cmd.Env = append(os.Environ(), "CI=true", "GITHUB_ACTIONS=true", "GITHUB_WORKFLOW=classification", "GITHUB_RUN_ID=17", "GITHUB_JOB=record",
			"GITHUB_EVENT_NAME=workflow_dispatch", "GITHUB_REF_NAME=main", "GITHUB_ACTOR=octocat", "GITHUB_ACTION_PATH="+root, "RUNNER_TEMP="+r.temp,
			"GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summaryFile, "XDG_STATE_HOME="+r.dir,
			"PATH="+filepath.Join(r.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
		if r.account {
			cmd.Env = append(cmd.Env, "REAL_SECRET="+realSecret)
		}
		for name, value := range step.Env {
			cmd.Env = append(cmd.Env, name+"="+values(value))
		}
		out, err := cmd.CombinedOutput()
		log += string(out)
		if err != nil && code == 0 {
			code = cmd.ProcessState.ExitCode()
		}
	}
	text, err := os.ReadFile(summaryFile)
	require.NoError(r.t, err)
	assert.NotContains(r.t, log+string(text), realSecret)
	return code, log, string(text)
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

func TestActionKeepsWhatItBought(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	r := newRunner(t)
	// A suite that passes fails where what it bought can't be pushed.
	require.NoError(t, os.Rename(r.remote, r.remote+".away"))
	code, log, _ := r.does(map[string]string{"command": "npm test", "mode": "record", "max-spend": "2", "keep": "commit"})
	assert.NotZero(t, code, log)
	assert.Contains(t, log, "::error title=hsharness::what was bought could not be pushed")
	require.NoError(t, os.Rename(r.remote+".away", r.remote))
	assert.NotContains(t, r.pushed(), "recordings/")
	code, out := r.types("git push -q")
	require.Zero(t, code, out)
	assert.Equal(t, 2, strings.Count(r.pushed(), "recordings/"))

	// What a suite that fails bought is pushed all the same.
	code, log, _ = r.does(map[string]string{"command": "classify 3; false", "mode": "record", "max-spend": "1", "keep": "commit"})
	assert.Equal(t, exitFailed, code, log)
	assert.Equal(t, 3, strings.Count(r.pushed(), "recordings/"))
	assert.EqualValues(t, 3, r.served())

	// What has a secret in it goes nowhere.
	leak := fmt.Sprintf("cd recordings/* && cp $(ls | head -n 1) copy.json && sed -i 's/cotton/%s/' copy.json", realSecret)
	code, out = r.types(leak)
	require.Zero(t, code, out)
	code, log, _ = r.does(map[string]string{"command": "npm test", "keep": "commit"})
	assert.Equal(t, exitPolicy, code, log)
	assert.NotContains(t, r.pushed(), "copy.json")
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

// TestGitLabJobs runs the scripts of the template's jobs as GitLab's shell does.
func TestGitLabJobs(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	text, err := os.ReadFile("../../ci/gitlab.yml")
	require.NoError(t, err)
	type job struct {
		Image, Extends string
		Variables      map[string]string
		BeforeScript   []string `yaml:"before_script"`
		Script         []string
		Rules          []map[string]any
		ResourceGroup  string `yaml:"resource_group"`
		Artifacts      *struct {
			When, Name string
			Paths      []string
		}
	}
	var jobs map[string]job
	require.NoError(t, yaml.UnmarshalWithOptions(text, &jobs, yaml.Strict()))
	base := jobs[".hsharness"]
	require.NotEmpty(t, base.Variables)

	r := newRunner(t)
	run := func(name string, variables ...string) (int, string) {
		t.Helper()
		j := jobs[name]
		require.Equal(t, ".hsharness", j.Extends, name)
		cmd := exec.Command("bash", "-eo", "pipefail", "-c", strings.Join(j.Script, "\n"))
		cmd.Dir = r.dir
		cmd.Env = append(os.Environ(), "CI=true", "GITLAB_CI=true", "CI_JOB_NAME="+strings.TrimPrefix(name, ".hsharness-"), "CI_PIPELINE_SOURCE=web",
			"CI_COMMIT_REF_NAME=main", "XDG_STATE_HOME="+r.dir, "REAL_SECRET="+realSecret,
			"PATH="+filepath.Join(r.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
		for name, value := range base.Variables {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		cmd.Env = append(cmd.Env, variables...)
		out, _ := cmd.CombinedOutput() // its code says it
		return cmd.ProcessState.ExitCode(), string(out)
	}
	code, out := run(".hsharness-record", "SUITE=npm test", "MAX_SPEND=4")
	require.Zero(t, code, out)
	assert.EqualValues(t, 2, r.served())
	code, out = run(".hsharness-replay", "SUITE=npm test")
	require.Zero(t, code, out)
	assert.Contains(t, out, "replayed 2")
	code, out = run(".hsharness-verify", "SAMPLE=1", "REQUIRE=50")
	require.Zero(t, code, out)
	assert.EqualValues(t, 3, r.served())
	code, out = run(".hsharness-verify")
	assert.Equal(t, exitBlocked, code, "97 are left, 100 required: %s", out)
	code, out = run(".hsharness-replay")
	require.Zero(t, code, out)
	assert.EqualValues(t, 3, r.served())
	assert.NotNil(t, jobs[".hsharness-record"].Artifacts, "what was bought is kept")
	assert.NotNil(t, jobs[".hsharness-verify"].Artifacts)
}

// TestCIPage writes the table of inputs, and types what the page says.
func TestCIPage(t *testing.T) {
	t.Parallel()
	const name, begin, end = "../../docs/ci.md", "<!-- inputs: made from action.yml by TestCIPage -->\n", "<!-- end of inputs -->\n"
	var rows strings.Builder
	rows.WriteString("| input | default | meaning |\n|---|---|---|\n")
	for _, input := range inputsInOrder(t) {
		fallback := ""
		if d := readAction(t).Inputs[input].Default; *d != "" {
			fallback = "`" + *d + "`"
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", input, fallback, readAction(t).Inputs[input].Description)
	}
	generatedPart(t, name, begin, end, rows.String())

	if !installed(t, "git") {
		return
	}
	p := readPage(t, "docs/ci.md")
	require.Len(t, p.yaml, 1)
	require.NoError(t, readText(t, "version: 1\n"+p.yaml[0]))
	r := newReader(t)
	code, out := r.types("git init -q . && hsharness quota init --granted 100 && hsharness exec --mode record --max-spend 2 -- npm test")
	require.Zero(t, code, out)
	for _, line := range p.typed {
		code, out := r.types(line)
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	assert.EqualValues(t, 4, r.served(), "two are bought, and two again: there are no more to sample")
}

func inputsInOrder(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../action.yml")
	require.NoError(t, err)
	var a struct{ Inputs yaml.MapSlice }
	require.NoError(t, yaml.Unmarshal(text, &a))
	var names []string
	for _, item := range a.Inputs {
		names = append(names, item.Key.(string))
	}
	return names
}
