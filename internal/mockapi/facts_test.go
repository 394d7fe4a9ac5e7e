package mockapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
)

// fact is one thing that is known of the managed API and the error model, and
// the request that shows it. The sources are the vendor's 2019 swagger, the two
// shipping clients that call the API, the vendor's list of errors and its index
// of 2026; see internal/avalara and doc.go.
type fact struct {
	name   string
	cfg    mockapi.Config
	ask    func(s *service) answer
	status int
	// want are values in the answer's JSON: a path with dots, and what is there.
	want map[string]any
}

// someText stands for any text that is not empty.
const someText = "<some text>"

// has tells what an error's first detail must say.
func has(number int, code, field, message, description string) map[string]any {
	return map[string]any{
		"error.code": code, "error.details.0.code": code, "error.details.0.number": float64(number),
		"error.details.0.refersTo": field, "error.details.0.message": message, "error.details.0.description": description,
		"error.details.0.faultCode": "Client", "error.details.0.severity": "Error",
		"error.details.0.helpLink": "http://developer.avalara.com/avatax/errors/" + code,
	}
}

func needed(field string) map[string]any {
	leaf := field[strings.LastIndex(field, ".")+1:]
	return has(5, "ValueRequiredError", field, "Field "+leaf+" is required.", "Please provide a value for field "+leaf+".")
}

func tooLong(field, most string) map[string]any {
	leaf := field[strings.LastIndex(field, ".")+1:]
	return has(14, "MaxStringLengthError", field, "Field '"+leaf+"' has an invalid length.",
		"Field '"+leaf+"' must be no more than "+most+" characters in length.")
}

func noValue(field, value string) map[string]any {
	leaf := field[strings.LastIndex(field, ".")+1:]
	return has(164, "InvalidEnumValue", field, "The value '"+value+"' is not valid for field '"+leaf+"'.",
		"Please provide one of the values documented for field '"+leaf+"'.")
}

// posts sends the whole good request with one change.
func posts(path string, value any) func(*service) answer {
	return func(s *service) answer { return s.create(map[string]any{path: value}) }
}

func long(n int) string { return strings.Repeat("x", n) }

func one(name, value, unit string) []any {
	return []any{map[string]any{"name": name, "value": value, "unit": unit}}
}

func facts() []fact {
	atOnce := mockapi.Config{ManagedReads: -1}
	id := "3402-SKU001-CA"
	good := func(s *service) answer { return s.create(nil) }
	after := func(posts int, gets int) func(*service) answer {
		return func(s *service) (a answer) {
			for range posts {
				a = s.create(nil)
			}
			for range gets {
				a = s.read(id)
			}
			return a
		}
	}
	raw := func(body string, edit ...func(*http.Request)) func(*service) answer {
		return func(s *service) answer { return s.do(avalara.Managed, http.MethodPost, managedPath, body, edit...) }
	}
	basic := func(id, secret string) mockapi.Config {
		return mockapi.Config{Basic: func(i, s string) bool { return i == id && s == secret }}
	}
	withBasic := func(id, secret string) func(*service) answer {
		return func(s *service) answer {
			return s.do(avalara.Managed, http.MethodPost, managedPath, managedBody(s.t, nil), func(r *http.Request) { r.SetBasicAuth(id, secret) })
		}
	}
	country, item := "countryOfDestination", "item."
	list := item + "classificationParameters"
	all := []fact{
		// Hosts and auth through time.
		{"a trailing slash is one client's way", mockapi.Config{}, func(s *service) answer {
			return s.do(avalara.Managed, http.MethodPost, managedPath+"/", managedBody(s.t, nil))
		}, 201, map[string]any{"id": id}},
		{"clients of 2022 send Basic", basic("2000000001", "key"), withBasic("2000000001", "key"), 201, map[string]any{"id": id}},
		{"an unknown secret is error 30", basic("2000000001", "key"), withBasic("2000000001", "wrong"), 401,
			has(30, "AuthenticationException", "", "Authentication failed.", "Unable to authenticate the user or the account.")},

		// The request.
		{"countryOfDestination is required", mockapi.Config{}, posts(country, nil), 422, needed(country)},
		{"countryOfDestination has at most 2 characters", mockapi.Config{}, posts(country, "CAN"), 422, tooLong(country, "2")},
		{"countryOfDestination is ISO 3166-1 alpha-2", mockapi.Config{}, posts(country, "XX"), 422,
			has(125, "InvalidCountry", country, "The country 'XX' is not a recognized country code.",
				"Please use the `ListCountries` API to see a list of recognized country codes.")},
		{"item is required", mockapi.Config{}, posts("item", nil), 422, needed("item")},
		{"activity is HS_FULL by default", mockapi.Config{}, posts("activity", nil), 201, map[string]any{"activity": "HS_FULL"}},
		{"activity HS6 gives six digits", atOnce, posts("activity", "HS6"), 201, map[string]any{"activity": "HS6", "hsCode": "610910"}},
		{"activity has no other value", mockapi.Config{}, posts("activity", "HS8"), 422, noValue("activity", "HS8")},
		{"id is read-only", mockapi.Config{}, posts("id", "mine"), 201, map[string]any{"id": id}},
		{"companyId is required", mockapi.Config{}, posts(item+"companyId", nil), 422, needed(item + "companyId")},
		{"companyId is an integer", mockapi.Config{}, posts(item+"companyId", "3402"), 400, nil},
		{"itemCode is required", mockapi.Config{}, posts(item+"itemCode", nil), 422, needed(item + "itemCode")},
		{"itemCode has at most 255 characters", mockapi.Config{}, posts(item+"itemCode", long(256)), 422, tooLong(item+"itemCode", "255")},
		{"itemCode may have 255", mockapi.Config{}, posts(item+"itemCode", long(255)), 201, nil},
		{"description is required", mockapi.Config{}, posts(item+"description", nil), 422, needed(item + "description")},
		{"description has at most 255 characters", mockapi.Config{}, posts(item+"description", long(256)), 422, tooLong(item+"description", "255")},
		{"description may have 255", mockapi.Config{}, posts(item+"description", long(255)), 201, nil},
		{"itemGroup is required", mockapi.Config{}, posts(item+"itemGroup", nil), 422, needed(item + "itemGroup")},
		{"itemGroup has at most 2000 characters", mockapi.Config{}, posts(item+"itemGroup", long(2001)), 422, tooLong(item+"itemGroup", "2000")},
		{"itemGroup may have 2000", mockapi.Config{}, posts(item+"itemGroup", long(2000)), 201, nil},
		{"summary has no limit", mockapi.Config{}, posts(item+"summary", long(100_000)), 201, nil},
		{"summary is not required", mockapi.Config{}, posts(item+"summary", nil), 201, nil},
		{"parentCode is not required", mockapi.Config{}, posts(item+"parentCode", nil), 201, nil},
		{"item.id is read-only", mockapi.Config{}, posts(item+"id", 99), 201, map[string]any{"item.id": 1.0}},
		{"createdDate is read-only", mockapi.Config{}, posts(item+"createdDate", "2001-01-01T00:00:00Z"), 201,
			map[string]any{"item.createdDate": "2027-02-20T12:00:00Z"}},
		{"a parameter's name is required", mockapi.Config{}, posts(list, one("", "x", "")), 422, needed(list + "[0].name")},
		{"a parameter's name has at most 255 characters", mockapi.Config{}, posts(list, one(long(256), "x", "")), 422, tooLong(list+"[0].name", "255")},
		{"a parameter's name is one of ten", mockapi.Config{}, posts(list, one("colour", "x", "")), 422, noValue(list+"[0].name", "colour")},
		{"a parameter's value is required", mockapi.Config{}, posts(list, one("coo", "", "")), 422, needed(list + "[0].value")},
		{"a parameter's value has at most 255 characters", mockapi.Config{}, posts(list, one("coo", long(256), "")), 422, tooLong(list+"[0].value", "255")},
		{"a parameter's unit has at most 255 characters", mockapi.Config{}, posts(list, one("weight", "1", long(256))), 422, tooLong(list+"[0].unit", "255")},
		{"a price needs a unit", mockapi.Config{}, posts(list, one("price", "1", "")), 422, needed(list + "[0].unit")},
		{"a price's unit is a currency of ISO 4217", mockapi.Config{}, posts(list, one("price", "1", "dollars")), 422, noValue(list+"[0].unit", "dollars")},
		{"parameters has the same rules", mockapi.Config{}, posts(item+"parameters", one("colour", "x", "")), 422, noValue(item+"parameters[0].name", "colour")},

		// The answer.
		{"a POST creates", mockapi.Config{}, good, 201, map[string]any{
			"id": id, "countryOfDestination": "CA", "status": "PENDING", "hsCode": nil, "resolution": nil, "confidence": nil, "confidenceDescription": nil,
			"item.companyId": 3402.0, "item.itemCode": "SKU001", "item.parentCode": "GROUP-1", "item.itemGroup": "Clothing > Men > Shirts",
			"item.classificationParameters.0.unit": "USD",
		}},
		{"a status that is sent is ignored", mockapi.Config{}, posts("status", "CLASSIFIED"), 201, map[string]any{"status": "PENDING"}},
		{"polling ends in CLASSIFIED", mockapi.Config{}, after(1, 2), 200, map[string]any{"status": "CLASSIFIED", "hsCode": "6109100000", "resolution": nil}},
		{"the confidence is a string", atOnce, good, 201, map[string]any{"confidence": someText, "confidenceDescription": someText}},
		{"Auto HS customers get the result from the POST", atOnce, good, 201, map[string]any{"status": "CLASSIFIED", "hsCode": "6109100000"}},
		{"a thin description ends in CANNOT_BE_CLASSIFIED", atOnce, func(s *service) answer {
			return s.create(map[string]any{item + "description": "thing", item + "summary": nil, item + "itemGroup": "x"})
		}, 201, map[string]any{"status": "CANNOT_BE_CLASSIFIED", "resolution": "Not enough details.", "hsCode": nil}},
		{"the same company, item and country is an update", mockapi.Config{}, after(2, 0), 201, map[string]any{"id": id, "item.id": 1.0}},
		{"another country is another classification", mockapi.Config{}, func(s *service) answer {
			s.create(nil)
			return s.create(map[string]any{country: "US"})
		}, 201, map[string]any{"id": "3402-SKU001-US", "item.id": 2.0}},
		{"managed classification takes its time", mockapi.Config{ManagedDelay: time.Hour}, after(1, 5), 200, map[string]any{"status": "PENDING"}},

		// The codes.
		{"malformed JSON is error 70", mockapi.Config{}, raw(`{"item":`), 400,
			has(70, "ModelStateInvalid", "", "Invalid JSON object.", "The request body does not represent a valid JSON object.")},
		{"an unknown id is error 4", mockapi.Config{}, func(s *service) answer { return s.read("nope") }, 404,
			has(4, "EntityNotFoundError", "", "nope not found.", "The Classification Request with id 'nope' was not found.")},
		{"another content type is error 4016", mockapi.Config{}, raw("{}", withHeader("Content-Type", "text/plain")), 415,
			map[string]any{"error.code": "UnsupportedMediaType", "error.details.0.number": 4016.0, "error.target": "HttpRequestHeaders"}},
		{"also on a GET", mockapi.Config{}, func(s *service) answer {
			return s.do(avalara.Managed, http.MethodGet, managedPath+"/nope", "", withHeader("Content-Type", "text/plain"))
		}, 415, map[string]any{"error.details.0.number": 4016.0}},
		{"no token is 401", mockapi.Config{}, raw("{}", func(r *http.Request) { r.Header.Del("Authorization") }), 401, nil},
		{"an expired token is 401", mockapi.Config{}, func(s *service) answer {
			return s.do(avalara.Managed, http.MethodPost, managedPath, "{}", s.as("c", map[string]any{"exp": start.Add(-time.Hour).Unix()}))
		}, 401, nil},
		{"PUT has left the index of 2026", mockapi.Config{}, func(s *service) answer {
			return s.do(avalara.Managed, http.MethodPut, managedPath+"/"+id, "{}")
		}, 405, nil},

		// The error model.
		{"the swagger's schema has no outer error", mockapi.Config{BareErrors: true}, posts("item", nil), 422,
			map[string]any{"code": "ValueRequiredError", "target": "IncorrectData", "details.0.number": 5.0}},
	}
	for _, name := range []string{"coo", "description", "image_url", "url", "material", "price", "weight", "height", "length", "width"} {
		all = append(all, fact{"a parameter may be named " + name, mockapi.Config{}, posts(list, one(name, "1", "USD")), 201, nil})
	}
	return all
}

func TestFacts(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range facts() {
		assert.False(t, seen[f.name], "%s twice", f.name)
		seen[f.name] = true
		t.Run(f.name, func(t *testing.T) {
			got := f.ask(serve(t, f.cfg))
			assert.Equal(t, f.status, got.status, got.body)
			for path, want := range f.want {
				is := got.at(t, steps(path)...)
				if text, ok := is.(string); want == someText && ok && text != "" {
					continue
				}
				assert.Equal(t, want, is, "%s in %s", path, got.body)
			}
		})
	}
}

// steps takes a path with dots apart; a number is an index.
func steps(path string) []any {
	var out []any
	for step := range strings.SplitSeq(path, ".") {
		if len(step) == 1 && step[0] >= '0' && step[0] <= '9' {
			out = append(out, int(step[0]-'0'))
		} else {
			out = append(out, step)
		}
	}
	return out
}

func TestBasicIsForTheManagedHostAlone(t *testing.T) {
	asks := 0
	s := serve(t, mockapi.Config{Basic: func(string, string) bool { asks++; return true }})
	basic := func(r *http.Request) { r.SetBasicAuth("2000000001", "key") }
	for _, api := range []avalara.API{avalara.Current, avalara.Legacy} {
		got := s.do(api, http.MethodPost, avalara.PathClassify, shirt, basic)
		assert.Equal(t, http.StatusUnauthorized, got.status)
		assert.Equal(t, "Bearer", got.header.Get("WWW-Authenticate"))
	}
	assert.Zero(t, asks)
	assert.Equal(t, http.StatusCreated, s.do(avalara.Managed, http.MethodPost, managedPath, managedBody(t, nil), basic).status)
	assert.Equal(t, http.StatusCreated, s.create(nil).status, "a token is as good")
	assert.Equal(t, http.StatusOK, s.read("3402-SKU001-CA").status, "and for the same account")

	got := serve(t, mockapi.Config{Basic: func(string, string) bool { return false }}).do(avalara.Managed, http.MethodGet, managedPath+"/x", "", basic)
	assert.Equal(t, "Basic", got.header.Get("WWW-Authenticate"))
	got = serve(t, mockapi.Config{}).do(avalara.Managed, http.MethodGet, managedPath+"/x", "", basic)
	assert.Equal(t, "Bearer", got.header.Get("WWW-Authenticate"), "off by default")
}

func TestRateLimitIsApartFromTheAllowance(t *testing.T) {
	n := int64(3)
	s := serve(t, mockapi.Config{Allowance: &n, RateLimit: 2, RateWindow: 10 * time.Second})
	assert.Equal(t, http.StatusOK, s.classify().status)
	assert.Equal(t, http.StatusNotFound, s.read("nope").status, "a GET is a request too")
	assert.NoError(t, s.Clock().Advance(2500*time.Millisecond))
	got := s.classify()
	assert.Equal(t, http.StatusTooManyRequests, got.status)
	assert.Equal(t, "8", got.header.Get("Retry-After"), "7.5 seconds, in whole ones")
	assert.EqualValues(t, 1723, got.at(t, "error", "details", 0, "number"))
	assert.Equal(t, mockapi.Usage{Granted: &n, Served: 1}, s.Usage(), "nothing is counted, and the allowance is not used up")
	assert.Equal(t, http.StatusOK, s.classify(s.as("another account", nil)).status)
	assert.Equal(t, http.StatusUnauthorized, s.classify(withHeader("Authorization", "")).status, "the token comes first")

	assert.NoError(t, s.Clock().Advance(7500*time.Millisecond))
	assert.Equal(t, http.StatusOK, s.classify().status, "the window is over")
	assert.NoError(t, s.Clock().Advance(-time.Minute))
	assert.Equal(t, http.StatusOK, s.classify().status, "a clock that goes back starts a new one")
	assert.Equal(t, http.StatusTooManyRequests, s.classify().status, "now the allowance is")
	assert.EqualValues(t, 1, s.Usage().Refused)
	assert.Equal(t, "3600", func() string {
		hour := serve(t, mockapi.Config{RateLimit: 1, RateWindow: time.Hour})
		hour.classify()
		return hour.classify().header.Get("Retry-After")
	}())
}
