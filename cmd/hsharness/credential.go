package main

import (
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/secret"
)

// secretVariable holds the secret in every example. It reaches no command, with
// a project or without.
const secretVariable = "HSHARNESS_SANDBOX_CLIENT_SECRET"

// The names of the secrets in marks and findings.
const (
	clientSecretName   = "client_secret"
	ledgerPasswordName = "ledger_password"
)

// credential reads the account's credential. Only what buys, and what looks for
// the secret, calls it: nothing else ever has the secret. From then on nothing
// that this program prints or writes shows it. The error is about the first
// thing that is missing or can't be right.
func (p *program) credential(pr *project.Project) (guard.Credential, error) {
	value := pr.ClientSecret().Value(p.getenv)
	p.watch(secret.Secret{Name: clientSecretName, Value: value})
	c := guard.Credential{ClientID: pr.Environments.Sandbox.ClientID, ClientSecret: guard.Secret(value)}
	for _, t := range []project.Text{pr.ClientID(), pr.ClientSecret()} {
		if err := t.CheckCredential(p.getenv); err != nil {
			return c, usageError(err)
		}
	}
	return c, nil
}

// watch lets nothing that this program prints or writes from now on show a
// secret. One that can't be told from other text is left out.
func (p *program) watch(secrets ...secret.Secret) {
	if secrets = secret.Searchable(secrets...); len(secrets) == 0 {
		return
	}
	find, _ := secret.NewFinder(secrets...) // which all can be searched for
	p.hidden.Store(p.hidden.Load().With(find))
}

// ledgerPasswords are the passwords in a ledger's address.
func ledgerPasswords(address string) []string {
	if !strings.HasPrefix(address, "postgres") {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	var all []string
	if password, ok := u.User.Password(); ok {
		all = append(all, password)
	}
	for _, name := range passwordParameters {
		all = append(all, u.Query()[name]...)
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// passwordParameters are those of a PostgreSQL address that hold a password.
var passwordParameters = []string{"password", "sslpassword"}

// withoutPasswords is a ledger's address without its passwords. What can't be
// read as one is empty.
func withoutPasswords(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
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

// environSecrets are the variables that hold nothing but a secret, and the
// secrets that any other one may hold. The values are as the environment has
// them: nobody but the search may keep one.
func (p *program) environSecrets(pr *project.Project) (names []string, values []secret.Secret) {
	key := pr.ClientSecret()
	names = append(key.Variables(), secretVariable)
	add := func(name, value string) {
		values = append(values, secret.Searchable(secret.Secret{Name: name, Value: value})...)
	}
	value := key.Written
	switch named := key.Variables(); {
	case len(named) == 1 && key.Written == "${"+named[0]+"}":
		value = p.getenv(named[0]) // of which no copy is made
	case len(named) > 0:
		value = key.Value(p.getenv)
	}
	add(clientSecretName, value)
	add(clientSecretName, p.getenv(secretVariable))
	postgres := false
	for _, address := range []string{p.ledgerURL, pr.Ledger, p.getenv(ledgerVariable)} {
		for _, password := range ledgerPasswords(address) {
			add(ledgerPasswordName, password)
		}
		postgres = postgres || strings.HasPrefix(address, "postgres") && len(ledgerPasswords(address)) == 0
	}
	if postgres { // the driver takes it from there
		names = append(names, "PGPASSWORD")
		add(ledgerPasswordName, p.getenv("PGPASSWORD"))
	}
	return names, values
}

// ledgerVariable is the twin of --ledger.
const ledgerVariable = "HSHARNESS_LEDGER"

// commandEnviron is what a command gets of this program's own environment: all
// but the secrets, in whatever way a variable has them.
func (p *program) commandEnviron(pr *project.Project) []string {
	if p.environ == nil {
		p.environ, p.withSecrets = p.sortEnviron(pr)
	}
	return slices.Clone(p.environ)
}

// seal takes the secrets out of this program's own environment, where its
// commands, or whoever runs beside them, could read them. What is to be known of
// it must be known by then: the credential and the ledger's password.
func (p *program) seal(pr *project.Project) {
	p.commandEnviron(pr)
	if p.forget != nil {
		p.forget(p.withSecrets)
	}
}

// sortEnviron is the environment without its secrets, and the names of the
// variables that it was changed in.
func (p *program) sortEnviron(pr *project.Project) (environ, changed []string) {
	names, values := p.environSecrets(pr)
	find, _ := secret.NewFinder(values...) // which all can be searched for
	defer find.Wipe()
	environ = []string{}
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		switch {
		case len(ledgerPasswords(value)) > 0 && (name == ledgerVariable || slices.Contains(pr.LedgerAddress().Variables(), name)):
			// Without an address a command would go to another ledger.
			environ, changed = append(environ, name+"="+withoutPasswords(value)), append(changed, name)
		case slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) || holds(find, value):
			changed = append(changed, name)
		default:
			environ = append(environ, v)
		}
	}
	return environ, changed
}

// holds tells whether a value holds a secret, and leaves no copy of it.
func holds(find *secret.Finder, value string) bool {
	text := []byte(value)
	defer clear(text)
	return find.Has(text)
}

// lookup finds a variable as a command would.
func (p *program) lookup(pr *project.Project) func(string) (string, bool) {
	hidden := map[string]bool{}
	p.commandEnviron(pr)
	for _, name := range p.withSecrets {
		hidden[name] = true
	}
	return func(name string) (string, bool) {
		if hidden[name] {
			return "", false
		}
		return p.lookupEnv(name)
	}
}
