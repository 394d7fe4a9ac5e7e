package mockapi_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/mockapi"
	"github.com/hsharness/hsharness/mockidp/control"
)

func TestAllowanceIsExactUnderConcurrency(t *testing.T) {
	n := int64(100)
	s := serve(t, mockapi.Config{Allowance: &n})
	var ok, limited atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 3 {
				switch a, err := s.send(avalara.Current, http.MethodPost, avalara.PathClassify, shirt); {
				case err != nil:
				case a.status == http.StatusOK:
					ok.Add(1)
				case a.status == http.StatusTooManyRequests:
					limited.Add(1)
				}
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 100, ok.Load())
	assert.EqualValues(t, 92, limited.Load())
	assert.Equal(t, mockapi.Usage{Granted: &n, Served: 100, Refused: 92}, s.Usage())
}

func TestUsageOnTheWire(t *testing.T) {
	s := serve(t, mockapi.Config{})
	s.classify()
	data, err := json.Marshal(s.Usage())
	require.NoError(t, err)
	assert.Equal(t, `{"granted":null,"served":1,"refused":0}`, string(data))
}

func TestAllowanceIsPerAccountOverAllHosts(t *testing.T) {
	n := int64(2)
	s := serve(t, mockapi.Config{Allowance: &n})
	assert.Equal(t, http.StatusOK, s.classify().status)
	assert.Equal(t, http.StatusCreated, s.create(nil).status)
	got := s.do(avalara.Legacy, http.MethodPost, avalara.PathClassify, shirt)
	assert.Equal(t, http.StatusTooManyRequests, got.status)
	assert.Equal(t, `{"error":{"code":"RequestLimitExceeded","message":"Request limit exceeded.","target":"CustomerAccountSetup","details":[`+
		`{"code":"RequestLimitExceeded","number":1715,"message":"Request limit exceeded.","description":"The account has used all the requests it may make.",`+
		`"faultCode":"Client","helpLink":"http://developer.avalara.com/avatax/errors/RequestLimitExceeded","refersTo":"","severity":"Error"}]}}`, got.body)
	assert.NotContains(t, got.header, "Retry-After")
	assert.Equal(t, got.body, s.create(map[string]any{"item.itemCode": "SKU002"}).body)
	assert.Equal(t, http.StatusNotFound, s.read("3402-SKU002-CA").status, "nothing was made")
	assert.Equal(t, http.StatusOK, s.read("3402-SKU001-CA").status, "a GET goes on")
	assert.Equal(t, http.StatusOK, s.classify(s.as("another account", nil)).status)
	require.NoError(t, s.Reset())
	assert.Equal(t, http.StatusTooManyRequests, s.classify().status, "nothing sets the counts back")
	assert.Equal(t, mockapi.Usage{Granted: &n, Served: 3, Refused: 3}, s.Usage())
}

func TestBatchCostsItsItemsOrNothing(t *testing.T) {
	n := int64(5)
	s := serve(t, mockapi.Config{Allowance: &n})
	item := `{"hs6":"6109.10","country":"US"}`
	batch := func(n int) answer {
		return s.do(avalara.Current, http.MethodPost, avalara.PathClassifyFromHS6, `{"items":[`+strings.Repeat(item+",", n-1)+item+`]}`)
	}
	got := batch(3)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Regexp(t, `^610910\d{4}$`, got.at(t, "items", 2, "hsCode"))
	assert.Equal(t, http.StatusTooManyRequests, batch(3).status)
	assert.EqualValues(t, 3, s.served())
	assert.Equal(t, http.StatusOK, batch(2).status)
	assert.EqualValues(t, 5, s.served())
}

func TestExhaustedProfiles(t *testing.T) {
	zero := int64(0)
	want := map[mockapi.Profile]struct {
		status     int
		retryAfter string
		part       string
	}{
		mockapi.RequestLimit:    {429, "", `"number":1715`},
		mockapi.Subscription:    {403, "", `"number":600`},
		mockapi.RateLimit:       {429, "60", `"number":1723`},
		mockapi.PaymentRequired: {402, "", ""},
		mockapi.Gateway:         {429, "", `{"message":"Limit Exceeded"}`},
	}
	require.Len(t, mockapi.Profiles(), len(want))
	for _, p := range mockapi.Profiles() {
		got := serve(t, mockapi.Config{Allowance: &zero, Exhausted: p}).classify()
		assert.Equal(t, want[p].status, got.status, p)
		assert.Equal(t, want[p].retryAfter, got.header.Get("Retry-After"), p)
		assert.Contains(t, got.body, want[p].part, p)
		assert.Equal(t, p == mockapi.PaymentRequired, got.body == "", p)
	}
}

func TestStateSurvivesRestart(t *testing.T) {
	file, n := filepath.Join(t.TempDir(), "state.json"), int64(3)
	s := serve(t, mockapi.Config{Allowance: &n, StateFile: file})
	s.classify()
	s.classify(s.as("another account", nil))
	s = serve(t, mockapi.Config{Allowance: &n, StateFile: file})
	assert.EqualValues(t, 2, s.served())
	s.classify()
	s.classify()
	assert.Equal(t, http.StatusTooManyRequests, s.classify().status)

	s = serve(t, mockapi.Config{Allowance: &n, StateFile: file})
	assert.Equal(t, mockapi.Usage{Granted: &n, Served: 4}, s.Usage())
	left, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	assert.Equal(t, []string{file}, left, "no temporary file stays")
}

func TestStateIsOnDiskBeforeTheAnswer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	s := serve(t, mockapi.Config{StateFile: file})
	require.NoError(t, s.Faults().Add(control.Fault{Drop: true, After: true}))
	_, err := s.send(avalara.Current, http.MethodPost, avalara.PathClassify, shirt)
	require.Error(t, err, "the answer was dropped")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(data), `{"account":"2000000001","served":1}`)
}

func TestUnwritableStateServesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	require.NoError(t, os.Mkdir(dir, 0o700))
	file := filepath.Join(dir, "state.json")
	s := serve(t, mockapi.Config{StateFile: file})
	require.NoError(t, os.RemoveAll(dir))
	got := s.classify()
	assert.Equal(t, http.StatusInternalServerError, got.status)
	assert.Contains(t, got.body, "state file: ")
	assert.Zero(t, s.served())

	_, err := mockapi.New(mockapi.Config{StateFile: file})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestWrongStateFile(t *testing.T) {
	for content, want := range map[string]string{
		``:                                     "is no JSON of this program",
		`{"format":3,"environment":"sandbox"}`: "has format 3 of the sandbox, not format 1 or 2 of the sandbox",
		`{"format":1,"environment":"production"}`:                                           "has format 1 of the production, not format 1 or 2 of the sandbox",
		"{\"format\":2,\"environment\":\"sandbox\"}\n{\n{}\n":                               "is damaged in line 2",
		`{"format":1,"environment":"sandbox","served":{"a":-1}}`:                            "has -1 units for account a",
		`{"format":1,"environment":"sandbox","served":{"a":9223372036854775807}}`:           "has 9223372036854775807 units for account a, and 0 to 9007199254740992 can be",
		"{\"format\":2,\"environment\":\"sandbox\"}\n{\"account\":\"a\",\"served\":-1}\n":   "is damaged in line 2: it has -1 units",
		"{\"format\":2,\"environment\":\"sandbox\"}\n" + strings.Repeat(" ", 32<<20) + "\n": "can't be read in line 2: more than 33554432 bytes in one line",
	} {
		file := filepath.Join(t.TempDir(), "state.json")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, err := mockapi.New(mockapi.Config{StateFile: file})
		assert.ErrorContains(t, err, want)
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, content, string(got), "a file that is not understood stays as it is")
	}
}

func TestFaultsBeforeAreFreeAndAfterAreCounted(t *testing.T) {
	s := serve(t, mockapi.Config{})
	s.documented = false // a fault answers anything
	require.NoError(t, s.Faults().Add(control.Fault{On: "api", Client: "2000000001", Scope: avalara.ScopeHSCode, Status: 503}))
	assert.Equal(t, http.StatusOK, s.classify(s.as("another account", nil)).status)
	assert.Equal(t, http.StatusServiceUnavailable, s.classify().status)
	assert.EqualValues(t, 1, s.served(), "before the work: free")

	require.NoError(t, s.Faults().Add(control.Fault{On: "api", Status: 502, After: true}))
	assert.Equal(t, http.StatusBadGateway, s.classify().status)
	assert.EqualValues(t, 2, s.served(), "after the work: counted")

	require.NoError(t, s.Faults().Add(control.Fault{Truncate: 10}))
	_, err := s.send(avalara.Current, http.MethodPost, avalara.PathClassify, shirt)
	require.Error(t, err)
	assert.EqualValues(t, 3, s.served())
	assert.Equal(t, 3, s.Journal().Count(func(e control.Entry) bool { return e.Faulted }))
}
