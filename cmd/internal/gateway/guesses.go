package gateway

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// How guesses at keys are slowed. A wrong key costs its name nothing at another address,
// and an address that calls with a right key goes on with that one: behind a proxy all
// callers have one address.
const (
	freeOfName    = 5  // wrong keys of a name from an address, before it has to wait
	freeOfAddress = 50 // wrong keys of all names from an address
	longestWait   = 5 * time.Minute
	forgottenIn   = time.Hour // after the last wrong key
	mostKnown     = 10_000    // names at addresses, and addresses, that are kept in mind
	guessLocks    = 64
)

// guesses slows those who guess keys: 1 s after the first wrong key too many, twice as
// long after each further one. What it keeps in mind is bounded: who came the longest
// time ago is forgotten first. It is safe for concurrent use.
type guesses struct {
	now  func() time.Time
	seed maphash.Seed
	// at makes those of one address wait for each other: who asks many times at once
	// gets no more answers than one after the other.
	at [guessLocks]sync.Mutex

	mu        sync.Mutex
	names     *latest[caller]       // with wrong keys
	addresses *latest[netip.Prefix] // with wrong keys
	right     *latest[caller]       // with a right key
}

// caller is a name at an address.
type caller struct {
	address netip.Prefix
	name    [16]byte // a hash: names may be long; zero where it is not known
}

// known tells whether it is known which name the identity service takes.
func (c caller) known() bool { return c.name != [16]byte{} }

// attempts are the wrong keys of a caller since they were last forgotten.
type attempts struct {
	wrong int
	last  time.Time
	until time.Time // when it may try again
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{
		now: now, seed: maphash.MakeSeed(),
		names: newLatest[caller](mostKnown), addresses: newLatest[netip.Prefix](mostKnown), right: newLatest[caller](mostKnown),
	}
}

// serve answers with next, where the caller needs not wait.
func (g *guesses) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.Method != http.MethodPost {
		next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	who := callerOf(r, body)
	lock := &g.at[maphash.Comparable(g.seed, who.address)%guessLocks]
	lock.Lock()
	defer lock.Unlock()
	if wait := g.wait(who); wait > 0 {
		seconds := int64((wait + time.Second - 1) / time.Second)
		h := w.Header()
		h.Set("Retry-After", fmt.Sprint(seconds))
		h.Set("Content-Type", "application/json; charset=UTF-8")
		h.Set("Cache-Control", "no-store, no-cache, max-age=0")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprintf(w, `{"error":"temporarily_unavailable","error_description":"too many wrong keys from here: again in %d s"}`+"\n", seconds)
		return
	}
	outcome := &outcome{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(outcome, r)
	switch {
	case outcome.status < http.StatusBadRequest:
		if who.known() { // else the key is perhaps another's than whose name was guessed at
			g.found(who)
		}
	case strings.Contains(outcome.begins.String(), `"invalid_client"`):
		g.missed(who)
	}
}

// wait is how long a caller has to wait before a key of theirs is looked at.
func (g *guesses) wait(who caller) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	var until time.Time
	if a := g.names.get(who); a != nil {
		until = a.until
	}
	if a := g.addresses.get(who.address); a != nil && a.until.After(until) && g.right.get(who) == nil {
		until = a.until
	}
	return until.Sub(now)
}

// missed notes a wrong key.
func (g *guesses) missed(who caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.names.put(who).missed(now, freeOfName)
	g.addresses.put(who.address).missed(now, freeOfAddress)
}

// found notes a right one.
func (g *guesses) found(who caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.names.drop(who)
	g.right.put(who)
}

func (a *attempts) missed(now time.Time, free int) {
	if now.Sub(a.last) > forgottenIn {
		a.wrong = 0
	}
	a.wrong++
	a.last = now
	if over := a.wrong - free; over >= 0 {
		a.until = now.Add(min(time.Second<<min(over, 20), longestWait))
	}
}

// callerOf is who asks: by the name that comes with the key, in whichever way. Of a
// request that has several, or is spelled in a way that not everybody reads alike, it
// is not known which one the identity service takes: it has no name.
func callerOf(r *http.Request, body []byte) caller {
	var names []string
	if scheme, packed, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Basic") {
		pair, err := base64.StdEncoding.DecodeString(packed)
		name, _, _ := strings.Cut(string(pair), ":")
		plain, err2 := url.QueryUnescape(name)
		if err != nil || err2 != nil {
			plain = ""
		}
		names = append(names, plain)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		names = append(names, "")
	}
	for key, values := range form {
		if strings.ToLower(key) == "client_id" {
			names = append(names, values...)
		}
	}
	who := caller{address: addressOf(r.RemoteAddr)}
	if names = slices.Compact(names); len(names) == 1 && names[0] != "" {
		sum := sha256.Sum256([]byte(names[0]))
		copy(who.name[:], sum[:])
	}
	return who
}

// addressOf is an address, of IPv6 the network that one customer has.
func addressOf(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := at.Addr().Unmap().WithZone(""), 64
	if addr.Is4() {
		bits = 32
	}
	prefix, _ := addr.Prefix(bits)
	return prefix
}

// outcome notes how an answer begins.
type outcome struct {
	http.ResponseWriter
	status int
	begins bytes.Buffer
}

func (o *outcome) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

func (o *outcome) Write(p []byte) (int, error) {
	if room := 200 - o.begins.Len(); room > 0 {
		o.begins.Write(p[:min(room, len(p))])
	}
	return o.ResponseWriter.Write(p)
}

// failing ends with an error, or as a body does.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// latest keeps the attempts of those who came last.
type latest[K comparable] struct {
	most  int
	by    map[K]*list.Element
	order *list.List // the latest first
}

type kept[K comparable] struct {
	key K
	attempts
}

func newLatest[K comparable](most int) *latest[K] {
	return &latest[K]{most: most, by: map[K]*list.Element{}, order: list.New()}
}

// get is nil for a key that is not there.
func (l *latest[K]) get(key K) *attempts {
	e, ok := l.by[key]
	if !ok {
		return nil
	}
	l.order.MoveToFront(e)
	return &e.Value.(*kept[K]).attempts
}

// put makes those of a key, where it has none.
func (l *latest[K]) put(key K) *attempts {
	if a := l.get(key); a != nil {
		return a
	}
	if l.order.Len() >= l.most {
		oldest := l.order.Back()
		delete(l.by, oldest.Value.(*kept[K]).key)
		l.order.Remove(oldest)
	}
	one := &kept[K]{key: key}
	l.by[key] = l.order.PushFront(one)
	return &one.attempts
}

func (l *latest[K]) drop(key K) {
	if e, ok := l.by[key]; ok {
		delete(l.by, key)
		l.order.Remove(e)
	}
}
