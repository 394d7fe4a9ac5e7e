// Command hsharness tests code that uses an HS classification service without
// using up the service's sandbox. Run it without arguments for a list of its
// commands.
package main

import (
	"context"
	"os"
)

func main() {
	memory, err := hideProcess() // before anything else, in every command: the environment has the secret
	args := hideArguments()
	p := program{
		stdin:     os.Stdin,
		stdout:    os.Stdout,
		stderr:    os.Stderr,
		lookupEnv: os.LookupEnv,
		forget:    memory.forgetEnvironment,
		unhidden:  err,
	}
	os.Exit(p.run(context.Background(), args[1:]))
}
