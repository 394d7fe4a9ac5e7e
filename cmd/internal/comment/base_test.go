package comment

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var codeSpan = regexp.MustCompile(`<code>[^<]*</code>`)

func sh(t *testing.T, dir, script string) string {
	t.Helper()
	cmd := exec.Command("bash", "-euc", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// TestBase takes the recordings of the base from a clone that has them, and from one
// that fetches them first, as a job's clone of one commit does.
func TestBase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sh(t, dir, `git init -q --bare -b main remote.git && git -C remote.git config uploadpack.allowAnySHA1InWant true
		git clone -q remote.git work 2>/dev/null && cd work && git checkout -q -b main
		mkdir -p shop/recordings/classify other/recordings/classify
		echo one >shop/recordings/classify/a.json; echo no >other/recordings/classify/b.json; ln -s /etc/passwd shop/recordings/classify/link.json
		git add . && git commit -qm base && git push -q origin main
		git checkout -q -b change && echo two >shop/recordings/classify/a.json && git commit -qam change && git push -q origin change`)
	base := sh(t, dir, "git -C work rev-parse main")
	sh(t, dir, "git clone -q --depth=1 --branch change file://$PWD/remote.git shallow")
	for _, clone := range []string{"work", "shallow"} {
		to := t.TempDir()
		require.NoError(t, Base(t.Context(), filepath.Join(dir, clone, "shop", "recordings"), base, to), clone)
		text, err := os.ReadFile(filepath.Join(to, "classify", "a.json"))
		require.NoError(t, err)
		assert.Equal(t, "one\n", string(text))
		assert.NoFileExists(t, filepath.Join(to, "classify", "link.json"))
		names, err := os.ReadDir(filepath.Join(to, "classify"))
		require.NoError(t, err)
		assert.Len(t, names, 1)
	}
	to := t.TempDir()
	require.NoError(t, Base(t.Context(), filepath.Join(dir, "work", "new", "recordings"), base, to), "a folder that the base has not")
	names, err := os.ReadDir(to)
	require.NoError(t, err)
	assert.Empty(t, names)
	for _, commit := range []string{"", "main", "--upload-pack=touch", strings.Repeat("0", 40)} {
		require.Error(t, Base(t.Context(), filepath.Join(dir, "work", "shop", "recordings"), commit, t.TempDir()), commit)
	}
	require.Error(t, Base(t.Context(), filepath.Join(t.TempDir(), "recordings"), base, t.TempDir()), "no repository")
}

// TestBaseOfARepositoryThatExportsNoTests: what a repository leaves out of its own archives is
// compared all the same, and so are recordings at its top and in a folder of any name.
func TestBaseOfARepositoryThatExportsNoTests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sh(t, dir, `git init -q -b main . && mkdir -p 'te[s]ts/recordings/classify' classify
		echo one >'te[s]ts/recordings/classify/a.json'; echo one >classify/b.json
		echo '/te*/ export-ignore' >.gitattributes; git add . && git commit -qm base`)
	base := sh(t, dir, "git rev-parse main")
	for folder, file := range map[string]string{filepath.Join("te[s]ts", "recordings"): "a.json", ".": "b.json"} {
		to := t.TempDir()
		require.NoError(t, Base(t.Context(), filepath.Join(dir, folder), base, to))
		text, err := os.ReadFile(filepath.Join(to, "classify", file))
		require.NoError(t, err, folder)
		assert.Equal(t, "one\n", string(text), folder)
	}
}

// TestFromEnvironment reads jobs of both systems, and of none.
func TestFromEnvironment(t *testing.T) {
	t.Parallel()
	event := filepath.Join(t.TempDir(), "event.json")
	require.NoError(t, os.WriteFile(event, []byte(`{"pull_request":{"number":7,"base":{"ref":"main","sha":"abc"}}}`), 0o600))
	push := filepath.Join(t.TempDir(), "push.json")
	require.NoError(t, os.WriteFile(push, []byte(`{"ref":"refs/heads/main"}`), 0o600))
	from := func(env map[string]string) (Request, error) {
		return FromEnvironment(func(name string) string { return env[name] })
	}
	github := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_API_URL": "https://github.example/api/v3", "GITHUB_REPOSITORY": "shop/tariffs",
		"GITHUB_EVENT_PATH": event, "GITHUB_WORKFLOW": "ci", "GITHUB_JOB": "replay", "HSHARNESS_COMMENT_TOKEN": "t",
	}
	r, err := from(github)
	require.NoError(t, err)
	assert.Equal(t, Request{System: "github", API: "https://github.example/api/v3", Project: "shop/tariffs", Number: 7, Base: "main", BaseCommit: "abc", Token: "t", Job: "ci/replay"}, r)
	github["GITHUB_EVENT_PATH"] = push
	_, err = from(github)
	require.ErrorIs(t, err, ErrNone)
	gitlab := map[string]string{
		"GITLAB_CI": "true", "CI_API_V4_URL": "https://gitlab.example/api/v4", "CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7",
		"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc", "CI_JOB_NAME": "replay",
	}
	r, err = from(gitlab)
	require.NoError(t, err)
	assert.Equal(t, Request{System: "gitlab", API: "https://gitlab.example/api/v4", Project: "12", Number: 7, Base: "main", BaseCommit: "abc", Job: "replay"}, r)
	delete(gitlab, "CI_MERGE_REQUEST_IID")
	_, err = from(gitlab)
	require.ErrorIs(t, err, ErrNone)
	_, err = from(nil)
	require.ErrorIs(t, err, ErrNone)
}
