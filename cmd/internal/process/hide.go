// Package process keeps what this process knows from others: from those who can
// read its memory, environment and arguments, from the commands that it starts, and
// from whoever reads what it prints. It may touch the system and internal/secret, and
// the project file for where secrets are.
package process

import (
	"os"
	"strings"
	"unsafe"
)

// HideArguments overwrites the secrets in this program's arguments, which every
// process can read: the password of an address, and the secret of --client. It
// returns the arguments as they were. The program's own strings of them are the
// memory that the system shows.
func HideArguments() []string {
	args := make([]string, len(os.Args))
	for i, arg := range os.Args {
		args[i] = strings.Clone(arg)
	}
	after := false // an argument that is the value of --client
	for i, arg := range os.Args {
		if i == 0 {
			continue
		}
		if arg == "--" {
			break // a command's own, which that shows anyway
		}
		from, to := secretArgument(arg, after)
		overwrite(arg[from:to])
		after = args[i] == "--client"
	}
	return args
}

// secretArgument is where an argument holds a secret; nowhere is 0, 0.
func secretArgument(arg string, client bool) (from, to int) {
	value, start := arg, 0
	if text, ok := strings.CutPrefix(arg, "--client="); ok {
		value, start, client = text, len("--client="), true
	}
	if client {
		if i := strings.IndexByte(value, ':'); i >= 0 {
			return start + i + 1, len(arg)
		}
		return 0, 0
	}
	_, rest, ok := strings.Cut(arg, "://")
	if !ok {
		return 0, 0
	}
	// Too much is better than too little: an address may have a password before its host and
	// one in its query, and a slash too many.
	start = len(arg) - len(rest)
	from, to = strings.IndexAny(rest, "?#")+1, len(rest)
	at := strings.LastIndexByte(rest, '@')
	if from == 0 {
		from, to = to, max(at, 0)
	}
	if colon := strings.IndexByte(rest, ':'); colon >= 0 && colon < at {
		from = min(from, colon+1)
	}
	if from >= to {
		return 0, 0
	}
	return start + from, start + to
}

// overwrite clears the memory of a text that the system or the runtime gave, and
// that nobody may be using.
func overwrite(text string) {
	if text == "" {
		return
	}
	memory := unsafe.Slice(unsafe.StringData(text), len(text))
	for i := range memory {
		memory[i] = '*'
	}
}

// ForgetEnvironment takes variables out of this program's environment, and
// overwrites what they were, in the program and in what the system shows of it.
func (m *Memory) ForgetEnvironment(names []string) {
	for _, name := range names {
		value, set := os.LookupEnv(name)
		if !set {
			continue
		}
		_ = os.Unsetenv(name) // it fails for no name that is set
		m.overwriteVariable(name)
		if !strings.HasPrefix(name, "PG") { // the driver of PostgreSQL keeps what it read there
			overwrite(value)
		}
	}
}
