package main

import (
	"slices"

	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/names"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/secret"
)

// credential reads the account's credential. Only what buys, and what looks for
// the secret, calls it: nothing else ever has the secret. From then on nothing
// that this program prints or writes shows it. The error is about the first
// thing that is missing or can't be right.
func (p *program) credential(pr *project.Project) (guard.Credential, error) {
	value := pr.ClientSecret().Value(p.getenv)
	p.watch(secret.Secret{Name: process.ClientSecretName, Value: value})
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

// commandEnviron is what a command gets of this program's own environment: all
// but the secrets, in whatever way a variable has them.
func (p *program) commandEnviron(pr *project.Project) []string {
	if p.environ == nil {
		p.environ, p.withSecrets = p.secretsOf(pr).Sort()
	}
	return slices.Clone(p.environ)
}

// secretsOf knows what this program's commands must not get.
func (p *program) secretsOf(pr *project.Project) process.Environ {
	return process.Environ{Project: pr, Ledger: p.ledgerURL, Getenv: p.getenv}
}

// own are the variables by the names that commands read themselves.
func (p *program) own(pr *project.Project, f meterFlags) (names.List, error) {
	own, err := p.secretsOf(pr).Own(f.own)
	if err != nil {
		return nil, usageError(err)
	}
	return own, nil
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
