package gateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/mockidp"
)

// door is a gateway's token endpoint, with the key "alice", whose clock a test moves.
type door struct {
	*Gateway
	handler http.Handler
	key     string
	now     time.Time
}

func newDoor(t *testing.T) *door {
	t.Helper()
	key, hash, err := NewKey()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), DefaultKeys)
	require.NoError(t, ChangeKeys(file, func([]Key) ([]Key, error) {
		return []Key{{Name: "alice", Suite: "s", Cap: 1, SHA256: hash}, {Name: "bob", Suite: "s", Cap: 1, SHA256: hash}}, nil
	}))
	store, err := recording.Open(recording.Config{Dir: filepath.Join(t.TempDir(), "recordings")})
	require.NoError(t, err)
	g, err := New(Config{Guard: guard.Config{Cassette: guard.NewCassette(store, 0)}, Keys: NewKeyring(file, "http://127.0.0.1", mockidp.NewMockKeys()), Mode: guard.Limit{Mode: guard.Replay}})
	require.NoError(t, err)
	d := &door{Gateway: g, handler: g.Handler(), key: key, now: time.Now()}
	g.guesses.now = func() time.Time { return d.now }
	return d
}

// ask asks for a token, and is its answer's status and Retry-After.
func (d *door) ask(from, name, key string) (status, after int) {
	status, after, _ = d.asks(from, name, key)
	return status, after
}

func (d *door) asks(from, name, key string) (status, after int, body string) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {name}, "client_secret": {key}}
	r := httptest.NewRequest(http.MethodPost, "/connect/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = from
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	after, _ = strconv.Atoi(w.Header().Get("Retry-After"))
	return w.Code, after, w.Body.String()
}

func TestGuessesAreSlowed(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	const here, there = "192.0.2.1:1000", "192.0.2.2:1000"
	status, _ := d.ask(here, "bob", d.key)
	require.Equal(t, http.StatusOK, status)
	for range freeOfName {
		status, _ = d.ask(here, "alice", "wrong")
		require.Equal(t, http.StatusBadRequest, status)
	}
	for _, want := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		status, after, body := d.asks(here, "alice", d.key)
		require.Equal(t, http.StatusTooManyRequests, status, "a right key is not looked at either")
		require.Equal(t, want, after)
		assert.True(t, json.Valid([]byte(body)), body)
		status, _ = d.ask(there, "alice", d.key)
		assert.Equal(t, http.StatusOK, status, "at another address it is")
		status, _ = d.ask("192.0.2.1:2000", "bob", d.key)
		assert.Equal(t, http.StatusOK, status, "and so is another name's at this one")
		d.now = d.now.Add(time.Duration(want)*time.Second - time.Millisecond)
		status, _ = d.ask(here, "alice", "wrong")
		require.Equal(t, http.StatusTooManyRequests, status)
		d.now = d.now.Add(time.Millisecond)
		status, _ = d.ask(here, "alice", "wrong")
		require.Equal(t, http.StatusBadRequest, status)
	}
	d.now = d.now.Add(longestWait)
	status, _ = d.ask(here, "alice", d.key)
	assert.Equal(t, http.StatusOK, status)
	status, _ = d.ask(here, "alice", "wrong")
	assert.Equal(t, http.StatusBadRequest, status)
	status, _ = d.ask(here, "alice", d.key)
	assert.Equal(t, http.StatusOK, status, "a right key begins anew")
}

// Many names are no way around the wait of one.
func TestGuessesAtManyNamesAreSlowed(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	const here = "[2001:db8::1]:1000"
	status, _ := d.ask(here, "bob", d.key)
	require.Equal(t, http.StatusOK, status)
	for i := range freeOfAddress {
		status, _ = d.ask(fmt.Sprintf("[2001:db8::%x]:1000", i+1), fmt.Sprint("name", i), "wrong")
		require.Equal(t, http.StatusBadRequest, status)
	}
	status, after := d.ask(here, "alice", d.key)
	assert.Equal(t, http.StatusTooManyRequests, status)
	assert.Equal(t, 1, after)
	status, _ = d.ask(here, "bob", d.key)
	assert.Equal(t, http.StatusOK, status, "whose key was right here goes on")
	status, _ = d.ask("[2001:db8:0:1::1]:1000", "alice", d.key)
	assert.Equal(t, http.StatusOK, status)
	d.now = d.now.Add(forgottenIn + time.Second)
	status, _ = d.ask(here, "name", "wrong")
	assert.Equal(t, http.StatusBadRequest, status)
	status, _ = d.ask(here, "alice", d.key)
	assert.Equal(t, http.StatusOK, status, "and all is forgotten after a while")
}

// Neither a key of one's own nor an answer that needs none is a way around the wait for
// the keys of others, however the names are written.
func TestGuessesByOnesOwnKeyAreSlowed(t *testing.T) {
	t.Parallel()
	const (
		typed = "application/x-www-form-urlencoded"
		grant = "grant_type=client_credentials"
	)
	for name, one := range map[string]struct{ basic, body, path, between string }{
		"a Basic header without a key": {basic: "bob:", body: "&client_id=alice&client_secret=wrong"},
		"two names in a form":          {body: "&client_id=alice&client_secret=wrong&CLIENT_ID=bob"},
		"a name in other letters":      {body: "&cl%C4%B0ent_id=alice&client_secret=wrong&client_id=bob"},
		"a form that is spelled badly": {body: "&client_id=alice&client_secret=wrong&x=%zz", between: "&x=%zz"},
		"an answer without a key":      {body: "&client_id=alice&client_secret=wrong", path: avalara.PathDiscovery},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			send := func(path, basic, body string) int {
				r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(grant+body))
				r.Header.Set("Content-Type", typed)
				r.RemoteAddr = "192.0.2.1:1000"
				if basic != "" {
					r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(basic)))
				}
				w := httptest.NewRecorder()
				d.handler.ServeHTTP(w, r)
				return w.Code
			}
			looked := 0
			for range 4 * freeOfAddress {
				send(avalara.PathToken, "", "&client_id=bob&client_secret="+d.key+one.between)
				if one.path != "" {
					send(one.path, "", one.body)
				}
				if send(avalara.PathToken, one.basic, one.body) != http.StatusTooManyRequests {
					looked++
				}
			}
			assert.LessOrEqual(t, looked, freeOfAddress)
			assert.GreaterOrEqual(t, looked, freeOfName)
		})
	}
}

// Asking many times at once gets no more answers than one after the other.
func TestGuessesAtOnceAreSlowed(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	var looked, inside atomic.Int64
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		assert.EqualValues(t, 1, inside.Add(1), "at once")
		for range 1000 {
			runtime.Gosched()
		}
		looked.Add(1)
		inside.Add(-1)
		http.Error(w, `{"error":"invalid_client"}`, http.StatusBadRequest)
	})
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			r := httptest.NewRequest(http.MethodPost, "/connect/token", strings.NewReader("client_id=alice"))
			d.guesses.serve(httptest.NewRecorder(), r, slow)
		})
	}
	wait.Wait()
	assert.EqualValues(t, freeOfName, looked.Load())
}

// Whether a name is there is told by nothing: neither by the answer, nor by when the
// wait begins.
func TestGuessesTellNoNames(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for i := range freeOfName + 1 {
		status, after, body := d.asks("192.0.2.1:1000", "alice", "wrong")
		status2, after2, body2 := d.asks("192.0.2.2:1000", "nobody", "wrong")
		assert.Equal(t, []any{status, after, body}, []any{status2, after2, body2}, "guess %d", i)
	}
}

// However names and addresses come, what is kept in mind is bounded, no wait is longer
// than the longest, and a caller waits for nothing but wrong keys of its own address.
func TestGuessesAreBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Now()
		g := newGuesses(func() time.Time { return now })
		g.names, g.addresses, g.right = newLatest[caller](8), newLatest[netip.Prefix](8), newLatest[caller](8)
		wrong := map[netip.Prefix]int{}
		for range rapid.IntRange(1, 300).Draw(t, "calls") {
			who := caller{address: addressOf(fmt.Sprintf("192.0.2.%d:1", rapid.IntRange(0, 12).Draw(t, "address")))}
			who.name[0] = byte(rapid.IntRange(0, 12).Draw(t, "name"))
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
			wait := g.wait(who)
			if wait > longestWait {
				t.Fatalf("waits %s", wait)
			}
			if wait > 0 && wrong[who.address] < freeOfName {
				t.Fatalf("waits %s for %d wrong keys of its address", wait, wrong[who.address])
			}
			if wait > 0 {
				continue
			}
			if rapid.Bool().Draw(t, "right") {
				g.found(who)
				if again := g.names.get(who); again != nil {
					t.Fatal("a right key does not begin anew")
				}
			} else {
				g.missed(who)
				wrong[who.address]++
			}
			for _, n := range []int{len(g.names.by), g.names.order.Len(), len(g.addresses.by), g.addresses.order.Len(), len(g.right.by), g.right.order.Len()} {
				if n > 8 {
					t.Fatalf("%d are kept in mind", n)
				}
			}
		}
	})
}

func TestGuessesOfAFloodAreForgotten(t *testing.T) { // not parallel: it measures the memory
	g := newGuesses(time.Now)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 50_000 {
		g.missed(caller{address: addressOf(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)), name: [16]byte{byte(i), byte(i >> 8), byte(i >> 16)}})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(10<<20))
	runtime.KeepAlive(g)
}
