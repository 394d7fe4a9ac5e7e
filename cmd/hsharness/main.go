// Command hsharness tests code that uses an HS classification service without
// using up the service's sandbox. Run it without arguments for a list of its
// commands.
package main

import (
	"context"
	"os"
)

func main() {
	p := program{
		stdin:     os.Stdin,
		stdout:    os.Stdout,
		stderr:    os.Stderr,
		lookupEnv: os.LookupEnv,
	}
	os.Exit(p.run(context.Background(), os.Args[1:]))
}
