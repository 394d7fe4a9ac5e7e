package quota

import (
	"encoding/json"
	"slices"
	"strings"
)

// tagPrefix is what tells a tag from a branch of the same name. No branch has it:
// git refuses a colon in names.
const tagPrefix = "tag:"

// githubActions reads the default variables of GitHub Actions, which no workflow can
// set: https://docs.github.com/en/actions/reference/workflows-and-actions/variables.
// For a pull request GITHUB_REF_NAME is "7/merge", so its own branch comes first.
func githubActions(getenv func(string) string) Attribution {
	event := getenv("GITHUB_EVENT_NAME")
	a := Attribution{
		Suite:  getenv("GITHUB_JOB"),
		Branch: first(getenv("GITHUB_HEAD_REF"), getenv("GITHUB_REF_NAME")),
		Commit: getenv("GITHUB_SHA"),
		Actor:  getenv("GITHUB_ACTOR"),
		Event:  common(event),
	}
	ref := getenv("GITHUB_REF")
	if name, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
		a.Branch = tagPrefix + name
	}
	switch {
	case event == "pull_request":
		// Its code is a merge of its own branch, which a fork's author names.
		if repo := getenv("GITHUB_REPOSITORY"); repo != "" && repo == headRepository(getenv("GITHUB_EVENT_PATH")) {
			a.Trusted = getenv("GITHUB_HEAD_REF")
		}
	case !slices.Contains(byWriters, event):
	case strings.HasPrefix(ref, "refs/heads/"), strings.HasPrefix(ref, "refs/tags/"):
		a.Trusted = a.Branch
	}
	if server, repo, id := getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"), getenv("GITHUB_RUN_ID"); repo != "" && id != "" {
		a.JobURL = server + "/" + repo + "/actions/runs/" + id
	}
	return a
}

// byWriters are the events of GitHub whose code is that of GITHUB_REF, and that only
// those cause who may write to the repository. The others, such as
// pull_request_target, issue_comment and workflow_run, have the name of the default
// branch or of the base, may be caused by anybody, and are often made to run the code
// of a fork.
var byWriters = []string{"push", "schedule", "workflow_dispatch", "repository_dispatch", "merge_group", "release"}

// headRepository is the owner/name that a pull request comes from, by the file of
// its event; empty where it does not say.
func headRepository(event string) string {
	data, err := readSmall(event)
	if err != nil {
		return ""
	}
	var e struct {
		PullRequest struct {
			Head struct {
				Repo struct {
					FullName string `json:"full_name"`
				} `json:"repo"`
			} `json:"head"`
		} `json:"pull_request"`
	}
	if json.Unmarshal(data, &e) != nil {
		return ""
	}
	return e.PullRequest.Head.Repo.FullName
}

// gitlabCI reads the predefined variables of GitLab CI:
// https://docs.gitlab.com/ci/variables/predefined_variables/. CI_COMMIT_BRANCH is set
// where a branch is built, CI_COMMIT_TAG where a tag is, and neither for a merge
// request, whose branch may be that of a fork.
func gitlabCI(getenv func(string) string) Attribution {
	a := Attribution{
		Suite:  getenv("CI_JOB_NAME"),
		Branch: first(getenv("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"), getenv("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME"), getenv("CI_COMMIT_REF_NAME")),
		Commit: getenv("CI_COMMIT_SHA"),
		Actor:  getenv("GITLAB_USER_LOGIN"),
		Event:  common(getenv("CI_PIPELINE_SOURCE")),
		JobURL: getenv("CI_JOB_URL"),
	}
	source, project := getenv("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), getenv("CI_PROJECT_ID")
	switch {
	case getenv("CI_COMMIT_TAG") != "":
		a.Branch = tagPrefix + getenv("CI_COMMIT_TAG")
		a.Trusted = a.Branch
	case getenv("CI_EXTERNAL_PULL_REQUEST_IID") != "":
	case getenv("CI_MERGE_REQUEST_IID") != "":
		if source != "" && source == project && source == getenv("CI_MERGE_REQUEST_PROJECT_ID") {
			a.Trusted = getenv("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
		}
	default:
		a.Trusted = getenv("CI_COMMIT_BRANCH")
	}
	return a
}

// jenkins reads the variables of Jenkins and its git and multibranch plugins. A
// change request is trusted by nothing that they say: CHANGE_FORK is set for one of a
// fork, but not by every plugin, and BRANCH_NAME is "arbitrary" then.
func jenkins(getenv func(string) string) Attribution {
	remote, ofRemote := strings.CutPrefix(getenv("GIT_BRANCH"), "origin/")
	a := Attribution{
		Suite:  getenv("JOB_NAME"),
		Branch: first(getenv("CHANGE_BRANCH"), getenv("BRANCH_NAME"), remote),
		Commit: getenv("GIT_COMMIT"),
		Actor:  first(getenv("CHANGE_AUTHOR"), getenv("BUILD_USER_ID")),
		JobURL: getenv("BUILD_URL"),
	}
	switch cause := getenv("BUILD_CAUSE"); {
	case getenv("CHANGE_ID") != "":
		a.Event = "pull_request"
	case cause != "":
		a.Event = common(cause)
	}
	change := first(getenv("CHANGE_ID"), getenv("CHANGE_FORK"), getenv("ghprbPullId"), getenv("gitlabMergeRequestIid"))
	switch {
	case change != "":
	case getenv("TAG_NAME") != "":
		a.Branch = tagPrefix + getenv("TAG_NAME")
		a.Trusted = a.Branch
	case getenv("BRANCH_NAME") != "", ofRemote:
		a.Trusted = a.Branch
	}
	return a
}

// common translates a CI system's word for what started it.
func common(word string) string {
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
