package harness_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/hsharness/hsharness/harness"
	"github.com/hsharness/hsharness/mockidp/control"
)

var (
	_ harness.TB = (*testing.T)(nil)
	_ harness.TB = (*testing.B)(nil)
	_ harness.TB = (*testing.F)(nil)
)

// classify is a client as a user would write it.
func classify(client *http.Client, base, description string) (code string, err error) {
	resp, err := client.Post(base+"/hscode/classify", "application/json",
		strings.NewReader(fmt.Sprintf(`{"description":%q,"countryOfDestination":"US"}`, description)))
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}
	var answer struct{ HSCode string }
	return answer.HSCode, json.Unmarshal(body, &answer)
}

func TestClientGetsTokensByItself(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, harness.Options{})
	for base, want := range map[string]string{h.APIURL(): "6109", h.LegacyAPIURL(): "6109"} {
		code, err := classify(h.Client(), base, "men's cotton t-shirt")
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(code, want), code)
	}
	assert.Equal(t, harness.Tally{Requests: 2, Mocked: 2, Units: 2}, h.Tally())
}

func TestClientRenewsItsTokenByTheHarnessClock(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, harness.Options{})
	client := h.Client()
	tokens := func() int {
		n := 0
		for _, e := range h.Requests() {
			if e.Endpoint == "token" {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		advance time.Duration
		tokens  int
	}{{0, 1}, {54 * time.Minute, 1}, {2 * time.Minute, 2}, {66 * time.Minute, 3}} {
		h.Clock().Advance(step.advance)
		_, err := classify(client, h.APIURL(), "laptop")
		require.NoError(t, err)
		assert.Equal(t, step.tokens, tokens(), "after %s more", step.advance)
	}
}

func TestCodeThatFetchesItsOwnTokens(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, harness.Options{})
	cfg := clientcredentials.Config{
		ClientID: h.ClientID(), ClientSecret: h.ClientSecret(), TokenURL: h.TokenURL(), Scopes: []string{"hs-code-classification"},
	}
	_, err := classify(cfg.Client(t.Context()), h.APIURL(), "laptop")
	require.NoError(t, err)
	_, err = classify(cfg.Client(t.Context()), h.LegacyAPIURL(), "laptop")
	assert.EqualError(t, err, "status 403", "the scope of the current host opens no other")
}

func TestRealHostsAreAnsweredHere(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, harness.Options{})
	code, err := classify(h.Client(), "https://hscode.api.sbx.avalara.com", "laptop")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(code, "8471"), code)

	// A client with the hosts built in, and its own token from the real issuer.
	raw := &http.Client{Transport: h.RealHosts()}
	resp, err := raw.PostForm("https://ai-sbx.avlr.sh/connect/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {h.ClientID()}, "client_secret": {h.ClientSecret()},
	})
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&token))
	r, err := http.NewRequest(http.MethodPost, "https://hscode.api.sbx.avalara.com/hscode/classify",
		strings.NewReader(`{"description":"laptop","countryOfDestination":"US"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	answer, err := raw.Do(r)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	assert.Equal(t, http.StatusOK, answer.StatusCode)

	_, err = classify(h.Client(), "https://example.com", "laptop")
	assert.ErrorContains(t, err, "example.com", "nothing may leave the machine")
}

func TestProduction(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, harness.Options{Production: true})
	_, err := classify(h.Client(), h.APIURL(), "laptop")
	require.NoError(t, err)
	assert.Equal(t, harness.Tally{Requests: 1, Mocked: 1}, h.Tally(), "production costs no allowance")
}

func TestFaultsCostNothingBeforeAndAUnitAfter(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, harness.Options{})
	h.Fault(control.Fault{On: "api", Status: 503}, control.Fault{On: "api", Nth: []int{2}, Truncate: 3})
	_, err := classify(h.Client(), h.APIURL(), "laptop")
	assert.EqualError(t, err, "status 503")
	assert.Zero(t, h.Tally().Units)
	_, err = classify(h.Client(), h.APIURL(), "laptop")
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, harness.Tally{Requests: 2, Mocked: 1, Units: 1}, h.Tally())
}

func TestExhaustedSandbox(t *testing.T) {
	t.Parallel()
	one := int64(1)
	h := harness.Start(t, harness.Options{SandboxAllowance: &one})
	_, err := classify(h.Client(), h.APIURL(), "laptop")
	require.NoError(t, err)
	_, err = classify(h.Client(), h.APIURL(), "laptop")
	assert.EqualError(t, err, "status 429")
}

func TestTheMockAPIAnswersAsATestChooses(t *testing.T) {
	t.Parallel()
	none := int64(0)
	for want, o := range map[string]harness.Options{
		"status 402": {SandboxAllowance: &none, API: harness.API{Exhausted: "payment_required"}},
		"status 403": {SandboxAllowance: &none, API: harness.API{Exhausted: "subscription"}},
	} {
		h := harness.Start(t, o)
		_, err := classify(h.Client(), h.APIURL(), "laptop")
		assert.EqualError(t, err, want)
	}
	h := harness.Start(t, harness.Options{API: harness.API{RateLimit: 1, RateWindow: time.Hour}})
	_, err := classify(h.Client(), h.APIURL(), "laptop")
	require.NoError(t, err)
	_, err = classify(h.Client(), h.APIURL(), "laptop")
	assert.EqualError(t, err, "status 429")
}

func TestTokenSkew(t *testing.T) {
	t.Parallel()
	for skew, life := range map[time.Duration]time.Duration{0: 65 * time.Minute, time.Minute: 61 * time.Minute, 10 * time.Minute: 70 * time.Minute, -1: time.Hour} {
		h := harness.Start(t, harness.Options{TokenSkew: skew})
		cfg := clientcredentials.Config{ // caches its token, by another clock
			ClientID: h.ClientID(), ClientSecret: h.ClientSecret(), TokenURL: h.TokenURL(), Scopes: []string{"hs-code-classification"},
		}
		client := cfg.Client(t.Context())
		_, err := classify(client, h.APIURL(), "laptop")
		require.NoError(t, err)
		h.Clock().Advance(life - 30*time.Second)
		_, err = classify(client, h.APIURL(), "laptop")
		require.NoError(t, err, "skew %s", skew)
		h.Clock().Advance(time.Minute)
		_, err = classify(client, h.APIURL(), "laptop")
		require.EqualError(t, err, "status 401", "skew %s", skew)
	}
}

func TestHarnessesAreApart(t *testing.T) {
	t.Parallel()
	a, b := harness.Start(t, harness.Options{}), harness.Start(t, harness.Options{})
	a.Clock().Advance(66 * time.Minute)
	a.Fault(control.Fault{On: "api", Status: 503, Always: true})
	_, err := classify(b.Client(), b.APIURL(), "laptop")
	require.NoError(t, err)
	assert.Zero(t, a.Tally().Requests)
}

// recorder is a TB that notes what a harness does to its test.
type recorder struct {
	testing.TB
	name     string
	cleanups []func()
	fatal    string
	errors   []string
}

func (r *recorder) Name() string { return r.name }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// end runs what the harness wanted to be run at the end.
func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
}

func TestCleanupClosesEverything(t *testing.T) {
	t.Parallel()
	rec := &recorder{TB: t}
	h := harness.Start(rec, harness.Options{})
	u := h.APIURL()
	rec.end()
	_, err := http.Get(u)
	assert.Error(t, err)
	_, err = http.Get(h.IdentityURL())
	assert.Error(t, err)
}

func TestWrongFaultFailsTheTest(t *testing.T) {
	t.Parallel()
	rec := &recorder{TB: t}
	h := harness.Start(rec, harness.Options{})
	h.Fault(control.Fault{})
	assert.Contains(t, rec.fatal, "a fault must do something")
	rec.end()
}

func TestExpectations(t *testing.T) {
	t.Parallel()
	rec := &recorder{TB: t}
	h := harness.Start(rec, harness.Options{})
	for range 2 {
		_, err := classify(h.Client(), h.APIURL(), "laptop")
		require.NoError(t, err)
	}
	h.ExpectSpend(2)
	h.ExpectCalls(2)
	assert.Empty(t, rec.errors)
	h.ExpectSpend(1)
	h.ExpectCalls(1)
	assert.Equal(t, []string{"harness: the requests cost 2 units, want 1 (2 requests)", "harness: the guard saw 2 requests, want 1"}, rec.errors)
	rec.end()
}

func TestReplayAnswersFromRecordingsAndAMissFailsTheTest(t *testing.T) {
	t.Setenv("HSHARNESS_MODE", "replay")
	rec := &recorder{TB: t, name: "TestShop/two goods"}
	h := harness.Start(rec, harness.Options{Recordings: "testdata/recordings"})
	code, err := classify(h.Client(), h.APIURL(), "men's cotton t-shirt")
	require.NoError(t, err)
	assert.Equal(t, "6109100099", code, "the recording's answer, not the mock's")
	h.ExpectSpend(1)
	assert.Equal(t, harness.Tally{Requests: 1, Replayed: 1, Units: 1}, h.Tally())
	_, err = classify(h.Client(), h.APIURL(), "women's cotton t-shirt")
	assert.EqualError(t, err, "status 424")
	assert.Empty(t, rec.errors)
	rec.end()
	require.Len(t, rec.errors, 1)
	assert.Contains(t, rec.errors[0], "buying it costs 1")
	assert.Contains(t, rec.errors[0], `/description: recorded "men's cotton t-shirt", asked "women's cotton t-shirt"`)
	assert.Contains(t, rec.errors[0], "\n  buy what is missing, once there is hsharness.yaml with environments.sandbox: hsharness exec --mode record --max-spend 1 -- go test "+
		`-run '^TestShop$/^two goods$' github.com/hsharness/hsharness/harness`+"\n  exec records by hsharness.yaml: say there what Recordings of this test's Options says")
}

// The project file alone lets the mock answer for recordings, and the test's log says so.
func TestAReplayAnswersFromTheMockWhereTheProjectSaysSo(t *testing.T) {
	t.Setenv("HSHARNESS_MODE", "replay")
	t.Setenv("HSHARNESS_ON_MISS", "mock")
	t.Setenv("CI", "true")
	for _, file := range []string{"version: 1\n", "version: 1\nrecordings: { on_miss: mock }\n"} {
		inProject(t, file)
		rec := &logRecorder{recorder: recorder{TB: t, name: "TestShop"}}
		h := harness.Start(rec, harness.Options{})
		_, err := classify(h.Client(), h.APIURL(), "women's cotton t-shirt")
		rec.end()
		if !strings.Contains(file, "mock") {
			require.EqualError(t, err, "status 424")
			assert.Len(t, rec.errors, 1)
			assert.Empty(t, rec.logs)
			continue
		}
		require.NoError(t, err)
		assert.Empty(t, rec.errors)
		require.Len(t, rec.logs, 1)
		assert.Contains(t, rec.logs[0], "never bought: 1, for 1 units\n  buy what is missing")
		assert.Equal(t, harness.Tally{Requests: 1, Mocked: 1, Unbought: 1, Units: 1}, h.Tally())
	}
}

// logRecorder keeps what a test would log, too.
type logRecorder struct {
	recorder
	logs []string
}

func (r *logRecorder) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

func TestNoVariableMakesATestSpend(t *testing.T) {
	for _, mode := range []string{"record", "live"} {
		t.Setenv("HSHARNESS_MODE", mode)
		rec := &fatalRecorder{recorder: recorder{TB: t}}
		assert.Panics(t, func() { harness.Start(rec, harness.Options{}) })
		assert.Contains(t, rec.fatal, "hsharness exec --mode "+mode+" --max-spend N -- go test ./...")
	}
}

func TestFuzzTargetsStayOffline(t *testing.T) {
	t.Setenv("HSHARNESS_MODE", "replay")
	rec := &recorder{TB: t, name: "FuzzClassify/abc"}
	h := harness.Start(rec, harness.Options{Recordings: "testdata/recordings"})
	_, err := classify(h.Client(), h.APIURL(), "laptop")
	require.NoError(t, err)
	assert.Equal(t, 1, h.Tally().Mocked)
	rec.end()
	assert.Empty(t, rec.errors)
}

// fatalRecorder ends the test's function at Fatalf, as a test does.
type fatalRecorder struct{ recorder }

func (r *fatalRecorder) Fatalf(format string, args ...any) {
	r.recorder.Fatalf(format, args...)
	panic(r.fatal)
}
