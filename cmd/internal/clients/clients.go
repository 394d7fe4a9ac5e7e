// Package clients reads the file of those who may ask the mock identity services for
// tokens. It may touch the file, and the types of package mockidp.
package clients

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/strict"
	"github.com/hsharness/hsharness/mockidp"
)

// resourceSettings is an API that tokens are for.
type resourceSettings struct {
	Name    string           `yaml:"name"`
	Scopes  []string         `yaml:"scopes"`
	Secrets []secretSettings `yaml:"secrets"`
}

// clientSettings is one who may ask the mock identity services for tokens. Both
// tenants get the same.
type clientSettings struct {
	ID            string           `yaml:"id"`
	Secrets       []secretSettings `yaml:"secrets"`
	Scopes        []string         `yaml:"scopes"`
	Public        bool             `yaml:"public"`
	Grants        []string         `yaml:"grants"`
	Protocol      string           `yaml:"protocol"`
	Disabled      bool             `yaml:"disabled"`
	TokenLifetime time.Duration    `yaml:"token_lifetime"`
	// Claims keep their order: it is that of the token's members.
	Claims yaml.MapSlice `yaml:"claims"`
}

// secretSettings is a secret, or a secret with the time when it ends.
type secretSettings struct {
	Value   string    `yaml:"value"`
	Expires time.Time `yaml:"expires"`
}

// UnmarshalYAML reads both forms.
func (s *secretSettings) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&s.Value) == nil {
		return nil
	}
	type whole secretSettings
	return unmarshal((*whole)(s))
}

func secretsOf(settings []secretSettings) []mockidp.Secret {
	var out []mockidp.Secret
	for _, s := range settings {
		out = append(out, mockidp.Secret{Value: s.Value, Expires: s.Expires})
	}
	return out
}

// Read reads a file of clients. Errors have file, line, column and a
// caret, and never a secret.
func Read(name string) ([]mockidp.Client, []mockidp.Resource, error) {
	data, err := files.Read(name, files.Text)
	if err != nil {
		return nil, nil, err
	}
	return parseClients(name, data)
}

func parseClients(name string, data []byte) ([]mockidp.Client, []mockidp.Resource, error) {
	read, err := clientsTable().Read(name, data)
	if err != nil {
		return nil, nil, err
	}
	complain := func(path string, err error) {
		if err != nil {
			read.Complain(path, "%v", err)
		}
	}
	var clients []mockidp.Client
	seen := map[string]bool{}
	strict.Each(read, "clients", func(i int, c clientSettings) {
		client := mockidp.Client{
			ID: c.ID, Secrets: secretsOf(c.Secrets), Public: c.Public, Scopes: c.Scopes, Grants: c.Grants, Protocol: c.Protocol,
			Disabled: c.Disabled, TokenLifetime: c.TokenLifetime,
		}
		for _, claim := range c.Claims {
			client.Claims = append(client.Claims, mockidp.Claim{Name: fmt.Sprint(claim.Key), Value: claim.Value})
		}
		path := fmt.Sprintf("clients[%d]", i)
		complain(path, client.Validate())
		if seen[c.ID] {
			complain(path+".id", fmt.Errorf("client %q is given twice", c.ID))
		}
		seen[c.ID] = true
		clients = append(clients, client)
	})
	var resources []mockidp.Resource
	seen = map[string]bool{}
	strict.Each(read, "resources", func(i int, r resourceSettings) {
		resource := mockidp.Resource{Name: r.Name, Scopes: r.Scopes, Secrets: secretsOf(r.Secrets)}
		path := fmt.Sprintf("resources[%d]", i)
		complain(path, resource.Validate())
		if seen[r.Name] {
			complain(path+".name", fmt.Errorf("resource %q is given twice", r.Name))
		}
		seen[r.Name] = true
		resources = append(resources, resource)
	})
	if err := read.Err(); err != nil {
		return nil, nil, err
	}
	return clients, resources, nil
}

// clientsTable is what the file may say.
func clientsTable() strict.Table {
	const text, list = strict.Text, strict.List
	return strict.Table{Title: "hsharness serve --clients", Version: 1, Settings: []strict.Setting{
		{Path: "clients", Kind: list, Required: true, NotEmpty: true},
		{Path: "clients[].id", Kind: text, Required: true},
		{Path: "clients[].secrets", Kind: list},
		{Path: "clients[].secrets[]", Kind: strict.TextOrObject, Secret: true},
		{Path: "clients[].secrets[].value", Kind: text, Secret: true, Required: true},
		{Path: "clients[].secrets[].expires", Kind: text, Check: strict.IsTime, Want: "a time such as 2026-01-31T12:00:00Z"},
		{Path: "clients[].scopes", Kind: list},
		{Path: "clients[].scopes[]", Kind: text},
		{Path: "clients[].public", Kind: strict.Boolean},
		{Path: "clients[].grants", Kind: list},
		{Path: "clients[].grants[]", Kind: text},
		{Path: "clients[].protocol", Kind: text},
		{Path: "clients[].disabled", Kind: strict.Boolean},
		{Path: "clients[].token_lifetime", Kind: text, Check: isDuration, Want: "a time such as 5m"},
		{Path: "clients[].claims", Kind: strict.Anything},
		{Path: "resources", Kind: list},
		{Path: "resources[].name", Kind: text, Required: true},
		{Path: "resources[].scopes", Kind: list},
		{Path: "resources[].scopes[]", Kind: text},
		{Path: "resources[].secrets", Kind: list},
		{Path: "resources[].secrets[]", Kind: strict.TextOrObject, Secret: true},
		{Path: "resources[].secrets[].value", Kind: text, Secret: true, Required: true},
		{Path: "resources[].secrets[].expires", Kind: text, Check: strict.IsTime, Want: "a time such as 2026-01-31T12:00:00Z"},
	}}
}

// isDuration is for texts that have to be a duration.
func isDuration(text string) error {
	_, err := time.ParseDuration(text)
	return err
}

// Parse reads ID:SECRET or ID:SECRET:SCOPE,SCOPE. A secret may contain
// colons: what follows the last one is a list of scopes only if all of it is.
func Parse(text string) (mockidp.Client, error) {
	id, secret, ok := strings.Cut(text, ":")
	if !ok || id == "" || secret == "" {
		// The text is not repeated: it may well be a secret.
		return mockidp.Client{}, errors.New("--client is not ID:SECRET or ID:SECRET:SCOPE,…")
	}
	scopes := avalara.Scopes()
	if i := strings.LastIndexByte(secret, ':'); i > 0 {
		list := strings.Split(secret[i+1:], ",")
		if !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(avalara.Scopes(), s) }) {
			scopes, secret = list, secret[:i]
		}
	}
	return mockidp.Client{ID: id, Secrets: []mockidp.Secret{{Value: secret}}, Scopes: scopes}, nil
}
