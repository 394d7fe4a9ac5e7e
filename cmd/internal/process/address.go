package process

import (
	"net/url"
	"slices"
	"strings"
)

// passwordParameters are those of a PostgreSQL address that hold a password.
var passwordParameters = []string{"password", "sslpassword"}

// LedgerPasswords are the passwords in a ledger's address, also in one that leads to no
// ledger because it was mistyped: with a percent sign that is not encoded, a slash too many,
// or in the form of libpq, which has spaces between its parts.
func LedgerPasswords(address string) []string {
	if strings.HasPrefix(address, "sqlite:") {
		return nil
	}
	var all []string
	u, query := readAddress(address)
	_, rest, isURL := strings.Cut(address, "://")
	switch {
	case u != nil:
		password, _ := u.User.Password()
		all, query = append(all, password), u.RawQuery
	case isURL:
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			_, password, _ := strings.Cut(rest[:at], ":")
			all = append(all, password)
		}
	}
	for pair := range strings.SplitSeq(query, "&") { // [url.Values] leave out what has a semicolon
		name, password, _ := strings.Cut(pair, "=")
		if slices.Contains(passwordParameters, plainText(name)) {
			all = append(all, plainText(password))
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// readAddress reads an address of PostgreSQL. It is nil for one that was mistyped, of which
// query is what may be parameters, with & between them.
func readAddress(address string) (u *url.URL, query string) {
	_, rest, isURL := strings.Cut(address, "://")
	if !isURL {
		return nil, strings.Join(strings.Fields(address), "&")
	}
	u, err := url.Parse(address)
	if err == nil {
		_, err = url.ParseQuery(u.RawQuery)
	}
	if err != nil || u.Fragment != "" || strings.Contains(u.Path, "@") {
		return nil, rest[strings.IndexAny(rest, "?#")+1:]
	}
	return u, u.RawQuery
}

// plainText is a part of a query without its codes, or as it is where they are wrong.
func plainText(part string) string {
	if plain, err := url.QueryUnescape(part); err == nil {
		return plain
	}
	return part
}

// withoutPasswords is a ledger's address without its passwords. Of one that was mistyped too
// much goes rather than too little: it leads nowhere, as before.
func withoutPasswords(address string) string {
	u, _ := readAddress(address)
	if u == nil {
		if from, to := secretArgument(address, false); from < to {
			return address[:from] + address[to:]
		}
		kept, _, _ := strings.Cut(address, "password")
		return kept
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	for _, name := range passwordParameters {
		query.Del(name)
	}
	u.RawQuery = query.Encode()
	return u.String()
}
