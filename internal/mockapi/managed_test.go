package mockapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/mockidp/control"
)

const managedPath = "/api/v2/companies/3402/classifications/hs"

// managedBody is a whole good request; change replaces what its dotted paths
// name, and nil removes it.
func managedBody(t testing.TB, change map[string]any) string {
	t.Helper()
	body := map[string]any{
		"countryOfDestination": "CA",
		"activity":             "HS_FULL",
		"item": map[string]any{
			"companyId": 3402, "itemCode": "SKU001", "parentCode": "GROUP-1",
			"description": "men's cotton t-shirt", "summary": "long description", "itemGroup": "Clothing > Men > Shirts",
			"classificationParameters": []any{map[string]any{"name": "price", "value": "12.31", "unit": "USD"}},
			"parameters":               []any{map[string]any{"name": "weight", "value": "10.2", "unit": ""}},
		},
	}
	for path, value := range change {
		in, name := body, path
		if rest, ok := strings.CutPrefix(path, "item."); ok {
			in, name = body["item"].(map[string]any), rest
		}
		if value == nil {
			delete(in, name)
		} else {
			in[name] = value
		}
	}
	data, err := json.Marshal(body)
	require.NoError(t, err)
	return string(data)
}

func (s *service) create(change map[string]any) answer {
	s.t.Helper()
	return s.do(avalara.Managed, http.MethodPost, managedPath, managedBody(s.t, change))
}

func (s *service) read(id string) answer {
	s.t.Helper()
	return s.do(avalara.Managed, http.MethodGet, managedPath+"/"+url.PathEscape(id), "")
}

func TestManagedGoesFromPendingToClassified(t *testing.T) {
	s := serve(t, mockapi.Config{})
	const pending = `{"id":"3402-SKU001-CA","countryOfDestination":"CA","activity":"HS_FULL","status":"PENDING",` +
		`"hsCode":null,"resolution":null,"confidence":null,"confidenceDescription":null,` +
		`"item":{"id":1,"companyId":3402,"itemCode":"SKU001","parentCode":"GROUP-1","description":"men's cotton t-shirt",` +
		`"summary":"long description","itemGroup":"Clothing > Men > Shirts",` +
		`"classificationParameters":[{"name":"price","value":"12.31","unit":"USD"}],` +
		`"parameters":[{"name":"weight","value":"10.2","unit":""}],"createdDate":"2027-02-20T12:00:00Z"}}`
	got := s.create(nil)
	assert.Equal(t, http.StatusCreated, got.status)
	assert.Equal(t, "application/json; charset=utf-8", got.header.Get("Content-Type"))
	assert.Equal(t, pending, got.body)

	got = s.read("3402-SKU001-CA")
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, pending, got.body, "the first GET still says PENDING")

	for range 2 {
		got = s.read("3402-SKU001-CA")
		assert.Equal(t, http.StatusOK, got.status)
		assert.Equal(t, "CLASSIFIED", got.at(t, "status"))
		assert.Regexp(t, `^6109\d{6}$`, got.at(t, "hsCode"))
		assert.Regexp(t, `^0\.\d\d$|^1\.00$`, got.at(t, "confidence"), "a string, not a number")
		assert.NotEmpty(t, got.at(t, "confidenceDescription"))
		assert.Nil(t, got.at(t, "resolution"))
	}
	assert.EqualValues(t, 1, s.served(), "only the POST counts")
}

func TestManagedWaits(t *testing.T) {
	for name, row := range map[string]struct {
		cfg  mockapi.Config
		want []string // POST, GET, GET, then a minute later GET
	}{
		"zero":     {mockapi.Config{}, []string{"PENDING", "PENDING", "CLASSIFIED", "CLASSIFIED"}},
		"at once":  {mockapi.Config{ManagedReads: -1}, []string{"CLASSIFIED", "CLASSIFIED", "CLASSIFIED", "CLASSIFIED"}},
		"2 reads":  {mockapi.Config{ManagedReads: 2}, []string{"PENDING", "PENDING", "PENDING", "CLASSIFIED"}},
		"a minute": {mockapi.Config{ManagedDelay: time.Minute}, []string{"PENDING", "PENDING", "PENDING", "CLASSIFIED"}},
		"both":     {mockapi.Config{ManagedDelay: time.Minute, ManagedReads: 3}, []string{"PENDING", "PENDING", "PENDING", "PENDING"}},
	} {
		t.Run(name, func(t *testing.T) {
			row.cfg.Clock = control.NewClock(func() time.Time { return start })
			s := serve(t, row.cfg)
			got := []string{s.create(nil).at(t, "status").(string)}
			for i := range 3 {
				if i == 2 {
					require.NoError(t, row.cfg.Clock.Advance(time.Minute))
				}
				got = append(got, s.read("3402-SKU001-CA").at(t, "status").(string))
			}
			assert.Equal(t, row.want, got)
		})
	}
}

func TestManagedThinDescription(t *testing.T) {
	s := serve(t, mockapi.Config{ManagedReads: -1})
	got := s.create(map[string]any{"item.description": "thing", "item.summary": nil, "item.itemGroup": "x"})
	assert.Equal(t, http.StatusCreated, got.status)
	assert.Equal(t, "CANNOT_BE_CLASSIFIED", got.at(t, "status"))
	assert.Equal(t, "Not enough details.", got.at(t, "resolution"))
	assert.Nil(t, got.at(t, "hsCode"))
	assert.Nil(t, got.at(t, "confidence"))
	assert.EqualValues(t, 1, s.served(), "it was asked, so it counts")
}

func TestManagedActivity(t *testing.T) {
	s := serve(t, mockapi.Config{ManagedReads: -1})
	assert.Regexp(t, `^6109\d\d$`, s.create(map[string]any{"activity": "HS6"}).at(t, "hsCode"))
	got := s.create(map[string]any{"activity": nil})
	assert.Equal(t, "HS_FULL", got.at(t, "activity"), "the default")
	assert.Regexp(t, `^6109\d{6}$`, got.at(t, "hsCode"))
}

func TestManagedRepeatedPostReplaces(t *testing.T) {
	s := serve(t, mockapi.Config{})
	first := s.create(nil)
	s.read("3402-SKU001-CA")
	s.read("3402-SKU001-CA")
	require.NoError(t, s.Clock().Advance(time.Minute))
	// The trailing slash is the other client's way to write the same path.
	second := s.do(avalara.Managed, http.MethodPost, managedPath+"/", managedBody(t, map[string]any{"item.description": "cotton shirt", "status": "CLASSIFIED", "id": "x"}))
	assert.Equal(t, http.StatusCreated, second.status)
	assert.Equal(t, first.at(t, "id"), second.at(t, "id"))
	assert.Equal(t, "PENDING", second.at(t, "status"), "it is classified anew, whatever status is sent")
	assert.Equal(t, "cotton shirt", second.at(t, "item", "description"))
	assert.Equal(t, first.at(t, "item", "id"), second.at(t, "item", "id"))
	assert.Equal(t, first.at(t, "item", "createdDate"), second.at(t, "item", "createdDate"))
	assert.EqualValues(t, 2, s.served())

	other := s.create(map[string]any{"countryOfDestination": "US"})
	assert.Equal(t, "3402-SKU001-US", other.at(t, "id"))
	assert.EqualValues(t, 2, other.at(t, "item", "id"))
}

func TestManagedNotFound(t *testing.T) {
	s := serve(t, mockapi.Config{})
	s.create(map[string]any{"item.itemCode": " B07/KCS725Y"})
	require.Equal(t, http.StatusOK, s.read("3402- B07/KCS725Y-CA").status)

	got := s.read("3402-nope-CA")
	assert.Equal(t, http.StatusNotFound, got.status)
	assert.Equal(t, `{"error":{"code":"EntityNotFoundError","message":"3402-nope-CA not found.","target":"HttpRequest","details":[`+
		`{"code":"EntityNotFoundError","number":4,"message":"3402-nope-CA not found.",`+
		`"description":"The Classification Request with id '3402-nope-CA' was not found.","faultCode":"Client",`+
		`"helpLink":"http://developer.avalara.com/avatax/errors/EntityNotFoundError","refersTo":"","severity":"Error"}]}}`, got.body)

	path := managedPath + "/" + url.PathEscape("3402- B07/KCS725Y-CA")
	assert.Equal(t, http.StatusNotFound, s.do(avalara.Managed, http.MethodGet, path, "", s.as("another account", nil)).status)
	assert.Equal(t, http.StatusNotFound, s.do(avalara.Managed, http.MethodGet, strings.Replace(path, "3402", "3403", 1), "").status)
	assert.Equal(t, http.StatusUnsupportedMediaType, s.do(avalara.Managed, http.MethodGet, path, "", withHeader("Content-Type", "text/xml")).status)
	require.NoError(t, s.Reset())
	assert.Equal(t, http.StatusNotFound, s.do(avalara.Managed, http.MethodGet, path, "").status)
	assert.EqualValues(t, 1, s.served())
}

func TestManagedValidation(t *testing.T) {
	s := serve(t, mockapi.Config{})
	long := func(n int) string { return strings.Repeat("é", n) }
	param := func(name, value, unit string) []any {
		return []any{map[string]any{"name": "url", "value": "x"}, map[string]any{"name": name, "value": value, "unit": unit}}
	}
	required := func(leaf string) string { return "Field " + leaf + " is required." }
	limit := func(leaf, n string) string {
		return "Field '" + leaf + "' must be no more than " + n + " characters in length."
	}
	for name, row := range map[string]struct {
		change   map[string]any
		number   int
		refersTo string
		text     string // of message or description
	}{
		"no country":           {map[string]any{"countryOfDestination": nil}, 5, "countryOfDestination", required("countryOfDestination")},
		"blank country":        {map[string]any{"countryOfDestination": "  "}, 5, "countryOfDestination", required("countryOfDestination")},
		"three letters":        {map[string]any{"countryOfDestination": "CAN"}, 14, "countryOfDestination", limit("countryOfDestination", "2")},
		"unknown country":      {map[string]any{"countryOfDestination": "XX"}, 125, "countryOfDestination", "The country 'XX' is not a recognized country code."},
		"small letters":        {map[string]any{"countryOfDestination": "ca"}, 125, "countryOfDestination", "The country 'ca' is not a recognized country code."},
		"unknown activity":     {map[string]any{"activity": "HS8"}, 164, "activity", "The value 'HS8' is not valid for field 'activity'."},
		"no item":              {map[string]any{"item": nil}, 5, "item", required("item")},
		"no companyId":         {map[string]any{"item.companyId": nil}, 5, "item.companyId", required("companyId")},
		"no itemCode":          {map[string]any{"item.itemCode": nil}, 5, "item.itemCode", required("itemCode")},
		"long itemCode":        {map[string]any{"item.itemCode": long(256)}, 14, "item.itemCode", limit("itemCode", "255")},
		"long parentCode":      {map[string]any{"item.parentCode": long(256)}, 14, "item.parentCode", limit("parentCode", "255")},
		"no description":       {map[string]any{"item.description": ""}, 5, "item.description", required("description")},
		"long description":     {map[string]any{"item.description": long(256)}, 14, "item.description", limit("description", "255")},
		"astral characters":    {map[string]any{"item.description": strings.Repeat("𝒳", 128)}, 14, "item.description", limit("description", "255")},
		"no itemGroup":         {map[string]any{"item.itemGroup": nil}, 5, "item.itemGroup", required("itemGroup")},
		"long itemGroup":       {map[string]any{"item.itemGroup": long(2001)}, 14, "item.itemGroup", limit("itemGroup", "2000")},
		"parameter: no name":   {map[string]any{"item.parameters": param("", "x", "")}, 5, "item.parameters[1].name", required("name")},
		"parameter: bad name":  {map[string]any{"item.parameters": param("smell", "x", "")}, 164, "item.parameters[1].name", "The value 'smell' is not valid for field 'name'."},
		"parameter: no value":  {map[string]any{"item.parameters": param("coo", "", "")}, 5, "item.parameters[1].value", required("value")},
		"parameter: value":     {map[string]any{"item.parameters": param("coo", long(256), "")}, 14, "item.parameters[1].value", limit("value", "255")},
		"parameter: unit":      {map[string]any{"item.parameters": param("coo", "x", long(256))}, 14, "item.parameters[1].unit", limit("unit", "255")},
		"price without a unit": {map[string]any{"item.classificationParameters": param("price", "1", "")}, 5, "item.classificationParameters[1].unit", required("unit")},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.create(row.change)
			assert.Equal(t, http.StatusUnprocessableEntity, got.status)
			assert.Equal(t, "IncorrectData", got.at(t, "error", "target"))
			detail := got.at(t, "error", "details", 0).(map[string]any)
			assert.Len(t, got.at(t, "error", "details"), 1)
			assert.Equal(t, detail["code"], got.at(t, "error", "code"))
			assert.EqualValues(t, row.number, detail["number"])
			assert.Equal(t, row.refersTo, detail["refersTo"])
			assert.Contains(t, []any{detail["message"], detail["description"]}, row.text)
		})
	}
	for name, change := range map[string]map[string]any{
		"the limits themselves": {
			"item.itemCode": long(255), "item.parentCode": long(255), "item.description": long(255), "item.itemGroup": long(2000),
			"item.summary": long(5000), "item.parameters": param("coo", long(255), long(255)),
		},
		"companyId zero": {"item.companyId": 0},
		"null lists":     {"item.parameters": []any(nil), "item.unknown": 1},
	} {
		assert.Equal(t, http.StatusCreated, s.create(change).status, name)
	}
	assert.EqualValues(t, 3, s.served(), "a refused request costs nothing")
}

func TestManagedSaysEverythingThatIsWrong(t *testing.T) {
	s := serve(t, mockapi.Config{})
	got := s.do(avalara.Managed, http.MethodPost, managedPath, `{"item":{}}`)
	assert.Equal(t, "ValueRequiredError", got.at(t, "error", "code"))
	var fields []string
	for i := range got.at(t, "error", "details").([]any) {
		fields = append(fields, got.at(t, "error", "details", i, "refersTo").(string))
	}
	assert.Equal(t, []string{"countryOfDestination", "item.companyId", "item.itemCode", "item.description", "item.itemGroup"}, fields)
}

func TestMalformedJSON(t *testing.T) {
	s := serve(t, mockapi.Config{})
	for _, body := range []string{
		``, `null`, `[]`, `"x"`, `{`, `{} {}`, `{"item":[]}`, `{"item":{"companyId":"3402"}}`, `{"item":{"companyId":1.5}}`,
		`{"countryOfDestination":1}`, `{"item":{"parameters":[{"name":"price","value":12.31}]}}`,
	} {
		got := s.do(avalara.Managed, http.MethodPost, managedPath, body)
		assert.Equal(t, http.StatusBadRequest, got.status, body)
		assert.Equal(t, "ModelStateInvalid", got.at(t, "error", "code"), body)
		assert.EqualValues(t, 70, got.at(t, "error", "details", 0, "number"), body)
	}
	assert.Equal(t, http.StatusCreated, s.do(avalara.Managed, http.MethodPost, managedPath, managedBody(t, nil),
		withHeader("Content-Type", `Application/JSON; charset="utf-8"`)).status)
	for _, contentType := range []string{"", "text/json", "application/x-www-form-urlencoded", "application/json, text/plain", "application/problem+json"} {
		got := s.do(avalara.Managed, http.MethodPost, managedPath, managedBody(t, nil), withHeader("Content-Type", contentType))
		assert.Equal(t, http.StatusUnsupportedMediaType, got.status, contentType)
		assert.Equal(t, "HttpRequestHeaders", got.at(t, "error", "target"))
	}
	assert.EqualValues(t, 1, s.served())
}
