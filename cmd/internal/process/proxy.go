package process

import (
	"slices"
	"strings"
)

// local are the names of loopback as a proxy's exceptions.
var local = []string{"127.0.0.1", "localhost", "::1"}

// direct is an environment in which no client asks a proxy for what is on loopback,
// where the mocks and the guard are: many do, unless NO_PROXY says otherwise. Without a
// proxy it is the environment itself.
func direct(environ []string) []string {
	given := func(names ...string) (value string) {
		for _, v := range environ {
			name, text, _ := strings.Cut(v, "=")
			if text != "" && slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
				value = text
			}
		}
		return value
	}
	if given("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") == "" {
		return environ
	}
	except := strings.FieldsFunc(given("NO_PROXY"), func(c rune) bool { return c == ',' || c == ' ' })
	if slices.Contains(except, "*") {
		return environ
	}
	for _, name := range local {
		if !slices.Contains(except, name) {
			except = append(except, name)
		}
	}
	all := strings.Join(except, ",")
	kept := slices.DeleteFunc(environ, func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.EqualFold(name, "NO_PROXY")
	})
	return append(kept, "NO_PROXY="+all, "no_proxy="+all)
}
