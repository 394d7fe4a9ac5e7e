package plan

import (
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/scenario"
)

// noHost is the first request, of the cases that buys names, that would be bought from an
// API of which nobody knows the host, such as the sandbox's legacy one: nil without any.
// A URL that is wrong is said by the session that buys.
func (made Plan) noHost(proj *project.Project, chosen []*scenario.Scenario, buys func(file string, c scenario.CasePrice) bool) *scenario.Error {
	upstream, err := proj.Upstream()
	if err != nil {
		return nil
	}
	for i, s := range chosen {
		for _, c := range made.Scenarios[i].Price.Cases {
			if !buys(s.File, c) {
				continue
			}
			for _, ask := range c.Asks {
				if ask.Buys == 0 {
					continue
				}
				if _, err := upstream.Base(ask.Step.Request.API); err != nil {
					return s.Problem(ask.Step.Request.Pos, err.Error())
				}
			}
		}
	}
	return nil
}

// anyCase takes all cases.
func anyCase(string, scenario.CasePrice) bool { return true }
