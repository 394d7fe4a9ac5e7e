package comment

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzEvent checks that no event of a CI makes a panic, or a request without a number.
func FuzzEvent(f *testing.F) {
	f.Add(`{"pull_request":{"number":7,"base":{"ref":"main","sha":"a"}}}`, "7")
	f.Add(`{"pull_request":{"number":-1}}`, "-1")
	f.Add(`{"pull_request":null}`, "99999999999999999999")
	file := filepath.Join(f.TempDir(), "event.json")
	f.Fuzz(func(t *testing.T, data, number string) {
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, ci := range []string{"GITHUB_ACTIONS", "GITLAB_CI"} {
			env := map[string]string{ci: "true", "GITHUB_EVENT_PATH": file, "CI_MERGE_REQUEST_IID": number}
			if r, err := FromEnvironment(func(name string) string { return env[name] }); err == nil && r.Number == 0 && number != "0" {
				t.Fatalf("%+v of %q, %q", r, data, number)
			}
		}
	})
}
