package sealed

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hsharness/hsharness/cmd/internal/nested"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/project"
)

// Flags are those by which a command runs in a seal.
type Flags struct {
	// How is [Yes] or [Strict]; empty is in none.
	How string
	// Forward are ports of this machine.
	Forward []int
}

// The values of --sealed.
const (
	Yes    = "yes"
	Strict = "strict"
)

// Add adds the flags.
func (f *Flags) Add(flags *pflag.FlagSet) {
	typed.Text(flags, &f.How, "sealed", func(s string) error {
		if s != Yes && s != Strict {
			return fmt.Errorf("want %s, or %s to fail a run that asked for another host", Yes, Strict)
		}
		return nil
	}, "run it where nothing is reachable but the guard, also by the real URLs (Linux; `yes or strict`)")
	flags.Lookup("sealed").NoOptDefVal = Yes
	typed.Values(flags, "sealed", Yes, Strict)
	flags.Var((*ports)(&f.Forward), "forward", "in a seal, let the command reach this loopback `port` of the machine (repeatable)")
}

// Words are the flags as they were typed.
func (f *Flags) Words() (words []string) {
	switch f.How {
	case "":
		return nil
	case Yes:
		words = []string{"--sealed"}
	default:
		words = []string{"--sealed=" + f.How}
	}
	for _, port := range f.Forward {
		words = append(words, "--forward="+strconv.Itoa(port))
	}
	return words
}

// ports is a flag for ports. It implements [pflag.Value].
type ports []int

// String implements pflag.Value.
func (p *ports) String() string {
	words := make([]string, len(*p))
	for i, port := range *p {
		words[i] = strconv.Itoa(port)
	}
	return strings.Join(words, ",")
}

// Type implements pflag.Value.
func (p *ports) Type() string { return "port" }

// Set implements pflag.Value.
func (p *ports) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		port, err := typed.ParseNumber(word, 1, 65535)
		if err != nil {
			return err
		}
		if !slices.Contains(*p, int(port)) {
			*p = append(*p, int(port))
		}
	}
	return nil
}

// CheckCommand refuses a command that is no program, but a value of --sealed that was
// typed without its equals sign.
func (f *Flags) CheckCommand(name string) error {
	if f.How != Yes || name != Strict {
		return nil
	}
	if _, err := exec.LookPath(name); err == nil {
		return nil
	}
	return fmt.Errorf("%s is taken for the command here; as a value of --sealed it has an equals sign before it, as in --sealed=%s", name, name)
}

// ErrOutermost says that a command can't be sealed by an exec inside another one.
var ErrOutermost = errors.New("--sealed goes with the exec that is around this one, which is not sealed: its guard answers out there")

// ErrForward says that ports can't be let in there either.
var ErrForward = errors.New("--forward goes with the exec that seals the command")

// Within checks flags that were typed for an exec inside another one, which is sealed or
// not.
func (f *Flags) Within(flags *pflag.FlagSet, fromEnvironment map[string]bool, getenv func(string) string) error {
	switch {
	case nested.Typed(flags, fromEnvironment, "forward"):
		return ErrForward
	case nested.Typed(flags, fromEnvironment, "sealed") && getenv(Variable) == "":
		return ErrOutermost
	}
	return nil
}

// Open makes the seal that the flags ask for, with the standard files of a command; nil
// for none.
func (f *Flags) Open(proj func() (*project.Project, error), getenv func(string) string, run process.Command) (*Place, error) {
	if f.How == "" {
		if len(f.Forward) > 0 {
			return nil, errors.New("--forward lets a sealed command out, and this one is not sealed: it needs --sealed")
		}
		return nil, nil
	}
	pr, err := proj()
	if err != nil {
		return nil, err
	}
	return Open(Config{Flags: *f, Project: pr, Getenv: getenv, Stdin: run.Stdin, Stdout: run.Stdout, Stderr: run.Stderr})
}
