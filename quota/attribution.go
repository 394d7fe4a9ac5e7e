package quota

import (
	"path/filepath"
	"strings"
)

// Attribution says on whose behalf a run spends. Every field may be empty, which
// is not known, and has at most 4096 bytes. [Attribute] fills it in.
type Attribution struct {
	// Suite is what the run is for, such as the name of the CI job.
	Suite string `json:"suite,omitempty"`
	// Branch is the branch of the repository; of a pull request its own.
	Branch string `json:"branch,omitempty"`
	// Commit is the commit's full hash, in hexadecimal digits.
	Commit string `json:"commit,omitempty"`
	// Actor is the person or account that started the run.
	Actor string `json:"actor,omitempty"`
	// Event is what started the run: push, pull_request, schedule or manual
	// where that is known, else the CI system's own word.
	Event string `json:"event,omitempty"`
	// JobURL is where the CI system shows the job.
	JobURL string `json:"job_url,omitempty"`
}

// Attribute finds out who runs here. For each field the first that has it wins:
// given, the HSHARNESS_ variable (HSHARNESS_SUITE, _BRANCH, _COMMIT, _ACTOR,
// _EVENT, _JOB_URL), the CI system (GitHub Actions, GitLab CI, Jenkins), and
// outside of CI the git repository that dir is in, read without running git,
// and the user's name. The suite falls back to the name of dir. Getenv is
// os.Getenv outside of tests.
func Attribute(given Attribution, getenv func(string) string, dir string) Attribution {
	a := given.or(Attribution{
		Suite: getenv("HSHARNESS_SUITE"), Branch: getenv("HSHARNESS_BRANCH"), Commit: getenv("HSHARNESS_COMMIT"),
		Actor: getenv("HSHARNESS_ACTOR"), Event: getenv("HSHARNESS_EVENT"), JobURL: getenv("HSHARNESS_JOB_URL"),
	})
	switch {
	case getenv("GITHUB_ACTIONS") != "":
		a = a.or(githubActions(getenv))
	case getenv("GITLAB_CI") != "":
		a = a.or(gitlabCI(getenv))
	case getenv("JENKINS_URL") != "":
		a = a.or(jenkins(getenv))
	case !InCI(getenv):
		a = a.or(Attribution{Actor: first(getenv("USER"), getenv("USERNAME")), Event: "manual"})
	}
	if a.Branch == "" || a.Commit == "" {
		branch, commit := gitHead(dir)
		a = a.or(Attribution{Branch: branch, Commit: commit})
	}
	if abs, err := filepath.Abs(dir); err == nil {
		a = a.or(Attribution{Suite: filepath.Base(abs)})
	}
	return a
}

// InCI tells whether this is a CI machine: CI is set, and to neither 0 nor false.
func InCI(getenv func(string) string) bool {
	ci := strings.ToLower(strings.TrimSpace(getenv("CI")))
	return ci != "" && ci != "0" && ci != "false"
}

// or fills the empty fields of a from b.
func (a Attribution) or(b Attribution) Attribution {
	return Attribution{
		Suite: first(a.Suite, b.Suite), Branch: first(a.Branch, b.Branch), Commit: first(a.Commit, b.Commit),
		Actor: first(a.Actor, b.Actor), Event: first(a.Event, b.Event), JobURL: first(a.JobURL, b.JobURL),
	}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// githubActions reads the default variables of GitHub Actions. For a pull
// request GITHUB_REF_NAME is "7/merge", so its own branch comes first.
func githubActions(getenv func(string) string) Attribution {
	a := Attribution{
		Suite:  getenv("GITHUB_JOB"),
		Branch: first(getenv("GITHUB_HEAD_REF"), getenv("GITHUB_REF_NAME")),
		Commit: getenv("GITHUB_SHA"),
		Actor:  getenv("GITHUB_ACTOR"),
		Event:  event(getenv("GITHUB_EVENT_NAME")),
	}
	if server, repo, id := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"), getenv("GITHUB_RUN_ID"); repo != "" && id != "" {
		a.JobURL = server + "/" + repo + "/actions/runs/" + id
	}
	return a
}

// gitlabCI reads the predefined variables of GitLab CI.
func gitlabCI(getenv func(string) string) Attribution {
	return Attribution{
		Suite:  getenv("CI_JOB_NAME"),
		Branch: first(getenv("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"), getenv("CI_COMMIT_REF_NAME")),
		Commit: getenv("CI_COMMIT_SHA"),
		Actor:  getenv("GITLAB_USER_LOGIN"),
		Event:  event(getenv("CI_PIPELINE_SOURCE")),
		JobURL: getenv("CI_JOB_URL"),
	}
}

// jenkins reads the variables of Jenkins and its git and multibranch plugins.
func jenkins(getenv func(string) string) Attribution {
	a := Attribution{
		Suite:  getenv("JOB_NAME"),
		Branch: first(getenv("CHANGE_BRANCH"), getenv("BRANCH_NAME"), strings.TrimPrefix(getenv("GIT_BRANCH"), "origin/")),
		Commit: getenv("GIT_COMMIT"),
		Actor:  first(getenv("CHANGE_AUTHOR"), getenv("BUILD_USER_ID")),
		JobURL: getenv("BUILD_URL"),
	}
	switch cause := getenv("BUILD_CAUSE"); {
	case getenv("CHANGE_ID") != "":
		a.Event = "pull_request"
	case cause != "":
		a.Event = event(cause)
	}
	return a
}

// event translates a CI system's word for what started it.
func event(word string) string {
	switch word {
	case "pull_request_target", "merge_request_event", "external_pull_request_event":
		return "pull_request"
	case "workflow_dispatch", "repository_dispatch", "web", "MANUALTRIGGER":
		return "manual"
	case "TIMERTRIGGER":
		return "schedule"
	case "SCMTRIGGER":
		return "push"
	}
	return word
}
