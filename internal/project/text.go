package project

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/secret"
)

// Text is a setting as it is written. It may name variables of the environment,
// as ${NAME} or ${NAME:-default}.
type Text struct {
	// Path is where it stands, such as environments.sandbox.client_id.
	Path string
	// Written is empty for a setting that is not there.
	Written string
}

var variable = pattern.New(`\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}`)

// variablesWanted is how a text names variables.
const variablesWanted = "a text whose variables are ${NAME} or ${NAME:-default}"

// checkVariables refuses what looks like a variable and is none: taken as it
// stands, it would be another address or another account. A default that is empty
// is as a setting that is.
func checkVariables(text string) error {
	rest := variable.Regexp().ReplaceAllStringFunc(text, func(v string) string {
		if m := variable.FindStringSubmatch(v); m[2] == "" && strings.Contains(v, ":-") {
			return v
		}
		return strings.TrimPrefix(v, "${") // a default may have another one in it
	})
	if strings.Contains(rest, "${") {
		return errors.New("want " + variablesWanted)
	}
	return nil
}

// Value is the text with its variables replaced; one that is not set is empty.
func (t Text) Value(getenv func(string) string) string {
	value, _ := expand(t.Written, getenv)
	return value
}

// Variables are the names of those in it.
func (t Text) Variables() []string {
	var names []string
	for _, m := range variable.Regexp().FindAllStringSubmatch(t.Written, -1) {
		names = append(names, m[1])
	}
	return names
}

// Unset says which of its variables are not set, nil without any. Without them
// the setting would be taken for one that is not there, and its default for what
// was meant.
func (t Text) Unset(getenv func(string) string) error {
	switch _, unset := expand(t.Written, getenv); len(unset) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s is not set, and %s is made of it", unset[0], t.Path)
	default:
		return fmt.Errorf("%s are not set, and %s is made of them", strings.Join(unset, " and "), t.Path)
	}
}

// CheckCredential says what is wrong with a text that must not be empty and that
// nobody can see, by the name of the variable where that is the reason. It never
// shows the value.
func (t Text) CheckCredential(getenv func(string) string) error {
	if err := t.Unset(getenv); err != nil {
		return err
	}
	value := t.Value(getenv)
	flaw := secret.Flaw(value)
	switch names := t.Variables(); {
	case t.Written == "":
		return fmt.Errorf("%s is missing", t.Path)
	case value == "":
		return fmt.Errorf("%s is empty", t.Path)
	case flaw == "":
		return nil
	case len(names) > 0:
		return fmt.Errorf("%s (%s) %s", t.Path, strings.Join(names, ", "), flaw)
	}
	return fmt.Errorf("%s %s", t.Path, flaw)
}

// expand replaces variables. unset are those that are neither set nor have a
// default.
func expand(text string, getenv func(string) string) (value string, unset []string) {
	value = variable.Regexp().ReplaceAllStringFunc(text, func(v string) string {
		m := variable.FindStringSubmatch(v)
		if value := getenv(m[1]); value != "" {
			return value
		}
		if !strings.Contains(v, ":-") {
			unset = append(unset, m[1])
		}
		return m[2]
	})
	return value, unset
}

// texts are the settings of a project that may name variables.
type texts struct {
	clientID, clientSecret, ledger Text
	// urls says which variables of URLs are not set.
	urls error
	// proxy is what the guard's connections go through.
	proxy guard.Proxy
}

// expand replaces the variables in all settings but the secret, which only those
// who need it read.
func (p *Project) expand(getenv func(string) string) {
	s := &p.Environments.Sandbox
	const at = "environments.sandbox."
	p.texts = texts{
		clientID: Text{at + "client_id", s.ClientID}, clientSecret: Text{at + "client_secret", string(s.ClientSecret)}, ledger: Text{"ledger", p.Ledger},
	}
	s.ClientID, p.Ledger = p.texts.clientID.Value(getenv), p.texts.ledger.Value(getenv)
	for _, u := range []struct {
		name string
		text *string
	}{{"identity_url", &s.IdentityURL}, {"api_url", &s.APIURL}, {"legacy_api_url", &s.LegacyAPIURL}, {"managed_api_url", &s.ManagedAPIURL}} {
		t := Text{at + u.name, *u.text}
		p.texts.urls = errors.Join(p.texts.urls, t.Unset(getenv))
		*u.text = t.Value(getenv)
	}
	proxy := Text{at + "proxy", string(s.Proxy)}
	p.texts.proxy = guard.ReadProxy(proxy.Value(getenv), getenv)
	if err := proxy.Unset(getenv); err != nil {
		p.texts.proxy = guard.Unknown(err) // a direct connection is not what was meant
	}
}

// ClientID is the real client id as it is written.
func (p *Project) ClientID() Text { return p.texts.clientID }

// ClientSecret is the account's secret as it is written. Reading never expands
// it: who does not need the secret is not to have it. It has its path without a file, too:
// what is missing is named by it.
func (p *Project) ClientSecret() Text {
	return Text{"environments.sandbox.client_secret", p.texts.clientSecret.Written}
}

// LedgerAddress is the ledger's address as it is written.
func (p *Project) LedgerAddress() Text { return p.texts.ledger }

// UnsetURLs says which variables of the sandbox's URLs are not set, nil without
// any. Then it is not known where the sandbox is.
func (p *Project) UnsetURLs() error { return p.texts.urls }
