package quota

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzCI checks that whatever a CI's variables and its event's file say, a pull request
// of another repository has no branch that is trusted.
func FuzzCI(f *testing.F) {
	f.Add("pull_request", "refs/pull/7/merge", "main", "o/r", `{"pull_request":{"head":{"repo":{"full_name":"o/r"}}}}`)
	f.Add("pull_request", "refs/pull/7/merge", "main", "o/r", `{"pull_request":{"head":{"repo":{"full_name":"fork/r"}}}}`)
	f.Add("push", "refs/tags/v1", "v1", "o/r", "[")
	f.Add("", "", "", "", strings.Repeat("[", 20_000))
	file := filepath.Join(f.TempDir(), "event.json")
	f.Fuzz(func(t *testing.T, event, ref, branch, repo, data string) {
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		env := map[string]string{
			"GITHUB_EVENT_NAME": event, "GITHUB_REF": ref, "GITHUB_HEAD_REF": branch, "GITHUB_REF_NAME": branch, "GITHUB_REPOSITORY": repo, "GITHUB_EVENT_PATH": file,
			"CI_COMMIT_BRANCH": branch, "CI_COMMIT_TAG": ref, "CI_PIPELINE_SOURCE": event, "BRANCH_NAME": branch, "CHANGE_ID": ref,
		}
		getenv := func(name string) string { return env[name] }
		a := githubActions(getenv)
		if event == "pull_request" && a.Trusted != "" && headRepository(file) != repo {
			t.Fatalf("%q of %q is trusted", a.Trusted, repo)
		}
		gitlabCI(getenv)
		jenkins(getenv)
	})
}
