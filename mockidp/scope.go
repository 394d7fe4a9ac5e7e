package mockidp

import (
	"slices"
	"strings"
)

// The scopes that ask for a user, and for a refresh token.
const (
	scopeOpenID  = "openid"
	scopeOffline = "offline_access"
)

// identityScopes are about users. offline_access asks for a refresh token.
// None of them is ever part of a token without a user.
var identityScopes = []string{scopeOpenID, "profile", "email", "phone", "address", scopeOffline}

// onlyAPI returns scopes without those that are not for an API.
func onlyAPI(scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return slices.Contains(identityScopes, s) })
}

// unique returns list without repetitions, in the order of first mention.
func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// parseScopes splits at spaces only, drops repetitions and sorts. The mirrored
// server sorts by its host's culture, which differs from byte order only where
// punctuation or upper case meets letters.
func parseScopes(s string) []string {
	var list []string
	for part := range strings.SplitSeq(strings.TrimSpace(s), " ") {
		if part != "" {
			list = append(list, part)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// grantScopes returns what a client gets that asks for requested, or false for
// invalid_scope. Asking for nothing asks for all it may have; one scope that
// it may not have refuses all.
func (c *client) grantScopes(requested string) ([]string, bool) {
	if isMissing(requested) {
		requested = strings.Join(c.scopes, " ")
	}
	if chars(requested) > maxScope {
		return nil, false
	}
	scopes := parseScopes(requested)
	for _, s := range scopes {
		if !slices.Contains(c.scopes, s) {
			return nil, false
		}
	}
	return scopes, len(scopes) > 0
}

// audience is the names of the resources that have any of scopes, in the order
// of the scopes.
func audience(resources []Resource, scopes []string) []string {
	var names []string
	for _, s := range scopes {
		for _, r := range resources {
			if slices.Contains(r.Scopes, s) {
				names = append(names, r.Name)
			}
		}
	}
	return unique(names)
}
