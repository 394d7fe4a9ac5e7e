package quota_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

func getenv(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

// repository writes the files of a git repository, path by path.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	return dir
}

func TestAttributeCI(t *testing.T) {
	for name, row := range map[string]struct {
		env  map[string]string
		want quota.Attribution
	}{
		"GitHub push": {
			map[string]string{"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_JOB": "test", "GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main", "GITHUB_SHA": "abc", "GITHUB_ACTOR": "ann",
				"GITHUB_EVENT_NAME": "push", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"},
			quota.Attribution{Suite: "test", Branch: "main", Trusted: "main", Commit: "abc", Actor: "ann", Event: "push", JobURL: "https://github.com/o/r/actions/runs/7"},
		},
		"GitHub pull request": {
			map[string]string{"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_JOB": "test", "GITHUB_REF_NAME": "7/merge", "GITHUB_HEAD_REF": "feature/x", "GITHUB_SHA": "abc",
				"GITHUB_ACTOR": "ann", "GITHUB_EVENT_NAME": "pull_request_target"},
			quota.Attribution{Suite: "test", Branch: "feature/x", Commit: "abc", Actor: "ann", Event: "pull_request"},
		},
		"GitLab merge request": {
			map[string]string{"CI": "true", "GITLAB_CI": "true", "CI_JOB_NAME": "test", "CI_COMMIT_REF_NAME": "refs/7", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/x",
				"CI_COMMIT_SHA": "abc", "GITLAB_USER_LOGIN": "ann", "CI_PIPELINE_SOURCE": "merge_request_event", "CI_JOB_URL": "https://gitlab/j/1"},
			quota.Attribution{Suite: "test", Branch: "feature/x", Commit: "abc", Actor: "ann", Event: "pull_request", JobURL: "https://gitlab/j/1"},
		},
		"Jenkins timer": {
			map[string]string{"JENKINS_URL": "https://ci/", "JOB_NAME": "shop/nightly", "GIT_BRANCH": "origin/main", "GIT_COMMIT": "abc", "BUILD_CAUSE": "TIMERTRIGGER", "BUILD_URL": "https://ci/1"},
			quota.Attribution{Suite: "shop/nightly", Branch: "main", Trusted: "main", Commit: "abc", Event: "schedule", JobURL: "https://ci/1"},
		},
		"Jenkins pull request": {
			map[string]string{"JENKINS_URL": "https://ci/", "JOB_NAME": "shop/PR-7", "BRANCH_NAME": "PR-7", "CHANGE_ID": "7", "CHANGE_BRANCH": "feature/x", "CHANGE_AUTHOR": "ann", "GIT_COMMIT": "abc"},
			quota.Attribution{Suite: "shop/PR-7", Branch: "feature/x", Commit: "abc", Actor: "ann", Event: "pull_request"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, row.want, quota.Attribute(quota.Attribution{}, getenv(row.env), t.TempDir()))
		})
	}
}

func TestAttributeOrder(t *testing.T) {
	dir := repository(t, map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "abc\n"})
	env := map[string]string{"USER": "ann", "HSHARNESS_SUITE": "from env", "HSHARNESS_BRANCH": "env branch", "HSHARNESS_COMMIT": "env commit",
		"HSHARNESS_ACTOR": "env actor", "HSHARNESS_EVENT": "env event", "HSHARNESS_JOB_URL": "env url", "GITHUB_ACTIONS": "true", "GITHUB_JOB": "job", "GITHUB_SHA": "def"}
	assert.Equal(t,
		quota.Attribution{Suite: "flag", Branch: "env branch", Commit: "env commit", Actor: "env actor", Event: "env event", JobURL: "env url"},
		quota.Attribute(quota.Attribution{Suite: "flag"}, getenv(env), dir))
}

const hash = "0123456789abcdef0123456789abcdef01234567"

func TestAttributeGit(t *testing.T) {
	for name, row := range map[string]struct {
		files          map[string]string
		dir            string
		branch, commit string
	}{
		"loose ref":     {map[string]string{".git/HEAD": "ref: refs/heads/feature/x\n", ".git/refs/heads/feature/x": hash + "\n"}, "", "feature/x", hash},
		"packed ref":    {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": "# pack-refs\n" + hash + " refs/heads/main\n"}, "", "main", hash},
		"detached":      {map[string]string{".git/HEAD": hash + "\n"}, "", "", hash},
		"SHA-256":       {map[string]string{".git/HEAD": strings.Repeat("0f", 32)}, "", "", strings.Repeat("0f", 32)},
		"subfolder":     {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": hash + "\n", "a/b/c.go": ""}, "a/b", "main", hash},
		"no repository": {map[string]string{"c.go": ""}, "", "", ""},
		"worktree": {map[string]string{
			"main/.git/worktrees/w/HEAD": "ref: refs/heads/side\n", "main/.git/worktrees/w/commondir": "../..\n",
			"main/.git/refs/heads/side": hash + "\n", "w/.git": "gitdir: ../main/.git/worktrees/w\n"}, "w", "side", hash},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(repository(t, row.files), filepath.FromSlash(row.dir))
			a := quota.Attribute(quota.Attribution{}, getenv(map[string]string{"USERNAME": "ann"}), dir)
			assert.Equal(t, quota.Attribution{Suite: filepath.Base(dir), Branch: row.branch, Trusted: row.branch, Commit: row.commit, Actor: "ann", Event: "manual"}, a)
		})
	}
}

// A .git that somebody else left in a folder above, or a link in one, leads to no text that
// gets into a ledger.
func TestAttributeTakesNoTextForACommit(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		files  map[string]string
		branch string
	}{
		"a head":                {map[string]string{".git/HEAD": "password\n"}, ""},
		"a short head":          {map[string]string{".git/HEAD": hash[:38]}, ""},
		"a branch":              {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "password\n"}, "main"},
		"a packed branch":       {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": "password refs/heads/main\n"}, "main"},
		"a ref of elsewhere":    {map[string]string{".git/HEAD": "ref: refs/../../main\n", "main": hash}, ""},
		"a ref that is no ref":  {map[string]string{".git/HEAD": "ref: password\n", ".git/password": hash}, ""},
		"a line without an end": {map[string]string{".git/HEAD": "ref: refs/heads/" + strings.Repeat("x", 8<<10)}, ""},
		"a planted .git":        {map[string]string{".git": "gitdir: secrets\n", "secrets/HEAD": "password\n"}, ""},
	} {
		a := quota.Attribute(quota.Attribution{}, getenv(nil), repository(t, row.files))
		assert.Equal(t, row.branch, a.Branch, name)
		assert.Empty(t, a.Commit, name)
	}
}

// What is no UTF-8, such as a folder's name in Latin-1, is made some: a run of other words than
// its entry, which is JSON, does not add up.
func TestAttributionIsText(t *testing.T) {
	t.Parallel()
	env := getenv(map[string]string{"CI": "true", "HSHARNESS_BRANCH": "gr\xf6sse", "HSHARNESS_ACTOR": "\xff\xfe", "HSHARNESS_COMMIT": "größe", "HSHARNESS_EVENT": "a\xc3", "HSHARNESS_JOB_URL": "http://x/\xe9"})
	a := quota.Attribute(quota.Attribution{}, env, filepath.Join(t.TempDir(), "caf\xe9"))
	assert.Equal(t, quota.Attribution{Suite: "caf\uFFFD", Branch: "gr\uFFFDsse", Actor: "\uFFFD", Commit: "größe", Event: "a\uFFFD", JobURL: "http://x/\uFFFD"}, a)
	here := quota.Attribute(quota.Attribution{Branch: "\xe9"}, getenv(nil), t.TempDir())
	assert.Equal(t, here.Branch, here.Trusted)
}
