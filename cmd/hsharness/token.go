package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/mockidp"
)

// tokenFlags are what token takes besides the global flags.
type tokenFlags struct {
	environment string
	scopes      []string
	clientID    string
	defect      string
}

func (p *program) tokenCommand() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Mint an access token, good or bad, and show it decoded",
		Long: `Mints an access token as the mock identity service would, signed by a key that
is made for it and thrown away, and shows it with its decoded parts. With
--defect the token is bad in that one way.`,
		Example: `  hsharness token --scope avatax_api
  hsharness token --defect expired --format json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.mint(f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.environment, "environment", string(avalara.Sandbox), "sandbox or production")
	flags.StringSliceVar(&f.scopes, "scope", []string{avalara.ScopeHSCode}, "`scopes` of the token")
	flags.StringVar(&f.clientID, "client-id", mockidp.DefaultClientID, "client `id` in the token")
	flags.StringVar(&f.defect, "defect", "", "make it bad in one way: "+defectNames())
	return cmd
}

// defectNames lists the defects for a person.
func defectNames() string {
	var names []string
	for _, d := range mockidp.Defects() {
		names = append(names, string(d))
	}
	return strings.Join(names, ", ")
}

// minted is a token with its decoded parts, in the token's own member order.
type minted struct {
	AccessToken string          `json:"access_token"`
	Header      json.RawMessage `json:"header"`
	Payload     json.RawMessage `json:"payload"`
}

func (p *program) mint(f tokenFlags) error {
	var cfg mockidp.Config
	switch avalara.Environment(f.environment) {
	case avalara.Sandbox:
		cfg = mockidp.Sandbox()
	case avalara.Production:
		cfg = mockidp.Production()
	default:
		return usageError(fmt.Errorf("--environment %q is neither sandbox nor production", f.environment))
	}
	server, err := mockidp.New(cfg)
	if err != nil {
		return err
	}
	token, err := server.Mint(mockidp.Claims{ClientID: f.clientID, Scopes: f.scopes, Defect: mockidp.Defect(f.defect)})
	if err != nil {
		return usageError(err)
	}
	m := minted{AccessToken: token}
	parts := strings.Split(token, ".")
	for i, part := range []*json.RawMessage{&m.Header, &m.Payload} {
		if *part, err = base64.RawURLEncoding.DecodeString(parts[i]); err != nil {
			return err
		}
	}
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(m)
	}
	for _, part := range []json.RawMessage{m.Header, m.Payload} {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, part, "", "  "); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, pretty.String())
	}
	_, err = fmt.Fprintln(p.stdout, token)
	return err
}
