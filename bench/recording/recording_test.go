package recording

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gopkg.in/dnaeon/go-vcr.v4/pkg/recorder"

	"github.com/hsharness/hsharness/bench"
	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	cassette "github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/quota"
	"github.com/hsharness/hsharness/quota/sqlite"
)

const (
	body   = `{"description":"T-shirts, singlets and other vests, knitted or crocheted, of cotton","countryOfDestination":"US","weight":1.5}`
	answer = `{"hsCode":"6109100000","description":"T-shirts","countryOfDestination":"US","confidence":0.91}`
)

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// identity signs the dummy tokens.
type identity struct {
	key   *rsa.PrivateKey
	token string
}

func newIdentity(b *testing.B) identity {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(b, err)
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString([]byte(`{"alg":"RS256","kid":"k","typ":"at+jwt"}`)) + "." + enc.EncodeToString(
		fmt.Appendf(nil, `{"iss":"https://idp.test","exp":%d,"client_id":"c","scope":["hs-code-classification"]}`, time.Now().Add(time.Hour).Unix()))
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	must(b, err)
	return identity{key, signed + "." + enc.EncodeToString(sig)}
}

// newGuard is a guard over a folder of recordings. Without a purchase it
// replays, with both it records, and without a folder it only buys.
func newGuard(b *testing.B, id identity, store *cassette.Store, purchase *guard.Purchase) *guard.Guard {
	b.Helper()
	cfg := guard.Config{
		Purchase: purchase,
		Tenants: map[avalara.Environment]guard.Tenant{"sandbox": {
			Issuers: []string{"https://idp.test"}, Key: func(string) *rsa.PublicKey { return &id.key.PublicKey },
		}},
	}
	switch {
	case store == nil:
		cfg.Mode = guard.Live
	case purchase == nil:
		cfg.Mode, cfg.Cassette = guard.Replay, guard.NewCassette(store, 0)
	default:
		cfg.Mode, cfg.Cassette = guard.Record, guard.NewCassette(store, 0)
	}
	g, err := guard.New(cfg)
	must(b, err)
	return g
}

// service is the sandbox: tokens, and the answer.
func service() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/connect/token" {
			_, _ = io.WriteString(w, `{"access_token":"real","token_type":"Bearer","expires_in":3600}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, answer)
	})
}

// metered is a run of a real ledger with all the units that a benchmark wants.
func metered(b *testing.B, upstream string) (*guard.Purchase, *quota.Run) {
	b.Helper()
	ctx := context.Background()
	store, err := sqlite.Init(ctx, sqlite.Config{Path: filepath.Join(b.TempDir(), "ledger.db")}, quota.InitSpec{Granted: 1e9})
	must(b, err)
	b.Cleanup(func() { must(b, store.Close()) })
	client := quota.Client{Store: store, Loopback: true}
	run, err := client.Begin(ctx, quota.RunSpec{ID: "bench", Max: 1e8, Mode: "record"}, nil)
	must(b, err)
	b.Cleanup(func() { _, err := run.End(ctx, quota.Counters{}); must(b, err) })
	var ids atomic.Int64
	purchase, err := guard.NewPurchase(guard.PurchaseConfig{
		Meter: guard.Metered(run, store), Max: 1e8,
		Upstream:   guard.Upstream{Identity: upstream, APIs: map[avalara.API]string{"current": upstream}},
		Credential: guard.Credential{ClientID: "id", ClientSecret: "a-secret-of-some-length"},
		NewID:      func() string { return "s" + strconv.FormatInt(ids.Add(1), 10) },
	})
	must(b, err)
	return purchase, run
}

func openCassette(b *testing.B) *cassette.Store {
	b.Helper()
	store, err := cassette.Open(cassette.Config{
		Dir: filepath.Join(b.TempDir(), "recordings"), Secrets: []cassette.Secret{{Name: "client_secret", Value: "a-secret-of-some-length"}},
	})
	must(b, err)
	return store
}

func request(b *testing.B, base, token, body string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, base+"/hscode/classify", strings.NewReader(body))
	must(b, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func exchange(b *testing.B, rt http.RoundTripper, r *http.Request) {
	resp, err := rt.RoundTrip(r)
	must(b, err)
	text, err := io.ReadAll(resp.Body)
	must(b, err)
	must(b, resp.Body.Close())
	if string(text) != answer {
		b.Fatalf("answer %d %s", resp.StatusCode, text)
	}
}

// recorded is a folder with the answer in it, as a guard recorded it.
func recorded(b *testing.B, id identity) *cassette.Store {
	b.Helper()
	upstream := httptest.NewServer(service())
	defer upstream.Close()
	store := openCassette(b)
	purchase, _ := metered(b, upstream.URL)
	g := newGuard(b, id, store, purchase)
	exchange(b, g.Transport("sandbox", "current"), request(b, "http://api", id.token, body))
	return store
}

// BenchmarkReplayTransport answers a request from its recording, in the process.
// The guard also checks the token's signature, and prices the request. go-vcr
// does not wait for the recorded time, and answers the same interaction each
// time, as the guard does.
func BenchmarkReplayTransport(b *testing.B) {
	id := newIdentity(b)
	ours := newGuard(b, id, recorded(b, id), nil).Transport("sandbox", "current")

	upstream := httptest.NewServer(service())
	cassette := filepath.Join(b.TempDir(), "cassette")
	rec, err := recorder.New(cassette, recorder.WithMode(recorder.ModeRecordOnly))
	must(b, err)
	exchange(b, rec, request(b, upstream.URL, id.token, body))
	must(b, rec.Stop())
	upstream.Close()
	theirs, err := recorder.New(cassette, recorder.WithMode(recorder.ModeReplayOnly),
		recorder.WithSkipRequestLatency(true), recorder.WithReplayableInteractions(true))
	must(b, err)
	defer func() { must(b, theirs.Stop()) }()

	bench.Pair(b,
		func() func() { r := request(b, upstream.URL, id.token, body); return func() { exchange(b, ours, r) } },
		func() func() { r := request(b, upstream.URL, id.token, body); return func() { exchange(b, theirs, r) } })
}

// BenchmarkReplayHandler answers over HTTP from a recording, beside a bare
// reverse proxy to a server on loopback that answers at once.
func BenchmarkReplayHandler(b *testing.B) {
	id := newIdentity(b)
	ours := httptest.NewServer(newGuard(b, id, recorded(b, id), nil).Handler("sandbox", "current"))
	defer ours.Close()
	upstream := httptest.NewServer(service())
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	must(b, err)
	theirs := httptest.NewServer(httputil.NewSingleHostReverseProxy(target))
	defer theirs.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()

	bench.Pair(b,
		func() func() { r := request(b, ours.URL, id.token, body); return func() { exchange(b, transport, r) } },
		func() func() {
			r := request(b, theirs.URL, id.token, body)
			return func() { exchange(b, transport, r) }
		})
}

// BenchmarkMetering compares a metered request with a client that writes the
// same durable spend and then makes the same exchange, on a bare transport that
// keeps no connection either. The difference is the guard's own: token, price,
// credential, header rules, settlement. What a recording costs besides is
// measured apart: it is written, flushed and renamed once for each answer that
// is bought.
func BenchmarkMetering(b *testing.B) {
	id := newIdentity(b)
	upstream := httptest.NewServer(service())
	defer upstream.Close()
	purchase, run := metered(b, upstream.URL)
	metered := newGuard(b, id, nil, purchase).Transport("sandbox", "current")
	bare := &http.Transport{DisableKeepAlives: true}
	ctx := context.Background()

	var ours, theirs []time.Duration
	n := 0
	for b.Loop() {
		n++
		r := request(b, "http://api", id.token, body)
		ours = append(ours, bench.Timed(func() { exchange(b, metered, r) }))
		aside := "aside-" + strconv.Itoa(n)
		r = request(b, upstream.URL, "real", body)
		theirs = append(theirs, bench.Timed(func() {
			_, err := run.Spend(ctx, quota.SpendSpec{ID: aside, Units: 1, Operation: "POST /hscode*/**"})
			must(b, err)
			exchange(b, bare, r)
			must(b, run.Settle(quota.Settlement{Spend: aside, Outcome: quota.Answered, Status: 200}))
		}))
	}
	b.ReportMetric(0, "ns/op")
	metric := func(d time.Duration, name string) { b.ReportMetric(float64(d)/1e3, name) }
	metric(bench.Median(ours), "metered-µs")
	metric(bench.Median(theirs), "spend+bare-µs")
	metric(bench.Median(ours)-bench.Median(theirs), "guard-µs")
}
