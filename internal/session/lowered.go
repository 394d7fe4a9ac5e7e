package session

import (
	"cmp"
	"fmt"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

// Lowering is why a run goes less far than it was asked to. The zero Lowering is that
// of a run that goes as far.
type Lowering struct {
	// Why says what was asked for, what it is now, and by which rule; Mend what would
	// let it go further. Mend does not ask for the mode again.
	Why, Mend string
}

// String is both in a line.
func (l Lowering) String() string { return l.Why + "; to let it go further: " + l.Mend }

// Lowered compares how far a run was asked to go with how far it goes by [Limit].
func Lowered(proj *project.Project, upstream guard.Upstream, getenv func(string) string, asked, limit guard.Limit) Lowering {
	if asked.Mode <= limit.Mode {
		return Lowering{}
	}
	file := cmp.Or(proj.File, project.Name)
	l := Lowering{Why: fmt.Sprintf("%s %s is lowered to %s by %s", asked.By, asked.Mode, limit.Mode, limit.By)}
	switch limit.By {
	case "policy.ci":
		who := quota.Attribute(quota.Attribution{}, getenv, proj.Dir())
		_, rule := proj.Policy.CI.Mode(who)
		by := "no rule of which lets this run go further"
		if _, plain := alone(proj.Policy.CI); rule > 0 && !plain {
			by = fmt.Sprintf("rule %d", rule)
		} else if rule > 0 {
			by = "which is " + limit.Mode.String()
		}
		l.Why += fmt.Sprintf(", %s (CI is set; event %q, branch %q, %s)", by, who.Event, who.Branch, trust(who))
		l.Mend = mendCI(file, proj.Policy.CI, getenv, who, asked.Mode)
		if upstream.AllLoopback() {
			l.Mend = "policy.loopback: exempt in " + file + ", for the sandbox is a stand-in on loopback"
		}
	case "policy.mode":
		l.Mend = fmt.Sprintf("policy.mode: %s in %s", asked.Mode, file)
	case "HSHARNESS_MAX_MODE":
		l.Mend = fmt.Sprintf("unset HSHARNESS_MAX_MODE, or set it to %s", asked.Mode)
	}
	return l
}

// Where says, as the end of a sentence, where else than here a mode could be gone to by
// typing it; empty where it could be here.
func Where(proj *project.Project, getenv func(string) string, mode guard.Mode) string {
	if mode.Buys() && CanBuy(proj, mode) != nil {
		return ", once there is " + project.Name + " with environments.sandbox"
	}
	upstream, err := proj.Upstream()
	if err != nil && proj.UnsetURLs() == nil {
		return ""
	}
	limit, err := Limit(proj, upstream, getenv, guard.Limit{Mode: mode})
	switch {
	case err != nil || limit.Mode >= mode:
		return ""
	case limit.By == "policy.ci":
		return ", outside of CI"
	case limit.By == "HSHARNESS_MAX_MODE":
		return ", without HSHARNESS_MAX_MODE"
	}
	return fmt.Sprintf(", with %s: %s in %s", limit.By, mode, cmp.Or(proj.File, project.Name))
}

// trust says in a word whether the branch is more than a name.
func trust(who quota.Attribution) string {
	if who.Trusted == "" {
		return "which is not trusted"
	}
	return "which is trusted"
}

// mendCI is what lets a run of CI go further: a rule, where its branch can have one.
func mendCI(file string, rules project.CIPolicy, getenv func(string) string, who quota.Attribution, mode guard.Mode) string {
	event := ""
	if who.Event != "" { // Jenkins does not say it; an empty one is refused
		event = fmt.Sprintf("event: %q, ", who.Event)
	}
	switch {
	case who.Trusted != "":
		return written(file, rules, fmt.Sprintf("{ %sbranch: %q, mode: %s }", event, who.Trusted, mode))
	case getenv("GITHUB_ACTIONS")+getenv("GITLAB_CI")+getenv("JENKINS_URL") == "":
		began := cmp.Or(who.Event, "nightly")
		if began == "pull_request" { // which may be anybody's
			began = "nightly"
		}
		rule := fmt.Sprintf("{ event: %q, mode: %s }", began, mode)
		return fmt.Sprintf("HSHARNESS_EVENT=%s, in a job that runs no stranger's code, and %s: this CI system vouches for no branch", began, written(file, rules, rule))
	}
	start := "start it by push, schedule or hand on a branch of the repository: a rule that names a branch lets nothing else go further"
	for _, r := range rules {
		if allowed, err := guard.ParseMode(r.Mode); err == nil && allowed >= mode {
			return start
		}
	}
	return start + "; and write one: " + written(file, rules, fmt.Sprintf("{ event: schedule, branch: main, mode: %s }", mode))
}

// written says where a rule of policy.ci goes.
func written(file string, rules project.CIPolicy, rule string) string {
	if other, plain := alone(rules); plain {
		return fmt.Sprintf("policy.ci: [ %s, { mode: %s } ] in %s", rule, other, file)
	}
	return fmt.Sprintf("in %s, before the other rules of policy.ci: - %s", file, rule)
}

// alone is the mode that policy.ci is where it is no list of rules.
func alone(rules project.CIPolicy) (mode string, plain bool) {
	switch {
	case len(rules) == 0:
		return guard.Replay.String(), true
	case len(rules) == 1 && len(rules[0].Event)+len(rules[0].Branch) == 0:
		return rules[0].Mode, true
	}
	return "", false
}
