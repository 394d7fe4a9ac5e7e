package realurl_test

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/hsharness/hsharness/internal/realurl"
	"github.com/hsharness/hsharness/mockidp"
)

// Code that has the real token URL built in is tested without a socket.
func Example() {
	sandbox, err := mockidp.New(mockidp.Sandbox())
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: realurl.New(realurl.Config{Sandbox: sandbox})}

	resp, err := client.PostForm("https://ai-sbx.avlr.sh/connect/token", url.Values{
		"grant_type": {"client_credentials"}, "scope": {"hs-code-classification"},
		"client_id": {mockidp.DefaultClientID}, "client_secret": {mockidp.DefaultClientSecret},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(resp.Status)

	_, err = client.Get("https://elsewhere.example/")
	fmt.Println(err)
	// Output:
	// 200 OK
	// Get "https://elsewhere.example/": host "elsewhere.example" is refused: it is neither a host that realurl was given nor loopback
}
