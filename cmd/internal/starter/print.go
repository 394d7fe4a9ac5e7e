package starter

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/hint"
)

// Print says what was written and, unless quiet, what comes next. Fetching says that
// the commands that bring hsharness into the project are about to be run.
func (d Done) Print(w io.Writer, quiet, fetching bool) error {
	var b strings.Builder
	for _, name := range d.Written {
		fmt.Fprintf(&b, "wrote  %s\n", name)
	}
	for _, line := range d.Added {
		fmt.Fprintf(&b, "added  %s\n", line)
	}
	for _, name := range d.Kept {
		fmt.Fprintf(&b, "kept   %s, which was there already\n", name)
	}
	if !quiet {
		b.WriteString("\nnext:\n")
		if d.Folder != "" {
			fmt.Fprintf(&b, "  %s\n", hint.Line("cd", d.Folder))
		}
		if d.Unknown {
			b.WriteString("  # the test needs hsharness, and this binary does not know where it was built: " + string(hint.InstallClone) + "\n")
		}
		if !fetching && len(d.Fetch) > 0 {
			fmt.Fprintf(&b, "  %s\n", d.FetchLine())
		}
		for _, words := range d.Next {
			fmt.Fprintf(&b, "  %s\n", hint.Line(words...))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// FetchLine is one command line for all that brings hsharness into the project.
func (d Done) FetchLine() string {
	lines := make([]string, len(d.Fetch))
	for i, words := range d.Fetch {
		lines[i] = hint.Line(words...)
	}
	return strings.Join(lines, " && ")
}

// NotBrought is the error of a command that was to bring hsharness into the project.
// Where it is pip's and no virtual environment is active, most systems want one.
func NotBrought(words []string, code int, getenv func(string) string) error {
	next := ""
	if slices.Contains(words, "pip") && getenv("VIRTUAL_ENV") == "" {
		next = "\n  " + hint.Virtual
	}
	return fmt.Errorf("%s: exit code %d; what was written stays%s", hint.Line(words...), code, next)
}
