package typed

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Again are the flags that were typed, as they are typed again: without those whose
// value is from the environment, which is there the next time too, and without some.
func Again(flags *pflag.FlagSet, fromEnvironment map[string]bool, without ...string) []string {
	return again(flags, func(name string) bool { return !fromEnvironment[name] && !slices.Contains(without, name) })
}

// Command is the command itself with them.
func Command(path string, flags *pflag.FlagSet, fromEnvironment map[string]bool, without ...string) []string {
	return append(strings.Fields(path), Again(flags, fromEnvironment, without...)...)
}

// spending are the flags that say who pays for what a run buys, what it buys, and when it
// sends nothing: without them the same command would spend otherwise. Mode, amount and
// ledger are said in ways of their own.
var spending = []string{"allowance", "suite", "max-wait", "on-miss", "partial"}

// Spending are those of [Again] that change what is spent.
func Spending(flags *pflag.FlagSet, fromEnvironment map[string]bool) []string {
	return again(flags, func(name string) bool { return !fromEnvironment[name] && slices.Contains(spending, name) })
}

func again(flags *pflag.FlagSet, chosen func(name string) bool) (words []string) {
	flags.Visit(func(f *pflag.Flag) {
		if !chosen(f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			words = append(words, "--"+f.Name+"="+value)
		}
	})
	return words
}
