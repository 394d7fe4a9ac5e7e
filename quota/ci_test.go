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

// environment reads a file of variables, as testdata/ci has one for each case. Names
// of files in them are beside it.
func environment(t *testing.T, name string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "ci", name+".env"))
	require.NoError(t, err)
	env := map[string]string{}
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if strings.HasPrefix(line, "#") {
			continue
		}
		require.True(t, ok, "%s: %s", name, line)
		env[key] = value
	}
	if event := env["GITHUB_EVENT_PATH"]; event != "" {
		env["GITHUB_EVENT_PATH"] = filepath.Join("testdata", "ci", event)
	}
	return env
}

// What a CI system claims, and what of it is the branch whose code it runs. No name
// that a stranger chooses is.
func TestAttributeTrusts(t *testing.T) {
	t.Parallel()
	want := map[string]struct{ branch, trusted, event string }{
		"github_push":                  {"main", "main", "push"},
		"github_tag":                   {"tag:main", "tag:main", "push"},
		"github_pull_request":          {"feature/x", "feature/x", "pull_request"},
		"github_fork":                  {"main", "", "pull_request"},
		"github_fork_deleted":          {"main", "", "pull_request"},
		"github_pull_request_unread":   {"feature/x", "", "pull_request"},
		"github_pull_request_target":   {"main", "", "pull_request"},
		"github_issue_comment":         {"main", "", "issue_comment"},
		"github_workflow_run":          {"main", "", "workflow_run"},
		"github_schedule":              {"main", "main", "schedule"},
		"github_workflow_dispatch":     {"release/2", "release/2", "manual"},
		"github_workflow_dispatch_tag": {"tag:v2.1", "tag:v2.1", "manual"},
		"github_merge_group":           {"gh-readonly-queue/main/pr-7-ffac537", "gh-readonly-queue/main/pr-7-ffac537", "merge_group"},
		"gitlab_branch":                {"main", "main", "push"},
		"gitlab_tag":                   {"tag:main", "tag:main", "push"},
		"gitlab_merge_request":         {"feature/x", "feature/x", "pull_request"},
		"gitlab_fork":                  {"main", "", "pull_request"},
		"gitlab_fork_own":              {"main", "", "pull_request"},
		"gitlab_external":              {"main", "", "pull_request"},
		"gitlab_schedule":              {"main", "main", "schedule"},
		"jenkins_branch":               {"main", "main", ""},
		"jenkins_plain":                {"main", "main", "schedule"},
		"jenkins_pull_request":         {"main", "", "pull_request"},
		"jenkins_fork":                 {"main", "", "pull_request"},
		"jenkins_builder":              {"main", "", ""},
		"jenkins_tag":                  {"tag:main", "tag:main", ""},
		"other_branch":                 {"main", "", "push"},
	}
	files, err := filepath.Glob(filepath.Join("testdata", "ci", "*.env"))
	require.NoError(t, err)
	assert.Len(t, want, len(files), "each environment is a row")
	for name, row := range want {
		env := environment(t, name)
		a := quota.Attribute(quota.Attribution{}, getenv(env), t.TempDir())
		assert.Equal(t, row.branch, a.Branch, name)
		assert.Equal(t, row.trusted, a.Trusted, name)
		assert.Equal(t, row.event, a.Event, name)

		// A variable may claim another branch or event, and makes none trusted.
		for variable, value := range map[string]string{"HSHARNESS_BRANCH": "release/1", "HSHARNESS_EVENT": "chosen"} {
			env := environment(t, name)
			env[variable] = value
			a := quota.Attribute(quota.Attribution{}, getenv(env), t.TempDir())
			assert.Contains(t, []string{a.Branch, a.Event}, value, name)
			assert.Empty(t, a.Trusted, "%s with %s", name, variable)
		}
		assert.Empty(t, quota.Attribute(quota.Attribution{Branch: "release/1", Trusted: "release/1"}, getenv(env), t.TempDir()).Trusted, name)
	}
}

// On a machine that is not of CI, whoever types owns the code: the branch is that of
// the repository, or what is said. A detached head, also at a tag, has none.
func TestAttributeTrustsLaptops(t *testing.T) {
	t.Parallel()
	branch := repository(t, map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "abc\n"})
	tag := repository(t, map[string]string{".git/HEAD": "abc\n", ".git/refs/tags/main": "abc\n"})
	for name, row := range map[string]struct {
		dir  string
		env  map[string]string
		want string
	}{
		"a branch":             {branch, nil, "main"},
		"CI=false":             {branch, map[string]string{"CI": "false"}, "main"},
		"detached, at a tag":   {tag, nil, ""},
		"said":                 {tag, map[string]string{"HSHARNESS_BRANCH": "release/1"}, "release/1"},
		"an unknown CI's":      {branch, map[string]string{"CI": "1"}, ""},
		"no word of GitHub's":  {branch, map[string]string{"CI": "true", "GITHUB_ACTIONS": "true"}, ""},
		"no word of GitLab's":  {branch, map[string]string{"CI": "true", "GITLAB_CI": "true"}, ""},
		"no word of Jenkins's": {branch, map[string]string{"JENKINS_URL": "https://ci.example/"}, ""},
	} {
		assert.Equal(t, row.want, quota.Attribute(quota.Attribution{}, getenv(row.env), row.dir).Trusted, name)
	}
}
