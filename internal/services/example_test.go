package services_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/services"
)

// A set of services is all that code under test talks to, on loopback, and it counts what
// the code would have spent.
func Example() {
	s, err := services.New(services.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	api, err := s.APIURL(avalara.Sandbox, avalara.Current)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: services.Authorized(s, http.DefaultTransport)}
	resp, err := client.Post(api+avalara.PathClassify, "application/json", strings.NewReader(`{"description":"cotton t-shirt","countryOfDestination":"US"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	tally, err := s.Tally()
	fmt.Println(resp.Status, tally.Price, err)
	// Output: 200 OK 1 <nil>
}
