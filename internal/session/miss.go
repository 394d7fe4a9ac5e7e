package session

import (
	"cmp"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

// CIMissError refuses to let the mock answer in CI what was never bought, where the
// project file does not say so: a job that was green on recordings would be on what
// nobody bought, by a word in its command line.
type CIMissError struct {
	// File is the project file, or where one would be.
	File string
}

func (e *CIMissError) Error() string {
	return "CI is set, where the mock answers what was never bought only by the project file"
}

// mocksMisses tells whether a replay lets the mock answer what was never bought.
func (s *Session) mocksMisses() (bool, error) {
	of := s.cfg.Project
	switch asked := cmp.Or(s.cfg.OnMiss, of.Recordings.OnMiss, guard.FailMiss); {
	case asked == guard.FailMiss:
		return false, nil
	case of.Recordings.OnMiss != guard.MockMiss && quota.InCI(s.cfg.Getenv):
		return false, &CIMissError{cmp.Or(of.File, project.Name)}
	case s.cfg.OnMiss == guard.MockMiss && s.Limit.Mode != guard.Replay:
		s.warn("what was never bought comes from the mock in mode replay, and this run is %s", s.Limit.Mode)
	}
	return true, nil
}
