package control

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
)

// defaultSize is how many entries a zero [Journal] keeps.
const defaultSize = 1000

// maxText is how many bytes an entry keeps of each text; maxHeaders is how many
// headers. maxJournal is how many bytes the entries of a journal hold together.
const (
	maxText    = 4 << 10
	maxHeaders = 64
	maxJournal = 8 << 20
)

// Entry is one request as a mock saw it. Secrets in it are masked.
type Entry struct {
	// Seq numbers the entries of one journal from 1, without gaps.
	Seq int64 `json:"seq"`
	// Time is by the mock's clock.
	Time time.Time `json:"time"`
	// Service tells which mock wrote it, for example "sandbox identity".
	Service string `json:"service,omitempty"`
	// Endpoint is the mock's own name of the endpoint, such as token or api, by which
	// [Fault.On] strikes; "unknown" where there is none.
	Endpoint string `json:"endpoint"`
	// Method is the HTTP method.
	Method string `json:"method"`
	// Path is the URL's path, decoded, at most 4096 bytes of it.
	Path string `json:"path"`
	// Query is the URL's query as it was sent, at most 4096 bytes of it. Empty is none.
	Query string `json:"query,omitempty"`
	// Header has at most 64 of the request's headers, 4096 bytes of each value. Nil is
	// none.
	Header http.Header `json:"header,omitempty"`
	// Body is the request's body as it was sent, at most 4096 bytes of it. Empty is
	// none.
	Body string `json:"body,omitempty"`
	// Client is the client id the request came with or its token names. Empty is none.
	Client string `json:"client,omitempty"`
	// Status is the HTTP status of the answer; 0 where the connection was closed
	// without one.
	Status int `json:"status"`
	// Faulted tells that a [Fault] struck the request.
	Faulted bool `json:"faulted,omitempty"`
}

// String is a line for a failure message.
func (e Entry) String() string {
	return fmt.Sprintf("%d %s %s %s -> %d", e.Seq, e.Service, e.Method, e.Path, e.Status)
}

// Journal keeps the last entries in bounded memory. The zero Journal keeps
// a thousand of them, and fewer where they hold more than 8 MiB.
type Journal struct {
	// Size is how many entries to keep. Zero means 1000. It must
	// not change after the first Record.
	Size int
	// Within is a journal whose memory this one shares: where all that share it hold
	// more than 64 MiB, the largest of them forgets its older entries. Nil shares none.
	// It must not change after the first Record.
	Within *Journal

	mu      sync.Mutex
	entries []Entry // oldest first
	bytes   int
	last    int64         // the last entry's Seq
	changed chan struct{} // closed at the next Record

	shared room // of those within this one, itself among them
}

// Record numbers e, masks what must not be kept and stores it.
func (j *Journal) Record(e Entry) {
	e.Header = cutHeader(MaskHeader(e.Header))
	// What is cut is masked as what is whole: the cut only ends its last value.
	e.Method, e.Client, e.Path, e.Query, e.Body = cut(e.Method), cut(e.Client), cut(e.Path), MaskForm(cut(e.Query)), MaskForm(cut(e.Body))
	j.mu.Lock()
	j.last++
	e.Seq = j.last
	j.entries, j.bytes = append(j.entries, e), j.bytes+e.size()
	for len(j.entries) > cmp.Or(max(j.Size, 0), defaultSize) || j.bytes > maxJournal {
		j.drop()
	}
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
	j.share()
	j.mu.Unlock()
	for all := &j.root().shared; ; {
		largest := all.largest()
		if largest == nil {
			return
		}
		largest.halve()
	}
}

// drop forgets the oldest entry. It must be called under the lock, as share.
func (j *Journal) drop() {
	j.bytes -= j.entries[0].size()
	j.entries[0] = Entry{} // its texts go at once
	j.entries = j.entries[1:]
}

// halve forgets the older half, of one entry the whole.
func (j *Journal) halve() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for range (len(j.entries) + 1) / 2 {
		j.drop()
	}
	j.share()
}

// root is the journal that this one is within, however far up.
func (j *Journal) root() *Journal {
	for j.Within != nil {
		j = j.Within
	}
	return j
}

// share tells the others how much is held here.
func (j *Journal) share() { j.root().shared.holds(j, j.bytes) }

// size is about how many bytes an entry holds.
func (e Entry) size() int {
	n := 512 + len(e.Method) + len(e.Path) + len(e.Query) + len(e.Body) + len(e.Client)
	for name, values := range e.Header {
		n += 64 + len(name)
		for _, value := range values {
			n += 16 + len(value)
		}
	}
	return n
}

// cut bounds a text. What is kept is a copy: a short one may be a part of a long one too,
// as a client's id is of the form that it came with, and all of that would be kept.
func cut(s string) string { return strings.Clone(s[:min(len(s), maxText)]) }

// cutHeader bounds a header that is the journal's own.
func cutHeader(h http.Header) http.Header {
	n := 0
	for name, values := range h {
		if n++; n > maxHeaders || len(name) > maxText {
			delete(h, name)
			continue
		}
		for i := range values {
			values[i] = cut(values[i])
		}
	}
	return h
}

// Entries returns the kept entries whose Seq is greater than since, oldest
// first.
func (j *Journal) Entries(since int64) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := sort.Search(len(j.entries), func(i int) bool { return j.entries[i].Seq > since })
	return append([]Entry{}, j.entries[first:]...)
}

// Count is how many kept entries match. A nil match takes all.
func (j *Journal) Count(match func(Entry) bool) int {
	n := 0
	for _, e := range j.Entries(0) {
		if match == nil || match(e) {
			n++
		}
	}
	return n
}

// Clear forgets the entries but goes on with their numbers.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries, j.bytes = nil, 0
	j.share()
}

// WaitFor returns the matching entries as soon as there are n of them. When ctx
// ends first its error says what came instead. A nil match takes all.
func (j *Journal) WaitFor(ctx context.Context, n int, match func(Entry) bool) ([]Entry, error) {
	for {
		j.mu.Lock()
		if j.changed == nil {
			j.changed = make(chan struct{})
		}
		changed := j.changed
		j.mu.Unlock()

		got, other := Sort(j.Entries(0), match)
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return got, Missing(ctx.Err(), n, got, other)
		}
	}
}

// Sort parts entries into those that match and the others. A nil match takes
// all.
func Sort(entries []Entry, match func(Entry) bool) (got, other []Entry) {
	for _, e := range entries {
		if match == nil || match(e) {
			got = append(got, e)
		} else {
			other = append(other, e)
		}
	}
	return got, other
}

// Missing is the error of a wait for n entries that ended, for cause, with those
// it got, and the others that came instead.
func Missing(cause error, n int, got, other []Entry) error {
	return fmt.Errorf("%w: %d of %d requests came%s", cause, len(got), n, listing(other))
}

// listing names what came instead, newest last, ten at most.
func listing(entries []Entry) string {
	if len(entries) == 0 {
		return ", and no others"
	}
	const most = 10
	var b strings.Builder
	fmt.Fprintf(&b, "; %d others did:", len(entries))
	for _, e := range entries[max(0, len(entries)-most):] {
		b.WriteString("\n  " + e.String())
	}
	return b.String()
}
