package hint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/plain"
)

// Buy is the command line that buys what a command missed, for so many units at most.
// Flags are further ones of exec.
func Buy(units int, flags []string, command ...string) string {
	words := []string{"hsharness", "exec", "--mode", "record", "--max-spend", fmt.Sprint(max(1, units))}
	return Line(append(append(append(words, flags...), "--"), command...)...)
}

// Line is a command line as a shell takes it.
func Line(words ...string) string {
	words = slices.Clone(words)
	for i, word := range words {
		words[i] = plain.Word(word)
	}
	return strings.Join(words, " ")
}

// Flags are those of pairs that have a value, without which another command would be
// another run.
func Flags(pairs ...string) (flags []string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if value := pairs[i+1]; value != "" {
			flags = append(flags, pairs[i], value)
		}
	}
	return flags
}

// GoTest is the command that runs one Go test of a package, from wherever its module
// is worked on.
func GoTest(test, pkg string) []string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return []string{"go", "test", "-run", strings.Join(parts, "/"), pkg}
}
