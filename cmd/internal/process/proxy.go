package process

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// local are the names of loopback as a proxy's exceptions.
var local = []string{"127.0.0.1", "localhost", "::1"}

// direct is an environment in which no client asks a proxy for what is on loopback,
// where the mocks and the guard are: many do, unless NO_PROXY says otherwise. Some
// read it in capitals, some in small letters, and a command may set a proxy of its
// own, so both are always there; each keeps what it said.
func direct(environ []string) []string {
	given := func(name string) (value string) {
		for _, v := range environ {
			if text, ok := strings.CutPrefix(v, name+"="); ok {
				value = text
			}
		}
		return value
	}
	large, small := given("NO_PROXY"), given("no_proxy")
	kept := slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.EqualFold(name, "NO_PROXY")
	})
	return append(kept, "NO_PROXY="+excepting(cmp.Or(large, small)), "no_proxy="+excepting(cmp.Or(small, large)))
}

// excepting adds loopback to a proxy's exceptions. An asterisk is all hosts where it
// stands alone, and nothing among others.
func excepting(given string) string {
	except := strings.FieldsFunc(given, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
	if slices.Equal(except, []string{"*"}) {
		return "*"
	}
	for _, name := range local {
		if !slices.Contains(except, name) {
			except = append(except, name)
		}
	}
	return strings.Join(except, ",")
}
