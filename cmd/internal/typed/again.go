package typed

import (
	"slices"

	"github.com/spf13/pflag"
)

// Again are the flags that were typed, as they are typed again: without those whose
// value is from the environment, which is there the next time too, and without some.
func Again(flags *pflag.FlagSet, fromEnvironment map[string]bool, without ...string) (words []string) {
	flags.Visit(func(f *pflag.Flag) {
		if fromEnvironment[f.Name] || slices.Contains(without, f.Name) {
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
