package mockapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
)

// FuzzRequest: no path and no body makes a handler panic, answer a status that
// it doesn't have or break its JSON; and exactly the accepted requests count.
func FuzzRequest(f *testing.F) {
	s := serve(f, mockapi.Config{})
	auth := "Bearer " + s.token("c", nil)
	f.Add(true, avalara.PathClassify, shirt)
	f.Add(true, avalara.PathClassify, `{"item":{"DESCRIPTION":"\ud800"},"country":"us"}`)
	f.Add(true, avalara.PathClassifyFromHS6, `{"items":[{"hs6":"6109.10","country":"DE"},null]}`)
	f.Add(true, avalara.PathEnhanced, `{"description":"cotton"}`)
	f.Add(true, avalara.PathHints, `{"product":null,"title":"x"}`)
	f.Add(false, managedPath, managedBody(f, nil))
	f.Add(false, managedPath+"/", `{"item":{"parameters":[null,{"name":"price"}]}}`)
	f.Add(false, managedPath+"/%2F%zz", `{`)
	f.Add(false, "/api/v2/companies/", `[]`)
	f.Fuzz(func(t *testing.T, current bool, path, body string) {
		api := avalara.Managed
		if current {
			api = avalara.Current
		}
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		req.URL.Path = path
		req.Header.Set("Authorization", auth)
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		before := s.served()
		s.Handler(api).ServeHTTP(w, req)
		spent := s.served() - before
		switch w.Code {
		case http.StatusOK, http.StatusCreated:
			if path == avalara.PathClassifyFromHS6 {
				assert.Positive(t, spent)
			} else {
				assert.EqualValues(t, 1, spent)
			}
		case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity:
			assert.Zero(t, spent)
		default:
			t.Fatalf("%d for %q", w.Code, body)
		}
		if w.Body.Len() > 0 {
			assert.True(t, json.Valid(w.Body.Bytes()), "%s", w.Body)
		}
	})
}
