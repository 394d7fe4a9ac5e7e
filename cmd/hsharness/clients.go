package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/hsharness/hsharness/mockidp"
)

// clientsFile is what serve --clients reads: who may ask the mock identity
// services for tokens, and which APIs those are for. Both tenants get the same.
type clientsFile struct {
	Version   int              `yaml:"version"`
	Clients   []clientSettings `yaml:"clients"`
	Resources []struct {
		Name    string           `yaml:"name"`
		Scopes  []string         `yaml:"scopes"`
		Secrets []secretSettings `yaml:"secrets"`
	} `yaml:"resources"`
}

type clientSettings struct {
	ID            string           `yaml:"id"`
	Secrets       []secretSettings `yaml:"secrets"`
	Scopes        []string         `yaml:"scopes"`
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

// readClients reads a file of clients. Errors have file, line, column and a
// caret, and never a secret.
func readClients(name string) ([]mockidp.Client, []mockidp.Resource, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	return parseClients(name, data)
}

func parseClients(name string, data []byte) ([]mockidp.Client, []mockidp.Resource, error) {
	var f clientsFile
	if err := yaml.UnmarshalWithOptions(data, &f, yaml.Strict()); err != nil {
		return nil, nil, yamlError(name, err)
	}
	var all []complaint
	complain := func(path string, err error) {
		if err != nil {
			all = append(all, complaint{path, err.Error()})
		}
	}
	if f.Version != 1 {
		complain("$.version", fmt.Errorf("version is %d, this program knows version 1", f.Version))
	}
	if len(f.Clients) == 0 {
		complain("$.clients", errors.New("clients: there is none, so nobody could ask for a token"))
	}
	var clients []mockidp.Client
	seen := map[string]bool{}
	for i, c := range f.Clients {
		client := mockidp.Client{
			ID: c.ID, Secrets: secretsOf(c.Secrets), Scopes: c.Scopes, Grants: c.Grants, Protocol: c.Protocol,
			Disabled: c.Disabled, TokenLifetime: c.TokenLifetime,
		}
		for _, claim := range c.Claims {
			client.Claims = append(client.Claims, mockidp.Claim{Name: fmt.Sprint(claim.Key), Value: claim.Value})
		}
		path := fmt.Sprintf("$.clients[%d]", i)
		complain(path, client.Validate())
		if seen[c.ID] {
			complain(path+".id", fmt.Errorf("client %q is given twice", c.ID))
		}
		seen[c.ID] = true
		clients = append(clients, client)
	}
	var resources []mockidp.Resource
	seen = map[string]bool{}
	for i, r := range f.Resources {
		resource := mockidp.Resource{Name: r.Name, Scopes: r.Scopes, Secrets: secretsOf(r.Secrets)}
		path := fmt.Sprintf("$.resources[%d]", i)
		complain(path, resource.Validate())
		if seen[r.Name] {
			complain(path+".name", fmt.Errorf("resource %q is given twice", r.Name))
		}
		seen[r.Name] = true
		resources = append(resources, resource)
	}
	if err := complaintsError(name, data, all); err != nil {
		return nil, nil, err
	}
	return clients, resources, nil
}
