package interop

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/mockidp"
)

// TestOpenAPI has libopenapi-validator read the document, judge it by the schema
// of OpenAPI 3.1, and compare requests and answers of the handlers with it.
func TestOpenAPI(t *testing.T) {
	text, err := mockapi.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	check, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if ok, problems := check.ValidateDocument(); !ok {
		for _, p := range problems {
			t.Error(p)
		}
	}

	idp := serve(t)
	none := int64(0)
	start := func(cfg mockapi.Config, host string) string {
		cfg.Issuers, cfg.Key = []string{idp.Issuer()}, idp.Keys().PublicKey
		api, err := mockapi.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		h := api.Handler("managed")
		if host == "current" {
			h = api.Handler("current")
		}
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		return srv.URL
	}
	current, managed := start(mockapi.Config{}, "current"), start(mockapi.Config{}, "managed")
	token, err := idp.Mint(mockidp.Claims{Scopes: []string{"hs-code-classification"}})
	if err != nil {
		t.Fatal(err)
	}

	const (
		shirt = `{"description":"men's cotton t-shirt","countryOfDestination":"US"}`
		hs    = "/api/v2/companies/3402/classifications/hs"
		item  = `{"countryOfDestination":"CA","activity":"HS_FULL","item":{"companyId":3402,"itemCode":"SKU001","description":"men's cotton t-shirt",` +
			`"itemGroup":"Clothing","parameters":[{"name":"price","value":"12.31","unit":"USD"}]}}`
	)
	for _, row := range []struct {
		method, url, body string
		status            int
		wrong             bool // the request is one that the document forbids
	}{
		{"POST", current + "/hscode/classify", shirt, 200, false},
		{"POST", current + "/hscode/classify", `{"description":"thing"}`, 200, false},
		{"POST", current + "/hscode-enhanced/classify", shirt, 200, false},
		{"POST", current + "/hscode/hints", shirt, 200, false},
		{"POST", current + "/hscode/classify_from_hs6", `{"items":[{"hs6":"6109.10","countryOfDestination":"US"},{"hs6":"847130"}]}`, 200, false},
		{"POST", current + "/hscode/classify_from_hs6", `{"items":[{"hs6":"x"}]}`, 422, true},
		{"POST", current + "/hscode/classify", `{`, 400, true},
		{"POST", managed + hs, item, 201, false},
		{"GET", managed + hs + "/3402-SKU001-CA", "", 200, false},
		{"GET", managed + hs + "/3402-SKU001-CA", "", 200, false},
		{"GET", managed + hs + "/nope", "", 404, false},
		{"POST", managed + hs, `{"countryOfDestination":"CAN"}`, 422, true},
		{"POST", start(mockapi.Config{Allowance: &none}, "current") + "/hscode/classify", shirt, 429, false},
		{"POST", start(mockapi.Config{Allowance: &none, Exhausted: mockapi.Gateway}, "current") + "/hscode/classify", shirt, 429, false},
		{"POST", start(mockapi.Config{Allowance: &none, Exhausted: mockapi.Subscription}, "managed") + hs, item, 403, false},
	} {
		request := func() *http.Request {
			r, err := http.NewRequest(row.method, row.url, bytes.NewReader([]byte(row.body)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			if row.body != "" {
				r.Header.Set("Content-Type", "application/json")
			}
			return r
		}
		res, err := http.DefaultClient.Do(request())
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		res.Body = io.NopCloser(bytes.NewReader(body))
		if res.StatusCode != row.status {
			t.Errorf("%s %s %s: status %d, want %d: %s", row.method, row.url, row.body, res.StatusCode, row.status, body)
		}
		if ok, problems := check.ValidateHttpRequest(request()); ok == row.wrong {
			t.Errorf("%s %s: the request %s is valid: %t, want %t: %v", row.method, row.url, row.body, ok, !row.wrong, problems)
		}
		if ok, problems := check.ValidateHttpResponse(request(), res); !ok {
			for _, p := range problems {
				t.Errorf("%s %s: the answer %s: %v", row.method, row.url, body, p)
			}
		}
	}
}
