package hint

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/quota"
)

// Advice is what to type or to do next, where the error's type alone does not tell it:
// a mistake in what was typed, or what a command found. These are all there is.
type Advice string

// What commands advise.
const (
	Status            Advice = "hsharness quota status"
	VerifyLedger      Advice = "hsharness quota verify"
	FreeUnits         Advice = "choose fewer with --tags, --filter or paths, or see who holds what: hsharness quota status"
	ClientMax         Advice = "give the client a larger maximum, or choose fewer with --tags, --filter or paths"
	Required          Advice = "give more by --max-spend, or take required: true out of a file"
	FewerUnits        Advice = "plan with a smaller --units, or see who holds what: hsharness quota status"
	FirstLedger       Advice = "hsharness quota init --granted N"
	Reconcile         Advice = reconcile
	OtherServer       Advice = "change that, or name another server; then again: hsharness doctor"
	Project           Advice = "go to the project's folder, or make one: hsharness init"
	ListRecordings    Advice = "list them: hsharness recordings ls"
	LookAtRecordings  Advice = "look: hsharness recordings ls"
	MoreOfTheKey      Advice = "type more of the key: hsharness recordings ls"
	BuyRecordings     Advice = "buy some: hsharness exec --mode record --max-spend N -- CMD"
	RecoverHome       Advice = "hsharness recordings recover"
	Push              Advice = "share it later: hsharness recordings push"
	BringHome         Advice = "bring it home first: hsharness recordings recover"
	RecoverCleaned    Advice = "take the secret out of the file, then: hsharness recordings recover FILE"
	AcceptTakes       Advice = "look: hsharness recordings diff KEY; let them answer: hsharness recordings accept KEY"
	LearnShapes       Advice = "buy five answers of each, then: hsharness recordings learn"
	PruneAgain        Advice = "look again: hsharness recordings prune"
	PruneUnused       Advice = "type hsharness recordings prune --unused -- CMD"
	Diagnose          Advice = "look: hsharness doctor"
	FirstKey          Advice = "make a key: hsharness gateway keys add NAME --cap N"
	Mock              Advice = "use hsharness serve; or --mode replay, record or live"
	Outside           Advice = "type it where no hsharness exec is around it"
	CopyTo            Advice = "give --to sqlite:PATH or postgres://…, or --undo to give a copy up"
	OtherLedger       Advice = "correct ledger in hsharness.yaml, or --ledger"
	BoundRest         Advice = "--max-spend bounds the rest, and quota.max in the file makes it known"
	NameRecordings    Advice = "name recordings, or all that wait: --all"
	PruneYes          Advice = "remove them: repeat with --yes"
	Since             Advice = "say since when the run went on: --since TIME"
	LookAtTags        Advice = "look at the paths, --filter and --tags"
	OtherPorts        Advice = "choose other ports with --identity-addr, --api-addr and --control-addr, or port 0 for free ones"
	OtherGatewayPorts Advice = "choose another with --addr and --ops-addr, or port 0 for a free one"
	OpenGateway       Advice = "use 127.0.0.1, or --listen-anywhere if others are to reach it, with --tls or behind a proxy that has it"
	WriteResults      Advice = "write the results of a run: hsharness run --json FILE"
	AnotherAllowance  Advice = "name that one, by --allowance or by allowance.name in hsharness.yaml, or make a ledger in another place: hsharness quota init --granted N --allowance NAME --ledger sqlite:PATH"
	MintHere          Advice = "where no service answers: hsharness token --mint"
	StartServices     Advice = "start them, hsharness serve, or name where they are by --control-addr HOST:PORT"
	InstallClone      Advice = "in a clone of hsharness, make install, and here hsharness init again"
)

// RecoverFile brings a recording home, once the secret in it is taken out.
func RecoverFile(file string) Advice {
	return Advice("take it out, then: hsharness recordings recover " + file)
}

// Amount is one that reaches, in units.
func Amount(units int) Advice { return Advice(fmt.Sprint("repeat with --max-spend ", units)) }

// Afford is how a run that buys so many units at least gets them, where the ledger lets
// it have so many.
func Afford(least, lets int64) Advice {
	if lets >= least {
		return Advice(fmt.Sprintf("repeat with --max-spend %d, or buy what fits: --partial", least))
	}
	return "buy what fits: --partial; or " + FreeUnits
}

// Anew makes a plan anew, by the command that made it.
func Anew(command string) Advice { return Advice("make a new plan: " + command) }

// Plan is the command by which a plan file says that it was made, if that makes a plan and
// does nothing else: it is told as the one to type, and whoever wrote the file may have
// written that. Else it is one for so many units.
func Plan(command string, units int, file string) string {
	if words, ok := strings.CutPrefix(command, "hsharness plan"); ok && harmless.MatchString(words) {
		return command
	}
	return Line("hsharness", "plan", "--units", fmt.Sprint(units), "--out", file)
}

// harmless are words that a shell takes as they are.
var harmless = pattern.New(`^(?: (?:[\w@%+=:,./~-]|'[^'\pC]*'|\\'|"[^"$` + "`" + `\\\pC]*")+)*$`)

// Follow buys what a plan says, of so many units, or shows how to keep it.
func Follow(file, mode string, units int) Advice {
	if file == "" {
		return "keep it with --out plan.json, and follow it: hsharness run --plan plan.json"
	}
	return Advice(Line("hsharness", "run", "--plan", file, "--mode", mode, "--max-spend", fmt.Sprint(max(1, units))))
}

// RaiseCap is what a file needs that costs so many units.
func RaiseCap(file string, least int) Advice {
	return Advice(fmt.Sprintf("raise quota.max in %s to %d, or take cases out of it", file, least))
}

// RunWith runs what was planned for a mode and its worst price in units.
func RunWith(mode string, units int) Advice {
	return Advice(fmt.Sprintf("run it with --mode %s --max-spend %d", mode, units))
}

// TypeMode is how to spend in a mode that a variable alone can't choose.
func TypeMode(mode string) Advice {
	return Advice("a mode that spends has to be typed: --mode " + mode + " --max-spend N")
}

// LookAt shows the ledger at an address.
func LookAt(ledger string) Advice {
	return Advice("look at it: hsharness quota status --ledger " + plain.Word(ledger))
}

// LeaveOut is what helps where a further ledger can't be reported on: its own cause, or the
// same command without it, which does what can be done now.
func LeaveOut(err error, without string) Advice {
	helps := "name another ledger by this --also"
	switch {
	case errors.Is(err, quota.ErrNewerSchema):
		helps = "install the version of hsharness that wrote it, or a later one"
	case errors.Is(err, quota.ErrUnreachable):
		helps = "see that its server is there, and that this machine may reach it"
	case errors.Is(err, quota.ErrDamaged):
		helps = "restore a backup of it"
	}
	return Advice(helps + ", or leave it out: " + without)
}

// UndoCopy gives up a copy of a ledger, which opens the one that was copied again.
func UndoCopy(from string) Advice {
	return Advice("hsharness quota copy --undo --ledger " + plain.Word(from))
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
