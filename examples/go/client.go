// Package classify is a client of the classification API as an application
// would have it. It knows nothing of hsharness.
//
// It may touch the two URLs that it is given.
package classify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"golang.org/x/oauth2/clientcredentials"
)

// Client asks for HS codes. It is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// New returns a client of the API at base that gets its tokens by itself.
func New(ctx context.Context, base, tokenURL, id, secret string) *Client {
	tokens := clientcredentials.Config{
		ClientID: id, ClientSecret: secret, TokenURL: tokenURL, Scopes: []string{"hs-code-classification"},
	}
	return &Client{base, tokens.Client(ctx)}
}

// Code is the HS code of a product for imports into a country.
func (c *Client) Code(ctx context.Context, description, country string) (string, error) {
	body, err := json.Marshal(map[string]string{"description": description, "countryOfDestination": country})
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/hscode/classify", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("classify %q: status %d", description, resp.StatusCode)
	}
	var answer struct {
		HSCode string `json:"hsCode"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("classify %q: %w", description, err)
	}
	return answer.HSCode, nil
}
