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

func TestActionUsesItsInputs(t *testing.T) {
	a := readAction(t)
	used := map[string]bool{}
	for _, step := range a.Runs.Steps {
		assert.NotRegexp(t, expression, step.Run, "%s: an input in a script is code that a stranger may write", step.Name)
		if step.Run != "" {
			assert.Equal(t, "bash", step.Shell, step.Name)
		} else {
			assert.Regexp(t, `^[a-z/-]+@[0-9a-f]{40}$`, step.Uses, "%s: a tag is what its owner makes of it", step.Name)
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
	for name, output := range a.Outputs {
		assert.Equal(t, "${{ steps.tell.outputs."+name+" }}", output.Value)
	}
	for name, input := range a.Inputs {
		assert.True(t, used[name], "nobody looks at the input %s", name)
		assert.NotNil(t, input.Default, "%s has no default", name)
	}
}

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
	code, log, _ := r.does(nil)
	assert.Equal(t, exitUsage, code, log)
	assert.Contains(t, log, "there is no folder scenarios beside hsharness.yaml; ")

	require.NoError(t, os.Mkdir(filepath.Join(r.dir, "scenarios"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "scenarios", "one.yaml"), []byte(
		"version: 1\nname: one\nsteps:\n  - request: POST /hscode/classify\n    body: { description: laptop, countryOfDestination: US }\n"), 0o600))
	code, log, _ = r.does(nil)
	assert.Equal(t, exitMissing, code, log)
	assert.Regexp(t, `(?m)^::error file=scenarios/one\.yaml,line=`, log)
	code, log, summary := r.does(map[string]string{"mode": "record", "max-spend": "1", "keep": "commit"})
	require.Zero(t, code, log)
	assert.Contains(t, summary, "| bought | one")
	assert.NotContains(t, summary, "### hsharness")
	assert.Contains(t, r.pushed(), "recordings/")
	assert.EqualValues(t, 1, r.served())
}
