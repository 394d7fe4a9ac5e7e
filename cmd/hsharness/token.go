package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/accesstoken"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
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
			given := func(name string) bool { return cmd.Flags().Changed(name) && !p.fromEnvironment[name] }
			if p.getenv("HSHARNESS_TOKEN_URL") == "" || f.mint || f.defect != "" || given("environment") || given("client-id") {
				return p.mint(f)
			}
			return p.fetch(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.environment, "environment", string(avalara.Sandbox), "`environment` of the token: sandbox or production")
	flags.StringSliceVar(&f.scopes, "scope", []string{avalara.ScopeHSCode}, "`scopes` of the token")
	flags.StringVar(&f.clientID, "client-id", mockidp.DefaultClientID, "client `id` in the token")
	flags.BoolVar(&f.mint, "mint", false, "mint a token even where one could be fetched")
	flags.StringVar(&f.defect, "defect", "", "make the token bad in one `way`: "+typed.Listed(mockidp.Defects()))
	typed.Values(flags, "environment", avalara.Sandbox, avalara.Production)
	typed.Values(flags, "defect", mockidp.Defects()...)
	return cmd
}

func (p *program) mint(f tokenFlags) error {
	minted, err := accesstoken.Mint(avalara.Environment(f.environment), mockidp.Claims{ClientID: f.clientID, Scopes: f.scopes, Defect: mockidp.Defect(f.defect)})
	if err != nil {
		return usageError(err)
	}
	return p.showToken(minted)
}

// fetch asks the mock identity service that the environment names.
func (p *program) fetch(ctx context.Context, f tokenFlags) error {
	at, err := guard.LocalURL(p.getenv("HSHARNESS_TOKEN_URL"))
	if err != nil {
		return fmt.Errorf("HSHARNESS_TOKEN_URL: %w", err)
	}
	fetched, err := accesstoken.Fetch(ctx, at, p.getenv("HSHARNESS_CLIENT_ID"), p.getenv("HSHARNESS_CLIENT_SECRET"), f.scopes)
	if err != nil {
		return &exitError{exitUpstream, hint.MintHere.About(err)}
	}
	return p.showToken(fetched)
}

// showToken prints a token and what it says.
func (p *program) showToken(text string) error {
	decoded, err := accesstoken.Decode(text)
	if err != nil {
		return &exitError{exitUpstream, err}
	}
	if p.format == "json" {
		return json.NewEncoder(p.stdout).Encode(decoded)
	}
	return decoded.Print(p.stdout)
}
