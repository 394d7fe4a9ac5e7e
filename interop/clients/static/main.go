// Command static is Go's own client, linked without C: it prints the code of each
// description.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

func main() {
	descriptions := os.Args[1:]
	if len(descriptions) == 0 {
		descriptions = []string{"men's cotton t-shirt", "laptop computer"}
	}
	if err := run(descriptions); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(descriptions []string) error {
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {"hs-code-classification"},
		"client_id": {os.Getenv("AVALARA_CLIENT_ID")}, "client_secret": {os.Getenv("AVALARA_CLIENT_SECRET")},
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := post("https://ai-sbx.avlr.sh/connect/token", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()), "", &token); err != nil {
		return err
	}
	for _, description := range descriptions {
		body, err := json.Marshal(map[string]string{"description": description, "countryOfDestination": "US"})
		if err != nil {
			return err
		}
		var answer struct{ HSCode string }
		if err := post("https://hscode.api.sbx.avalara.com/hscode/classify", "application/json", bytes.NewReader(body), token.AccessToken, &answer); err != nil {
			return err
		}
		fmt.Println(answer.HSCode)
	}
	return nil
}

// post decodes the answer to a body into what it is given.
func post(to, media string, body io.Reader, token string, answer any) error {
	req, err := http.NewRequest(http.MethodPost, to, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", media)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", to, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
