package mockapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
)

// A megabyte of empty items took four seconds and 140 MB, for an answer that names a
// hundred of them.
func TestWrongBatchesTakeLittle(t *testing.T) {
	s := serve(t, mockapi.Config{})
	h, auth := s.Handler(avalara.Current), "Bearer "+s.token("c", nil)
	ask := func(items string) (status int, body string) {
		req := httptest.NewRequest(http.MethodPost, avalara.PathClassifyFromHS6, strings.NewReader(`{"items":[`+items+`]}`))
		req.Header.Set("Authorization", auth)
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w.Code, w.Body.String()
	}
	many := strings.Repeat("{},", 300_000)
	allocs := testing.AllocsPerRun(1, func() {
		status, body := ask(many + "{}")
		assert.Equal(t, http.StatusUnprocessableEntity, status)
		assert.Equal(t, 100, strings.Count(body, `"refersTo"`))
	})
	assert.Less(t, allocs, 500_000.0, "one for each item, to see that it is an object")
	status, _ := ask(many + "7")
	assert.Equal(t, http.StatusBadRequest, status, "one that is no object is found all the same")
	status, _ = ask("null")
	assert.Equal(t, http.StatusUnprocessableEntity, status)
}
