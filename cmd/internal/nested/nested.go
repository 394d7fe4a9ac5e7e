// Package nested reads the flags of a command that runs inside the guard of an exec: as
// rules of a client of that guard, which only tighten. It may touch the flags alone.
package nested

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/services"
)

// Typed tells whether a flag was typed, and is not from a variable that the exec around
// may have handed down.
func Typed(flags *pflag.FlagSet, fromEnvironment map[string]bool, name string) bool {
	flag := flags.Lookup(name)
	return flag != nil && flag.Changed && !fromEnvironment[name]
}

// Rules are what the flags say of a client. Which ledger there is, only the guard around
// can decide.
func Rules(flags *pflag.FlagSet, fromEnvironment map[string]bool) (services.Rules, error) {
	var r services.Rules
	text := func(name string) string { return flags.Lookup(name).Value.String() }
	if Typed(flags, fromEnvironment, "ledger") {
		return r, errors.New("--ledger can't be chosen here: the run that is around this one decides")
	}
	if Typed(flags, fromEnvironment, "max-wait") {
		return r, errors.New("--max-wait can't be chosen here: the run that is around this one decides")
	}
	if Typed(flags, fromEnvironment, "mode") {
		mode, err := guard.ParseMode(text("mode"))
		if err != nil {
			return r, fmt.Errorf("--mode: %w", err)
		}
		r.Mode = &mode
	}
	if Typed(flags, fromEnvironment, "max-spend") {
		n, err := strconv.ParseInt(text("max-spend"), 10, 64)
		if err != nil {
			return r, fmt.Errorf("--max-spend: %w", err)
		}
		most := int(min(n, math.MaxInt))
		r.Max = &most
	}
	if Typed(flags, fromEnvironment, "on-miss") {
		r.OnMiss = text("on-miss")
	}
	return r, nil
}
