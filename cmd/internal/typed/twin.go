package typed

import "github.com/spf13/pflag"

// untwinned is the annotation of a flag that no variable sets.
const untwinned = "hsharness-untwinned"

// Untwin has flags typed, never set by a HSHARNESS_ variable of their name: there
// HSHARNESS_BRANCH says whose runs are begun, and not which are listed.
func Untwin(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		f := flags.Lookup(name)
		if f.Annotations == nil {
			f.Annotations = map[string][]string{}
		}
		f.Annotations[untwinned] = nil
	}
}

// Untwinned tells whether a flag has to be typed.
func Untwinned(f *pflag.Flag) bool {
	_, is := f.Annotations[untwinned]
	return is
}
