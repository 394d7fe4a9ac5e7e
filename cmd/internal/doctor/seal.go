package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/cmd/internal/seal"
	"github.com/hsharness/hsharness/cmd/internal/seal/support"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
)

// examineSeal makes a seal and ends it, and says what there is on this machine that gets
// out of one.
func examineSeal(pr *project.Project) []Diagnosis {
	err := support.Check(func() error {
		s, err := seal.Start(seal.Config{Explain: support.Explain})
		if err != nil {
			return err
		}
		return s.Close()
	})
	if err != nil {
		return []Diagnosis{unsealable(err, pr.Policy.MustSeal())}
	}
	doors, others := support.Doors()
	return append([]Diagnosis{fine("seal", "a run can be sealed here")}, ways(doors, others)...)
}

// unsealable is what it means that no run can be sealed: an error where the project wants
// that, and nothing to mend on a system that has no seals.
func unsealable(err error, required bool) Diagnosis {
	var why *support.Error
	switch {
	case required:
		return wrong("seal", err.Error()+"; and policy.sealed is required", hint.For(err))
	case errors.As(err, &why) && why.Cause == support.NotLinux:
		return fine("seal", "%s", err)
	}
	return warning("seal", err.Error(), hint.For(err))
}

// ways says what a sealed command reaches by files of this machine.
func ways(doors []support.Door, others int) []Diagnosis {
	var starts, does []string
	for _, d := range doors {
		text := d.To + " (" + d.Path + ")"
		if d.Starts {
			starts = append(starts, text)
		} else {
			does = append(does, text)
		}
	}
	var all []Diagnosis
	if len(starts) > 0 {
		all = append(all, fine("seal", "what starts programs outside of one, for who may write its socket: %s", list(starts)))
	}
	if others > 0 {
		does = append(does, fmt.Sprintf("%d more sockets", others))
	}
	if len(does) > 0 {
		all = append(all, fine("seal", "what else answers a sealed command from outside: %s", list(does)))
	}
	return all
}

// list is a few of many.
func list(all []string) string {
	const most = 12
	if len(all) > most {
		all = append(slices.Clone(all[:most]), fmt.Sprintf("and %d more", len(all)-most))
	}
	return strings.Join(all, ", ")
}
