package hint

import "errors"

// Priced is an error of a command that was to run behind the guard. Where a budget
// refuses it, the advice is what says its price: the same command, offline. Flags are
// those without which it would be another run. Nil stays nil.
func Priced(err error, flags []string, command ...string) error {
	if err == nil {
		return nil
	}
	words := append([]string{"hsharness", "exec", "--mode", "offline"}, flags...)
	return &priced{err, Line(append(append(words, "--"), command...)...)}
}

// Least is a refusal of a run that buys so many units at least: the advice is no amount
// below that.
func Least(err error, units int64) error { return &costly{err, units} }

type costly struct {
	error
	units int64
}

func (e *costly) Unwrap() error { return e.error }

// least is what a run buys at least, in units, 0 where nobody said it.
func least(err error) int64 {
	var refused *costly
	if errors.As(err, &refused) {
		return refused.units
	}
	return 0
}

type priced struct {
	error
	advice string
}

func (e *priced) Unwrap() error { return e.error }

// price is the command that says what a run costs which a budget refused, empty where
// nobody said which run.
func price(err error) string {
	var refused *priced
	if errors.As(err, &refused) {
		return refused.advice
	}
	return ""
}

// Virtual is how to make what pip installs into, where it fails without.
const Virtual = "next, where pip wants a virtual environment: python3 -m venv .venv && . .venv/bin/activate && hsharness init --yes"
