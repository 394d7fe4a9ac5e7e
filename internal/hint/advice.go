package hint

import (
	"errors"
	"path/filepath"
)

// Advice is what to type or to do next, where the error's type alone does not tell it:
// a mistake in what was typed, or what a command found. These are all there is.
type Advice string

// What commands advise.
const (
	LookAtLedger     Advice = "look at it: hsharness quota status"
	Status           Advice = "hsharness quota status"
	VerifyLedger     Advice = "hsharness quota verify"
	FreeUnits        Advice = "choose fewer with --tags, --filter or paths, or see who holds what: hsharness quota status"
	FirstLedger      Advice = "hsharness quota init --granted N"
	Reconcile        Advice = reconcile
	OtherServer      Advice = "change that, or name another server; then again: hsharness doctor"
	Project          Advice = "go to the project's folder, or make one: hsharness init"
	ListRecordings   Advice = "list them: hsharness recordings ls"
	LookAtRecordings Advice = "look: hsharness recordings ls"
	MoreOfTheKey     Advice = "type more of the key: hsharness recordings ls"
	BuyRecordings    Advice = "buy some: hsharness exec --mode record --max-spend N -- CMD"
	RecoverHome      Advice = "hsharness recordings recover"
	BringHome        Advice = "bring it home first: hsharness recordings recover"
	RecoverCleaned   Advice = "take the secret out of the file, then: hsharness recordings recover FILE"
	AcceptTakes      Advice = "look: hsharness recordings diff KEY; let them answer: hsharness recordings accept KEY"
	LearnShapes      Advice = "buy five answers of each, then: hsharness recordings learn"
	PruneAgain       Advice = "look again: hsharness recordings prune"
	PruneUnused      Advice = "type hsharness recordings prune --unused -- CMD"
	Diagnose         Advice = "look: hsharness doctor"
	FirstKey         Advice = "make a key: hsharness gateway keys add NAME --cap N"
	Mock             Advice = "use hsharness serve; or --mode replay, record or live"
	Outside          Advice = "type it where no hsharness exec is around it"
	InstallClone     Advice = "in a clone of hsharness, make install, and here hsharness init again"
)

// RecoverFile brings a recording home, once the secret in it is taken out.
func RecoverFile(file string) Advice {
	return Advice("take it out, then: hsharness recordings recover " + file)
}

// LookAt shows another ledger than the project's.
func LookAt(ledger string) Advice {
	return Advice("look at it: hsharness quota status --ledger '" + ledger + "'")
}

// UndoCopy gives up a copy of a ledger, which opens the one that was copied again.
func UndoCopy(from string) Advice {
	return Advice("hsharness quota copy --undo --ledger '" + from + "'")
}

// FirstScenarios writes some beside a project file; without one, it makes a project.
func FirstScenarios(file string) Advice {
	if file == "" {
		return "is this the project's folder? Go there, name a file or folder, or make a project of this one: hsharness init"
	}
	if dir := filepath.ToSlash(filepath.Dir(file)); dir != "." {
		return Advice("name a file or folder, or write the first scenarios: " + Line("hsharness", "init", dir))
	}
	return "name a file or folder, or write the first scenarios: hsharness init"
}

// About adds the advice to an error, for [For] and [Text] alone to tell; nil stays nil.
func (a Advice) About(err error) error {
	if err == nil {
		return nil
	}
	return &advised{err, a}
}

// Advised is an error that knows which advice is its own.
type Advised interface {
	error
	Advice() Advice
}

type advised struct {
	error
	advice Advice
}

func (e *advised) Unwrap() error  { return e.error }
func (e *advised) Advice() Advice { return e.advice }

// own is the advice that an error has of its own.
func own(err error) Advice {
	var a Advised
	if errors.As(err, &a) {
		return a.Advice()
	}
	return ""
}
