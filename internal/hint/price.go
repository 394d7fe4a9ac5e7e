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
