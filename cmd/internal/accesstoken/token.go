// Package accesstoken mints access tokens as the mock identity service would, fetches them from
// one, and shows what they say. It may touch the mock identity service and the guard's
// client for loopback: the real identity service is the guard's alone to ask.
package accesstoken

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/mockidp"
)

// Mint signs a token of an environment by a key that is made for it and thrown away.
func Mint(env avalara.Environment, claims mockidp.Claims) (string, error) {
	var cfg mockidp.Config
	switch env {
	case avalara.Sandbox:
		cfg = mockidp.Sandbox()
	case avalara.Production:
		cfg = mockidp.Production()
	default:
		return "", fmt.Errorf("--environment %q is neither sandbox nor production", env)
	}
	server, err := mockidp.New(cfg)
	if err != nil {
		return "", err
	}
	return server.Mint(claims)
}

// Fetch asks a token endpoint on loopback.
func Fetch(ctx context.Context, tokenURL, id, secret string, scopes []string) (string, error) {
	config := clientcredentials.Config{TokenURL: tokenURL, ClientID: id, ClientSecret: secret, Scopes: scopes, AuthStyle: oauth2.AuthStyleInParams}
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, guard.LocalClient(0)))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		return "", fmt.Errorf("%s answered %d %s", tokenURL, refused.Response.StatusCode, refused.ErrorCode)
	case err != nil:
		return "", err
	}
	return token.AccessToken, nil
}

// Decoded is a token with its decoded parts, in the token's own member order.
type Decoded struct {
	AccessToken string          `json:"access_token"`
	Header      json.RawMessage `json:"header"`
	Payload     json.RawMessage `json:"payload"`
}

// Decode reads a token, and looks at no signature.
func Decode(token string) (Decoded, error) {
	d := Decoded{AccessToken: token}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return d, errors.New("the access token is no JWT")
	}
	var err error
	for i, part := range []*json.RawMessage{&d.Header, &d.Payload} {
		if *part, err = base64.RawURLEncoding.DecodeString(parts[i]); err != nil || !json.Valid(*part) {
			return d, fmt.Errorf("the access token is no JWT: part %d is no JSON in base64url", i+1)
		}
	}
	return d, nil
}

// Print writes what the token says, and the token.
func (d Decoded) Print(to io.Writer) error {
	for _, part := range []json.RawMessage{d.Header, d.Payload} {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, part, "", "  "); err != nil {
			return err
		}
		fmt.Fprintln(to, plain.Lines(pretty.String()))
	}
	_, err := fmt.Fprintln(to, plain.Line(d.AccessToken))
	return err
}
