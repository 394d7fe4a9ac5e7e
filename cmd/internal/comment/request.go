package comment

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/internal/files"
)

// Request is a change request: a pull request of GitHub or a merge request of GitLab.
type Request struct {
	// System is github or gitlab, and API the address of its API.
	System, API string
	// Project is owner/name, or the project's number.
	Project string
	Number  int64
	// Base is the branch that is to be changed, and BaseCommit what it was when the job
	// began.
	Base, BaseCommit string
	// Token may comment. Empty is that there is none.
	Token string
	// Job names the job.
	Job string
}

// ErrNone says that this job is of no change request.
var ErrNone = errors.New("this job is of no pull or merge request")

// FromEnvironment reads which request a job is of:
// https://docs.github.com/en/actions/reference/workflows-and-actions/variables and
// https://docs.gitlab.com/ci/variables/predefined_variables/.
func FromEnvironment(getenv func(string) string) (Request, error) {
	r := Request{Token: getenv(process.CommentVariable)}
	switch {
	case getenv("GITHUB_ACTIONS") == "true":
		r.System, r.API, r.Project = "github", cmp.Or(getenv("GITHUB_API_URL"), "https://api.github.com"), getenv("GITHUB_REPOSITORY")
		r.Job = getenv("GITHUB_WORKFLOW") + "/" + getenv("GITHUB_JOB")
		return r, r.fromEvent(getenv("GITHUB_EVENT_PATH"))
	case getenv("GITLAB_CI") == "true":
		r.System, r.API = "gitlab", getenv("CI_API_V4_URL")
		r.Project = cmp.Or(getenv("CI_MERGE_REQUEST_PROJECT_ID"), getenv("CI_PROJECT_ID"))
		r.Base, r.BaseCommit, r.Job = getenv("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"), getenv("CI_MERGE_REQUEST_DIFF_BASE_SHA"), getenv("CI_JOB_NAME")
		number := getenv("CI_MERGE_REQUEST_IID")
		if number == "" {
			return r, ErrNone
		}
		var err error
		if r.Number, err = strconv.ParseInt(number, 10, 64); err != nil {
			return r, fmt.Errorf("CI_MERGE_REQUEST_IID is %q, and no number", number)
		}
		return r, nil
	}
	return r, ErrNone
}

// fromEvent reads what GitHub says of the pull request that caused the job.
func (r *Request) fromEvent(file string) error {
	if file == "" {
		return ErrNone
	}
	data, err := files.Read(file, files.Text)
	if err != nil {
		return fmt.Errorf("GITHUB_EVENT_PATH: %w", err)
	}
	var e struct {
		PullRequest struct {
			Number int64 `json:"number"`
			Base   struct {
				Ref string `json:"ref"`
				SHA string `json:"sha"`
			} `json:"base"`
		} `json:"pull_request"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("GITHUB_EVENT_PATH: %s: %w", file, err)
	}
	if e.PullRequest.Number == 0 {
		return ErrNone
	}
	r.Number, r.Base, r.BaseCommit = e.PullRequest.Number, e.PullRequest.Base.Ref, e.PullRequest.Base.SHA
	return nil
}
