package guard_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/pace"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

// TestMain lets the tests start themselves as processes that die.
func TestMain(m *testing.M) {
	if runVictim() {
		return
	}
	os.Exit(m.Run())
}

const (
	realID     = "real-client"
	realSecret = "real-license-key-4711"
	hints      = "/hscode/hints"
	managedGet = "/api/v2/companies/1/classifications/hs/1-A-US"
)

// liveConfig says what a live guard under test is made of. The zero one has an
// API that answers 200.
type liveConfig struct {
	Token      string     // that the identity service gives; empty is real-1, real-2, …
	Mode       guard.Mode // offline is live
	Recordings string     // a folder; empty records nothing
	API        http.HandlerFunc
	APIURL     string // instead of API
	Max        int64  // of the run; 0 is 100
	Timeout    time.Duration
	Exhausted  []guard.ExhaustedRule
	Unbilled   []int
	Operations guard.Operations
	Store      func(quota.Store) quota.Store
	Meter      func(guard.Meter) guard.Meter
	Log        *slog.Logger
	Strangers  bool
	Cassette   *guard.Cassette // instead of Recordings
	Mock       http.Handler    // answers for recordings that there are not
	Rate       string          // of the account; empty is none
	MaxWait    time.Duration
}

// live is a live guard with a real ledger, a real identity service and a real
// API, which count what reaches them.
type live struct {
	t        testing.TB
	guard    *guard.Guard
	purchase *guard.Purchase
	store    quota.Store
	path     string // of the ledger
	run      *quota.Run
	ended    bool
	apiURL   string
	token    string

	counted atomic.Int64 // by the API
	tokens  atomic.Int64 // given by the identity service
	now     time.Time
}

func newLive(t testing.TB, cfg liveConfig) *live {
	t.Helper()
	l := &live{t: t, token: cfg.Token, path: filepath.Join(t.TempDir(), "ledger.db"), now: time.Now()}
	identity := httptest.NewServer(http.HandlerFunc(l.identity))
	t.Cleanup(identity.Close)
	l.apiURL = cfg.APIURL
	if l.apiURL == "" {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.counted.Add(1)
			if cfg.API != nil {
				cfg.API(w, r)
			}
		}))
		t.Cleanup(api.Close)
		l.apiURL = api.URL
	}
	store, err := sqlite.Init(t.Context(), sqlite.Config{Path: l.path}, quota.InitSpec{Granted: 100})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	l.store = store
	if cfg.Store != nil {
		l.store = cfg.Store(store)
	}
	if cfg.Max == 0 {
		cfg.Max = 100
	}
	l.run, err = l.begin("r1", cfg.Max)
	require.NoError(t, err)
	t.Cleanup(l.end)
	meter := guard.Metered(l.run, l.store)
	if cfg.Meter != nil {
		meter = cfg.Meter(meter)
	}
	var pacer *pace.Pacer
	if cfg.Rate != "" {
		pacer = pace.New(pace.Config{Keeper: store.(pace.Keeper), Run: "r1", Rates: pace.ParseAll([]string{cfg.Rate}), MaxWait: cfg.MaxWait})
	}
	var ids atomic.Int64
	l.purchase, err = guard.NewPurchase(guard.PurchaseConfig{
		Meter:      meter,
		Upstream:   guard.Upstream{Identity: identity.URL, APIs: map[avalara.API]string{avalara.Current: l.apiURL, avalara.Managed: l.apiURL}, Timeout: cfg.Timeout},
		Credential: guard.Credential{ClientID: realID, ClientSecret: realSecret},
		Exhausted:  cfg.Exhausted, Unbilled: cfg.Unbilled,
		NewID: func() string { return "s" + strconv.FormatInt(ids.Add(1), 10) }, Pace: pacer,
	})
	require.NoError(t, err)
	gc := guard.Config{
		Mode: guard.Live, Operations: cfg.Operations, Tenants: tenants(), Now: func() time.Time { return l.now }, Purchase: l.purchase, Log: cfg.Log, Advise: hint.For, Strangers: cfg.Strangers,
	}
	if cfg.Mode != guard.Offline {
		gc.Mode = cfg.Mode
	}
	if !gc.Mode.Buys() {
		gc.Purchase = nil
	}
	if cfg.Recordings != "" {
		cassette, err := recording.Open(recording.Config{
			Dir: cfg.Recordings, Secrets: []recording.Secret{{Name: "client_secret", Value: realSecret}}, NeverAnswer: guard.Exhausted(cfg.Exhausted),
		})
		require.NoError(t, err)
		gc.Cassette = guard.NewCassette(cassette, 0)
	}
	if cfg.Cassette != nil {
		gc.Cassette = cfg.Cassette
	}
	if cfg.Mock != nil {
		gc.Mock, gc.Cassette.Mock = func(avalara.Environment, avalara.API) http.Handler { return cfg.Mock }, true
	}
	l.guard, err = guard.New(gc)
	require.NoError(t, err)
	return l
}

// identity gives the tokens real-1, real-2, …
func (l *live) identity(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != avalara.PathToken || r.PostFormValue("client_id") != realID || r.PostFormValue("client_secret") != realSecret {
		l.t.Errorf("the identity service was asked %s %s", r.Method, r.URL)
	}
	w.Header().Set("Content-Type", "application/json")
	token := fmt.Sprintf("real-%d", l.tokens.Add(1))
	if l.token != "" {
		token = l.token
	}
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token)
}

func (l *live) begin(id string, most int64) (*quota.Run, error) {
	client := quota.Client{Store: l.store, Loopback: true}
	return client.Begin(context.Background(), quota.RunSpec{ID: id, Max: most, Mode: "live"}, nil)
}

// end ends the run, so that every settlement is in the ledger.
func (l *live) end() {
	if l.ended {
		return
	}
	l.ended = true
	_, err := l.run.End(context.Background(), quota.Counters{})
	assert.NoError(l.t, err)
	report, err := l.store.Verify(context.Background())
	assert.NoError(l.t, err)
	assert.Empty(l.t, report.Problems)
}

// request is one to the current API, with a good dummy token.
func (l *live) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+dummyToken(l.t, avalara.ScopeHSCode, l.now))
	return r
}

func (l *live) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	l.guard.Handler(avalara.Sandbox, avalara.Current).ServeHTTP(rec, r)
	return rec
}

func (l *live) post(path string) *httptest.ResponseRecorder {
	return l.do(l.request(http.MethodPost, path, `{"a":1}`))
}

// spent ends the run and says how many units count.
func (l *live) spent() int {
	l.t.Helper()
	l.end()
	status, err := l.store.Status(context.Background())
	require.NoError(l.t, err)
	assert.Zero(l.t, status.Held)
	return int(status.Spent)
}

// journal ends the run and lists its spends and what became of them.
func (l *live) journal() []string {
	l.t.Helper()
	l.end()
	var lines []string
	for e, err := range l.store.Entries(context.Background(), 0) {
		require.NoError(l.t, err)
		switch e.Kind {
		case quota.KindSpend:
			lines = append(lines, fmt.Sprintf("%s spend %d", e.ID, e.Units))
		case quota.KindSettle:
			lines = append(lines, fmt.Sprintf("%s %s %d", e.ID, e.Outcome, e.Status))
		case quota.KindRefund:
			lines = append(lines, fmt.Sprintf("%s refund: %s", e.ID, e.Note))
		case quota.KindExhaust:
			lines = append(lines, fmt.Sprintf("exhaust %d", e.Status))
		}
	}
	return lines
}

// refused asserts that the guard answered itself.
func (l *live) refused(rec *httptest.ResponseRecorder, verdict guard.Verdict) {
	l.t.Helper()
	want := http.StatusFailedDependency
	if verdict == guard.UpstreamFailed {
		want = http.StatusBadGateway
	}
	assert.Equal(l.t, want, rec.Code, rec.Body)
	assert.Equal(l.t, string(verdict), rec.Header().Get(guard.VerdictHeader), rec.Body)
	assert.Equal(l.t, "application/problem+json", rec.Header().Get("Content-Type"))
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
