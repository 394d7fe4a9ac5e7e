package harness

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/services"
	"github.com/hsharness/hsharness/internal/session"
)

// buying is the command that buys what a test missed, of so many units, and what else
// has to be so for the test to find it; empty where it missed nothing that can be
// bought. Inside of an exec, that says what buys it for all its tests.
func (o Options) buying(t TB, units int) string {
	name := nameOf(t)
	build, known := debug.ReadBuildInfo()
	if units == 0 || name == "" || !known || services.Nested(os.Getenv) {
		return ""
	}
	if err := o.nestable(); err != nil {
		return "\n  this test can't buy it: " + err.Error()
	}
	p, err := nearest()
	if err != nil {
		return ""
	}
	text := "\n  buy what is missing" + session.Where(p, os.Getenv, guard.Record) + ": " +
		hint.Buy(units, nil, hint.GoTest(name, strings.TrimSuffix(build.Path, ".test"))...)
	if own := o.ownRecordings(p); own != "" {
		text += "\n  exec records by " + project.Name + ": say there what " + own + " of this test's Options says"
	}
	return text
}

// ownRecordings names the options by which a test's recordings are not the project's,
// which those of an exec are.
func (o Options) ownRecordings(p *project.Project) string {
	var own []string
	if o.Recordings != "" {
		mine, err := filepath.Abs(o.Recordings)
		theirs, theirErr := filepath.Abs(p.RecordingsDir())
		if err != nil || theirErr != nil || mine != theirs {
			own = append(own, "Recordings")
		}
	}
	if slices.ContainsFunc(o.Ignore, func(path string) bool { return !slices.Contains(p.Recordings.Ignore, path) }) {
		own = append(own, "Ignore")
	}
	return strings.Join(own, " and ")
}
