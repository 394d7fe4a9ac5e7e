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
	// Branch is the branch of the repository; of a pull request its own; of a tag
	// tag: and its name. It is what is claimed: whoever opens a pull request from a
	// fork chooses it.
	Branch string `json:"branch,omitempty"`
	// Trusted is Branch again where it is known that the code is that branch's, in the
	// repository itself, and empty where it is not. It is for the admission: a ledger
	// does not keep it.
	Trusted string `json:"-"`
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
//
// In CI only the system itself says which branch is trusted: none of a system that
// is not one of the three, and none where what was given, or a variable, says
// another branch or event than it does. Outside of CI whoever types owns the code.
func Attribute(given Attribution, getenv func(string) string, dir string) Attribution {
	a := given.or(Attribution{
		Suite: getenv("HSHARNESS_SUITE"), Branch: getenv("HSHARNESS_BRANCH"), Commit: getenv("HSHARNESS_COMMIT"),
		Actor: getenv("HSHARNESS_ACTOR"), Event: getenv("HSHARNESS_EVENT"), JobURL: getenv("HSHARNESS_JOB_URL"),
	})
	var system Attribution
	here := false
	switch {
	case getenv("GITHUB_ACTIONS") != "":
		system = githubActions(getenv)
	case getenv("GITLAB_CI") != "":
		system = gitlabCI(getenv)
	case getenv("JENKINS_URL") != "":
		system = jenkins(getenv)
	case !InCI(getenv):
		system, here = Attribution{Actor: first(getenv("USER"), getenv("USERNAME")), Event: "manual"}, true
	}
	a = a.or(system)
	if a.Branch == "" || a.Commit == "" {
		branch, commit := gitHead(dir)
		a = a.or(Attribution{Branch: branch, Commit: commit})
	}
	switch {
	case here:
		a.Trusted = a.Branch
	case a.Branch == system.Trusted && a.Event == system.Event:
		a.Trusted = system.Trusted
	}
	if abs, err := filepath.Abs(dir); err == nil {
		a.Suite = first(a.Suite, filepath.Base(abs))
	}
	return a.text()
}

// text is a with what is no UTF-8, such as a folder's name in Latin-1, made some: an entry is
// JSON, which has no other text, and a run whose own words differ from those of its entry is
// one that does not add up.
func (a Attribution) text() Attribution {
	for _, text := range []*string{&a.Suite, &a.Branch, &a.Commit, &a.Actor, &a.Event, &a.JobURL, &a.Trusted} {
		*text = strings.ToValidUTF8(*text, "\uFFFD")
	}
	return a
}

// InCI tells whether this is a CI machine: CI is set, and to neither 0 nor false.
func InCI(getenv func(string) string) bool {
	ci := strings.ToLower(strings.TrimSpace(getenv("CI")))
	return ci != "" && ci != "0" && ci != "false"
}

// or fills the empty fields of a from b, but for Trusted, which is empty.
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
