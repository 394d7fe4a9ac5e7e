package typed

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// values is the annotation of a flag that takes one of a few values.
const values = "hsharness-values"

// Values says which values a flag takes, for shells that complete it.
func Values[T ~string](flags *pflag.FlagSet, name string, of ...T) {
	f := flags.Lookup(name)
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	for _, value := range of {
		f.Annotations[values] = append(f.Annotations[values], string(value))
	}
}

// Listed are values for a person.
func Listed[T ~string](of []T) string {
	var names []string
	for _, value := range of {
		names = append(names, string(value))
	}
	return strings.Join(names, ", ")
}

// Complete has a shell complete the flags that take a few values, where it would offer files.
func Complete(cmd *cobra.Command) {
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(f *pflag.Flag) {
			if of := f.Annotations[values]; of != nil {
				// It fails only for a flag that is not there, or has values already.
				_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(of, cobra.ShellCompDirectiveNoFileComp))
			}
		})
	}
	for _, sub := range cmd.Commands() {
		Complete(sub)
	}
}
