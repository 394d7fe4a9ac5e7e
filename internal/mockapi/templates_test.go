package mockapi_test

import (
	"net/http"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
)

func folder(files map[string]string) fstest.MapFS {
	f := fstest.MapFS{}
	for name, text := range files {
		f[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return f
}

func TestTemplatesReplaceTheAssumedShapes(t *testing.T) {
	s := serve(t, mockapi.Config{Templates: folder(map[string]string{
		"request.json":  `{"description":["goods_text"],"country":["to"],"hs6":["six"],"inside":["payload"],"items":["rows"]}`,
		"classify.json": `{"results":[{{range $i, $m := .Found}}{{if $i}},{{end}}{"code":{{json .Code}},"score":{{.Confidence}}}{{end}}],"for":{{json .Country}},"said":{{json .Text}}}`,
		".note":         "a file whose name begins with a dot is nobody's",
	})})
	got := s.do(avalara.Current, http.MethodPost, avalara.PathClassify, `{"payload":{"GoodsText":"men's \"cotton\" t-shirt <M>"},"to":"us"}`)
	assert.Equal(t, http.StatusOK, got.status, got.body)
	assert.Equal(t, "6109100012", got.at(t, "results", 0, "code"))
	assert.Equal(t, "US", got.at(t, "for"))
	assert.Equal(t, `men's "cotton" t-shirt <M>`, got.at(t, "said"))

	got = s.do(avalara.Current, http.MethodPost, avalara.PathClassify, shirt)
	assert.Equal(t, http.StatusUnprocessableEntity, got.status, "the names that were replaced are no more")

	got = s.do(avalara.Current, http.MethodPost, avalara.PathClassifyFromHS6, `{"rows":[{"six":"6109.10","to":"DE"}]}`)
	assert.Equal(t, "61091000", got.at(t, "items", 0, "hsCode"), "the answers that were not replaced are the built-in ones")
	assert.Equal(t, http.StatusBadRequest, s.do(avalara.Current, http.MethodPost, avalara.PathClassifyFromHS6, `{"rows":7}`).status)
	assert.EqualValues(t, 2, s.served())
}

func TestWrongTemplates(t *testing.T) {
	for want, files := range map[string]map[string]string{
		`template clasify.json is none of request.json, classify.json, enhanced.json, hints.json, classify_from_hs6.json`: {"clasify.json": "{}"},
		`classify.json:2: bad character U+007D '}'`: {"classify.json": "{\n{{json .Text}"},
		`classify.json makes an answer that is no JSON: invalid character 't' looking for beginning of object key string, with 0 found`: {
			"classify.json": `{{if .Found}}{}{{else}}{ {{.Text}} }{{end}}`},
		`hints.json makes an answer of more than 16 MB, with 2 found`: {"hints.json": `[{{range 1000}}{{range 1000}}00000000000000000000000000000000,{{end}}{{end}}0]`},
		`enhanced.json loops more than a million times, with 2 found`: {"enhanced.json": `{{range 1000000000}}{{end}}0`},
		`hints.json loops more than a million times, with 2 found`: {
			"hints.json": `{{define "a"}}{{if 1}}{{range 10}}{{template "b"}}{{end}}{{end}}{{end}}{{define "b"}}{{with 1}}{{range 1000}}{{template "c"}}{{end}}{{end}}{{end}}{{define "c"}}{{range 1000}}{{end}}{{end}}{{template "a"}}0`},
		`is a part of itself`: {"hints.json": `{{define "a"}}{{range .}}{{else}}{{template "b"}}{{end}}{{end}}{{define "b"}}{{if 1}}{{else}}{{template "a"}}{{end}}{{end}}{{template "a"}}0`},
		`hints.json:1:7: executing "hints.json" at <.Colour>: can't evaluate field Colour in type mockapi.answerData, with 2 found`: {
			"hints.json": `{{json .Colour}}`},
		"request.json:2:1: invalid character ':' looking for beginning of value": {"request.json": "{\"more\":\n::}"},
		`request.json:2:1: more follows after its end`:                           {"request.json": "{\"more\":[]}\n{\"hs6\":[\"six\"]}"},
		`request.json:1:12: json: unknown field "moar"`:                          {"request.json": `{"moar":[]}`},
	} {
		_, err := mockapi.New(mockapi.Config{Templates: folder(files)})
		require.Error(t, err, want)
		assert.Contains(t, err.Error(), want)
	}
}
