package main

import (
	"strings"
	"testing"
)

// execute runs a command line in this process, in an environment that has
// nothing but env and a home of its own.
func execute(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	home := t.TempDir()
	p := program{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, lookupEnv: func(name string) (string, bool) {
		if name == "XDG_STATE_HOME" {
			return home, true
		}
		value, ok := env[name]
		return value, ok
	}}
	code = p.run(t.Context(), args)
	return code, out.String(), errs.String()
}
