// Command client is the command behind the guard: it knows nothing but its
// environment, asks for as many classifications as its argument says, one after
// the other, and prints the status of each with the guard's word about it.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func run(argument string) error {
	many, err := strconv.Atoi(argument)
	if err != nil {
		return err
	}
	resp, err := http.PostForm(os.Getenv("HSHARNESS_TOKEN_URL"), url.Values{
		"grant_type": {"client_credentials"}, "scope": {"hs-code-classification"},
		"client_id": {os.Getenv("HSHARNESS_CLIENT_ID")}, "client_secret": {os.Getenv("HSHARNESS_CLIENT_SECRET")},
	})
	if err != nil {
		return err
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&token)
	_ = resp.Body.Close()
	if err != nil {
		return err
	}
	for i := range many {
		body := fmt.Sprintf(`{"description":"cotton t-shirt number %d","countryOfDestination":"US"}`, i)
		r, err := http.NewRequest(http.MethodPost, os.Getenv("HSHARNESS_API_URL")+"/hscode/classify", strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token.AccessToken)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("Hsharness-Verdict"))
	}
	return nil
}
