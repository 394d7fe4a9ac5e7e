package mockapi_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/mockidp/control"
)

// batchShape is a batch by six digits as if it had been learned.
func batchShape(t *testing.T) *shape.Set {
	t.Helper()
	set, err := shape.Read("mock", fstest.MapFS{"batch.learned.json": {Data: []byte(`{
	  "format": 1, "operation": "POST /hscode/classify_from_hs6",
	  "learned": { "recordings": ["0"], "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z" },
	  "request": { "items": "/items/*", "hs6": ["/items/*/hs6"] },
	  "answers": [ { "when": "found", "from": 1, "status": 200, "body": { "$each": "items", "item": "$code" } } ]
	}`)}})
	require.NoError(t, err)
	return set
}

// ask sends a batch to the current host, with a token.
func (s *service) ask(h http.Handler, token, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, avalara.PathClassifyFromHS6, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// A megabyte of empty items took 560 MB where a shape was learned, for a refusal.
func TestWrongBatchesOfALearnedShapeTakeLittle(t *testing.T) {
	s := serve(t, mockapi.Config{Learned: batchShape(t)})
	h, token := s.Handler(avalara.Current), s.token("c", nil)
	assert.Equal(t, http.StatusOK, s.ask(h, token, `{"items":[{"hs6":"610910"}]}`).Code)
	many := `{"items":[` + strings.Repeat("{},", 300_000) + `{}]}`
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	assert.Equal(t, http.StatusUnprocessableEntity, s.ask(h, token, many).Code)
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.TotalAlloc)-int64(before.TotalAlloc), int64(300<<20), "bytes")
}

// What one long body takes, thirty at a time would take thirty times: an answer asks the clock
// while it is made, and then no other long one is.
func TestLongBodiesOfALearnedShapeAreReadOneAtATime(t *testing.T) {
	t.Parallel()
	var s *service
	alone := false
	clock := control.NewClock(func() time.Time {
		alone = alone || s != nil && s.ReadsLong()
		return start
	})
	s = serve(t, mockapi.Config{Learned: batchShape(t), Clock: clock})
	h, token := s.Handler(avalara.Current), s.token("c", nil)
	for note, long := range map[string]bool{"short": false, strings.Repeat("n", 70_000): true} {
		alone = false
		assert.Equal(t, http.StatusOK, s.ask(h, token, `{"note":"`+note+`","items":[{"hs6":"610910"}]}`).Code)
		assert.Equal(t, long, alone)
		assert.False(t, s.ReadsLong(), "it is over")
	}
}

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

// Of two operations with one path the second was never answered.
func TestLearnedOperationsOfOnePathAreToldApartByTheirMethod(t *testing.T) {
	folder := fstest.MapFS{}
	for _, method := range []string{"GET", "POST"} {
		folder[method+".learned.json"] = &fstest.MapFile{Data: []byte(`{
		  "format": 1, "operation": "` + method + ` /hscode/new",
		  "learned": { "recordings": ["0"], "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z" },
		  "request": { "text": ["?q"] }, "answers": [ { "when": "found", "from": 1, "status": 200, "body": "` + method + `" } ]
		}`)}
	}
	set, err := shape.Read("mock", folder)
	require.NoError(t, err)
	s := serve(t, mockapi.Config{Learned: set})
	for _, method := range []string{"GET", "POST", "PUT"} {
		req := httptest.NewRequest(method, "/hscode/new?q=cotton+shirt", nil)
		req.Header.Set("Authorization", "Bearer "+s.token("c", nil))
		w := httptest.NewRecorder()
		s.Handler(avalara.Current).ServeHTTP(w, req)
		if method == "PUT" {
			assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
			continue
		}
		assert.Equal(t, `"`+method+`"`, w.Body.String())
	}
}

// A GET that was learned of a path that has a POST by itself leaves that one as it is.
func TestLearnedMethodLeavesTheOneOfThePath(t *testing.T) {
	set, err := shape.Read("mock", fstest.MapFS{"get.learned.json": &fstest.MapFile{Data: []byte(`{
	  "format": 1, "operation": "GET ` + avalara.PathClassify + `",
	  "learned": { "recordings": ["0"], "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z" },
	  "request": { "text": ["?q"] }, "answers": [ { "when": "found", "from": 1, "status": 200, "body": "learned" } ]
	}`)}})
	require.NoError(t, err)
	s := serve(t, mockapi.Config{Learned: set})
	ask := func(method, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(method, avalara.PathClassify+"?q=cotton+shirt", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+s.token("c", nil))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.Handler(avalara.Current).ServeHTTP(w, req)
		return w
	}
	assert.Equal(t, `"learned"`, ask("GET", "").Body.String())
	posted := ask("POST", `{"description":"men's cotton t-shirt","countryOfDestination":"US"}`)
	assert.Equal(t, http.StatusOK, posted.Code)
	assert.Contains(t, posted.Body.String(), "6109")
	put := ask("PUT", "")
	assert.Equal(t, http.StatusMethodNotAllowed, put.Code)
	assert.Equal(t, "POST", put.Header().Get("Allow"))
}
