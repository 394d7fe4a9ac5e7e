// Command hsharness tests code that uses an HS classification service without
// using up the service's sandbox. Run it without arguments for a list of its
// commands.
//
// It may touch every package of this module, and nothing imports it.
package main

import (
	"context"
	"os"

	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/seal"
)

func main() {
	if seal.IsShim() {
		os.Exit(seal.Shim())
	}
	memory, err := process.Hide() // before anything else, in every command: the environment has the secret
	args := process.HideArguments()
	p := program{
		stdin:     os.Stdin,
		stdout:    os.Stdout,
		stderr:    os.Stderr,
		lookupEnv: os.LookupEnv,
		forget:    memory.ForgetEnvironment,
		unhidden:  err,
	}
	os.Exit(p.run(context.Background(), args[1:]))
}
