package mockapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
)

var update = flag.Bool("update", false, "pack docs/openapi.json anew")

// document is the OpenAPI document, with its schemas as JSON Schema 2020-12,
// which those of OpenAPI 3.1 are.
type document struct {
	root     map[string]any
	compiler *jsonschema.Compiler
	mu       sync.Mutex // the compiler's
}

var openAPI = sync.OnceValue(func() *document {
	text, err := mockapi.OpenAPI()
	if err != nil {
		panic(err)
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	d := &document{root: root.(map[string]any), compiler: jsonschema.NewCompiler()}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("openapi.json", root); err != nil {
		panic(err)
	}
	return d
})

// at is the value at a path of keys, nil where there is none.
func (d *document) at(path ...string) map[string]any {
	v := d.root
	for _, key := range path {
		v, _ = v[key].(map[string]any)
	}
	return v
}

// valid checks JSON against the schema at a path of keys.
func (d *document) valid(t testing.TB, body string, path ...string) {
	t.Helper()
	pointer := "openapi.json#"
	for _, key := range path {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
	}
	d.mu.Lock()
	schema, err := d.compiler.Compile(pointer)
	d.mu.Unlock()
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	require.NoError(t, err)
	assert.NoError(t, schema.Validate(value), body)
}

// template finds the document's path for a request's, empty where there is
// none on that host.
func (d *document) template(api avalara.API, path string) string {
	for template := range d.at("paths") {
		holes := regexp.MustCompile(`\\\{companyId\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[1-9][0-9]*`)
		holes = regexp.MustCompile(`\\\{hsClassificationId\\\}`).ReplaceAllString(holes, `[^/]+`)
		managed := strings.HasPrefix(template, "/api/")
		if managed == (api == avalara.Managed) && regexp.MustCompile("^"+holes+"/?$").MatchString(path) && !strings.HasSuffix(path, "//") {
			if managed || !strings.HasSuffix(path, "/") {
				return template
			}
		}
	}
	return ""
}

// checkDocumented compares an answer with what the document says of it: the
// status, the headers, and every member of the body, with none besides.
func checkDocumented(t testing.TB, api avalara.API, r *http.Request, a answer) {
	t.Helper()
	d := openAPI()
	template := d.template(api, r.URL.EscapedPath())
	operation := d.at("paths", template, strings.ToLower(r.Method))
	switch {
	case template == "":
		assert.Equal(t, http.StatusNotFound, a.status, "%s is not in the document", r.URL.Path)
		return
	case operation == nil:
		assert.Equal(t, http.StatusMethodNotAllowed, a.status, "%s %s is not in the document", r.Method, template)
		return
	}
	path := []string{"paths", template, strings.ToLower(r.Method), "responses", strconv.Itoa(a.status)}
	response := d.at(path...)
	if !assert.NotNil(t, response, "%s %s has no answer %d in the document", r.Method, template, a.status) {
		return
	}
	if ref, ok := response["$ref"].(string); ok {
		path = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		response = d.at(path...)
	}
	headers, _ := response["headers"].(map[string]any)
	for name := range a.header {
		switch name {
		case "Content-Type", "Content-Length", "Date":
		default:
			found := false
			for documented := range headers {
				found = found || strings.EqualFold(documented, name)
			}
			assert.True(t, found, "%s %s %d: header %s is not in the document", r.Method, template, a.status, name)
		}
	}
	if a.body == "" {
		assert.Contains(t, []int{401, 402, 403}, a.status, "an answer without a body")
		return
	}
	if assert.NotNil(t, response["content"], "%s %s: the document has no body for %d", r.Method, template, a.status) {
		d.valid(t, a.body, append(path, "content", "application/json", "schema")...)
	}
}

// What the program serves is docs/openapi.json.
func TestOpenAPIIsPacked(t *testing.T) {
	want, err := os.ReadFile("../../docs/openapi.json")
	require.NoError(t, err)
	if *update {
		packer, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile("openapi.json.zst", packer.EncodeAll(want, nil), 0o644))
		return
	}
	got, err := mockapi.OpenAPI()
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got), "openapi.json.zst is old: go test ./internal/mockapi -run TestOpenAPIIsPacked -update")
}

func TestOpenAPIMarksEverything(t *testing.T) {
	marked := 0
	check := func(where string, v map[string]any) {
		if _, ref := v["$ref"]; ref && v["x-status"] == nil && !strings.Contains(where, "properties") {
			return // marked where it leads
		}
		marked++
		assert.Contains(t, []any{"verified", "assumed"}, v["x-status"], where)
		assert.NotEmpty(t, v["x-source"], where)
	}
	var walk func(where string, v any)
	walk = func(where string, v any) {
		switch v := v.(type) {
		case []any:
			for i, e := range v {
				walk(where+"/"+strconv.Itoa(i), e)
			}
		case map[string]any:
			for key, e := range v {
				below := where + "/" + key
				inner, _ := e.(map[string]any)
				switch {
				case strings.HasSuffix(where, "/then") || strings.HasSuffix(where, "/if"):
					continue // no field of its own
				case key == "properties" || key == "responses" || key == "schemas" || key == "securitySchemes":
					for name, member := range inner {
						check(below+"/"+name, member.(map[string]any))
					}
				case inner["operationId"] != nil, key == "schema" && inner["$ref"] == nil && inner["oneOf"] == nil:
					check(below, inner)
				}
				walk(below, e)
			}
		}
	}
	walk("", openAPI().root)
	assert.Greater(t, marked, 100)
}

// Every path, host and method of the facts is in the document, and nothing else.
func TestOpenAPIHasEveryOperation(t *testing.T) {
	var got []string
	for path, item := range openAPI().at("paths") {
		for method := range item.(map[string]any) {
			if method == "get" || method == "post" {
				got = append(got, method+" "+path)
			}
		}
	}
	assert.ElementsMatch(t, []string{
		"post " + avalara.PathClassify, "post " + avalara.PathClassifyFromHS6, "post " + avalara.PathEnhanced, "post " + avalara.PathHints,
		"post " + avalara.PathManaged, "get " + avalara.PathManaged + "/{hsClassificationId}",
	}, got)
}

// Each limit and enum of the document is the handlers' own: a value that just
// fits is taken, one more is not.
func TestOpenAPIHasTheHandlersLimits(t *testing.T) {
	s := serve(t, mockapi.Config{})
	limits := 0
	properties := openAPI().at("components", "schemas", "ItemRequest", "properties")
	for name := range properties {
		field := properties[name].(map[string]any)
		most, ok := field["maxLength"].(json.Number)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(most.String())
		require.NoError(t, err)
		limits++
		assert.Equal(t, http.StatusCreated, s.create(map[string]any{"item." + name: long(n)}).status, name)
		assert.Equal(t, http.StatusUnprocessableEntity, s.create(map[string]any{"item." + name: long(n + 1)}).status, name)
	}
	assert.Equal(t, 4, limits)
	for _, name := range openAPI().at("components", "schemas", "Parameter", "properties", "name")["enum"].([]any) {
		assert.Equal(t, http.StatusCreated, s.create(map[string]any{"item.parameters": one(name.(string), "1", "USD")}).status, name)
	}
	openAPI().valid(t, managedBody(t, nil), "components", "schemas", "ClassificationRequest")
	openAPI().valid(t, shirt, "components", "schemas", "ProductRequest")
}
