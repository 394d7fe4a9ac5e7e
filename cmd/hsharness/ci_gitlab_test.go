package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gitlabJob is what the template has to say of a job, and no more.
type gitlabJob struct {
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

// gitlabJobs are the template's jobs, and what runs the script of one as GitLab's shell
// does.
func gitlabJobs(t *testing.T, r *runner) (jobs map[string]gitlabJob, run func(name string, variables ...string) (int, string)) {
	t.Helper()
	text, err := os.ReadFile("../../ci/gitlab.yml")
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalWithOptions(text, &jobs, yaml.Strict()))
	base := jobs[".hsharness"]
	require.NotEmpty(t, base.Variables)

	return jobs, func(name string, variables ...string) (int, string) {
		t.Helper()
		j := jobs[name]
		require.Equal(t, ".hsharness", j.Extends, name)
		cmd := exec.Command("bash", "-eo", "pipefail", "-c", strings.Join(j.Script, "\n"))
		cmd.Dir = r.dir
		cmd.Env = append(os.Environ(), "CI=true", "GITLAB_CI=true", "CI_JOB_NAME="+strings.TrimPrefix(name, ".hsharness-"), "CI_PIPELINE_SOURCE=web",
			"CI_COMMIT_REF_NAME=main", "CI_JOB_STARTED_AT=2026-01-01T00:00:00Z", "XDG_STATE_HOME="+r.dir, "REAL_SECRET="+realSecret,
			"PATH="+filepath.Join(r.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
		for name, value := range base.Variables {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		cmd.Env = append(cmd.Env, variables...)
		out, _ := cmd.CombinedOutput() // its code says it
		return cmd.ProcessState.ExitCode(), string(out)
	}
}

func TestGitLabJobs(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash") {
		return
	}
	r := newRunner(t)
	require.NoError(t, os.Mkdir(filepath.Join(r.dir, "scenarios"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "scenarios", "one.yaml"), []byte("version: 1\nname: one\nsteps: [ { token: {} } ]\n"), 0o644))
	jobs, run := gitlabJobs(t, r)
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

// TestGitLabComments runs the replay job of a merge request: the price before is the
// artifact of the target branch, the comment is a note, and the suite has no token.
func TestGitLabComments(t *testing.T) {
	t.Parallel()
	if !installed(t, "git", "bash", "curl") {
		return
	}
	r := newRunner(t)
	_, run := gitlabJobs(t, r)
	code, out := run(".hsharness-record", "SUITE=npm test", "MAX_SPEND=4")
	require.Zero(t, code, out)
	code, out = r.types("git add -f recordings && git commit -qm bought && git rev-parse HEAD")
	require.Zero(t, code, out)
	base := strings.TrimSpace(out)
	code, out = run(".hsharness-replay", "SUITE=npm test")
	require.Zero(t, code, out)
	before, err := os.ReadFile(filepath.Join(r.dir, "hsharness-bill.json"))
	require.NoError(t, err)

	var notes []string
	gitlab := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/api/v4/projects/12/jobs/artifacts/main/raw/hsharness-bill.json" {
			assert.Equal(t, "job-token", q.Header.Get("Job-Token"))
			assert.Equal(t, "replay", q.URL.Query().Get("job"))
			_, _ = w.Write(before)
			return
		}
		assert.Equal(t, "Bearer project-token", q.Header.Get("Authorization"))
		switch {
		case q.URL.Path == "/api/v4/user":
			_, _ = w.Write([]byte(`{"username":"project_12_bot"}`))
		case q.URL.Path == "/api/v4/projects/12/merge_requests/7/notes" && q.Method == http.MethodGet:
			_, _ = w.Write([]byte(`[{"id":1,"body":"I like it","author":{"username":"ann"}}]`))
		case q.URL.Path == "/api/v4/projects/12/merge_requests/7/notes" && q.Method == http.MethodPost:
			var sent struct{ Body string }
			assert.NoError(t, json.NewDecoder(q.Body).Decode(&sent))
			notes = append(notes, sent.Body)
			w.WriteHeader(http.StatusCreated)
		default:
			assert.Fail(t, "no such call", "%s %s", q.Method, q.URL)
		}
	}))
	t.Cleanup(gitlab.Close)
	of := []string{
		"CI_API_V4_URL=" + gitlab.URL + "/api/v4", "CI_PROJECT_ID=12", "CI_MERGE_REQUEST_IID=7", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main",
		"CI_MERGE_REQUEST_DIFF_BASE_SHA=" + base, "CI_JOB_TOKEN=job-token", "HSHARNESS_COMMENT_TOKEN=project-token",
	}
	code, out = run(".hsharness-replay", append(of, "SUITE=npm test; env | grep ^HSHARNESS_COMMENT_TOKEN && exit 9; classify 3 || true")...)
	require.Equal(t, exitMissing, code, out)
	require.Len(t, notes, 1, out)
	assert.Contains(t, notes[0], "| price of the suite, in units | 2 | **5** (+3) |")
	assert.Contains(t, notes[0], "No recorded answer changed.")
	assert.NotContains(t, out, "project-token")

	code, out = run(".hsharness-replay", append(of, "HSHARNESS_COMMENT_TOKEN=", "SUITE=npm test")...)
	require.Zero(t, code, "a fork has no token: %s", out)
	assert.Contains(t, out, "no comment")
	assert.Len(t, notes, 1)
}
