package process

import (
	"os"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/secret"
)

// SecretVariable holds the secret in every example. It reaches no command, with
// a project or without.
const SecretVariable = "HSHARNESS_SANDBOX_CLIENT_SECRET"

// CommentVariable holds the token that comments on change requests. It reaches no
// command either.
const CommentVariable = "HSHARNESS_COMMENT_TOKEN"

// The names of the secrets in marks and findings.
const (
	ClientSecretName   = "client_secret"
	LedgerPasswordName = "ledger_password"
)

// Environ tells which variables of this program's environment have secrets.
type Environ struct {
	// Project says where its secrets are from.
	Project *project.Project
	// Ledger is what --ledger says, empty where it says nothing.
	Ledger string
	// Getenv reads a variable; empty is one that is not set.
	Getenv func(name string) string
}

// secrets are the variables that hold nothing but a secret, and the
// secrets that any other one may hold. The values are as the environment has
// them: nobody but the search may keep one.
func (e Environ) secrets() (names []string, values []secret.Secret) {
	key := e.Project.ClientSecret()
	names = append(key.Variables(), SecretVariable, CommentVariable)
	add := func(name, value string) {
		values = append(values, secret.Searchable(secret.Secret{Name: name, Value: value})...)
	}
	value := key.Written
	switch named := key.Variables(); {
	case len(named) == 1 && key.Written == "${"+named[0]+"}":
		value = e.Getenv(named[0]) // of which no copy is made
	case len(named) > 0:
		value = key.Value(e.Getenv)
	}
	add(ClientSecretName, value)
	add(ClientSecretName, e.Getenv(SecretVariable))
	for i := range e.Project.Notify {
		names = append(names, e.Project.HookURL(i).Variables()...)
	}
	for _, name := range e.Project.LedgerAddress().Variables() { // one that is a word may not be searched for
		value, all := e.Getenv(name), LedgerPasswords(e.Project.Ledger)
		if slices.Contains(all, value) || slices.Contains(all, plainText(value)) {
			names = append(names, name)
		}
	}
	postgres := false
	for _, address := range []string{e.Ledger, e.Project.Ledger, e.Getenv(ledgerVariable)} {
		for _, password := range LedgerPasswords(address) {
			add(LedgerPasswordName, password)
		}
		postgres = postgres || strings.HasPrefix(address, "postgres") && len(LedgerPasswords(address)) == 0
	}
	if postgres { // the driver takes it from there
		names = append(names, "PGPASSWORD")
		add(LedgerPasswordName, e.Getenv("PGPASSWORD"))
	}
	return names, values
}

// ledgerVariable is the twin of --ledger.
const ledgerVariable = "HSHARNESS_LEDGER"

// Sort is the environment without its secrets, and the names of the
// variables that it was changed in. Its clients ask no proxy for loopback.
func (e Environ) Sort() (environ, changed []string) {
	names, values := e.secrets()
	find, _ := secret.NewFinder(values...) // which all can be searched for
	defer find.Wipe()
	environ = []string{}
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		switch {
		case (name == ledgerVariable || slices.Contains(e.Project.LedgerAddress().Variables(), name)) && len(LedgerPasswords(value)) > 0: // which copies
			// Without an address a command would go to another ledger.
			environ, changed = append(environ, name+"="+withoutPasswords(value)), append(changed, name)
		case slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) || holds(find, value):
			changed = append(changed, name)
		default:
			environ = append(environ, v)
		}
	}
	return direct(environ), changed
}

// holds tells whether a value holds a secret, and leaves no copy of it.
func holds(find *secret.Finder, value string) bool {
	text := []byte(value)
	defer clear(text)
	return find.Has(text)
}
