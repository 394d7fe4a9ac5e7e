package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/mockidp"
)

// tokenFlags are what token takes besides the global flags.
type tokenFlags struct {
	environment string
	scopes      []string
	clientID    string
	defect      string
	mint        bool
}

func (p *program) tokenCommand() *cobra.Command {
	var f tokenFlags
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Fetch or mint an access token, good or bad, and show it decoded",
		Long: `Where HSHARNESS_TOKEN_URL leads to a mock identity service, as inside hsharness
exec, it fetches a token there with HSHARNESS_CLIENT_ID and
HSHARNESS_CLIENT_SECRET. Elsewhere, and with --mint or --defect, it mints one as
the mock identity service would, signed by a key that is made for it and thrown
away. Either way the token is shown with its decoded parts. With --defect it is
bad in that one way.`,
		Example: `  hsharness token --scope avatax_api
  hsharness token --mint --defect expired --format json
  hsharness exec -- hsharness token`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			typed := func(name string) bool { return cmd.Flags().Changed(name) && !p.fromEnvironment[name] }
			if p.getenv("HSHARNESS_TOKEN_URL") == "" || f.mint || f.defect != "" || typed("environment") || typed("client-id") {
				return p.mint(f)
			}
			return p.fetch(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.environment, "environment", string(avalara.Sandbox), "sandbox or production")
	flags.StringSliceVar(&f.scopes, "scope", []string{avalara.ScopeHSCode}, "`scopes` of the token")
	flags.StringVar(&f.clientID, "client-id", mockidp.DefaultClientID, "client `id` in the token")
	flags.BoolVar(&f.mint, "mint", false, "mint one, also where one could be fetched")
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
	return p.showToken(token)
}

// fetch asks the mock identity service that the environment names. The real one
// is the guard's alone to ask.
func (p *program) fetch(ctx context.Context, f tokenFlags) error {
	tokenURL, err := guard.LocalURL(p.getenv("HSHARNESS_TOKEN_URL"))
	if err != nil {
		return fmt.Errorf("HSHARNESS_TOKEN_URL: %w", err)
	}
	config := clientcredentials.Config{
		TokenURL: tokenURL, ClientID: p.getenv("HSHARNESS_CLIENT_ID"), ClientSecret: p.getenv("HSHARNESS_CLIENT_SECRET"),
		Scopes: f.scopes, AuthStyle: oauth2.AuthStyleInParams,
	}
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, guard.LocalClient(0)))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		return &exitError{exitUpstream, fmt.Errorf("%s answered %d %s", config.TokenURL, refused.Response.StatusCode, refused.ErrorCode)}
	case err != nil:
		return &exitError{exitUpstream, err}
	}
	return p.showToken(token.AccessToken)
}

// showToken prints a token and what it says.
func (p *program) showToken(token string) error {
	m := minted{AccessToken: token}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return &exitError{exitUpstream, errors.New("the access token is no JWT")}
	}
	var err error
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
		fmt.Fprintln(p.stdout, plain.Lines(pretty.String()))
	}
	_, err = fmt.Fprintln(p.stdout, plain.Line(token))
	return err
}
