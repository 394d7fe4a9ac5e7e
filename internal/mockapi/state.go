package mockapi

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// state is what a Server remembers of each account: the units it has used,
// which only ever count up, and its managed classifications. Its memory is
// bounded by maxAccounts, maxKept, maxKeptBytes and maxAllBytes.
type state struct {
	allowance *int64
	reads     int
	delay     time.Duration
	log       *stateLog // nil keeps it in memory
	// counts is the state that counts the units, of an account by the name that
	// it has in countsAs. Nil means that this one does.
	counts   *state
	countsAs map[string]string
	// all are the bytes of all that count here, its own among them.
	all atomic.Int64

	mu      sync.Mutex
	served  map[string]int64
	refused int64
	kept    map[managedKey]*record
	order   []managedKey // oldest first; a repeated POST keeps its place
	bytes   int
	last    int64 // the last item id
}

// How many classifications are kept, and how many bytes of the requests that
// made them. Beyond either the oldest are forgotten. Those that count in one place,
// as all clients of a server do, have maxAllBytes together: whoever comes to more
// forgets its own.
const (
	maxKept      = 10_000
	maxKeptBytes = 64 << 20
	maxAllBytes  = 2 * maxKeptBytes
)

// How many accounts are told apart, and how long the name of one may be, in bytes, as
// it is kept and as JSON writes it. Those that come later share one: what they use counts.
const (
	maxAccounts    = 100_000
	maxAccountName = 200
	others         = "others"
)

// known is the name by which an account is kept, a copy: it may be a part of a longer text.
func (s *state) known(account string) string {
	if quoted, err := asLine(account); err != nil || len(quoted) > maxAccountName+len("\"\"\n") {
		account = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(account)))
	}
	counts := s.root()
	counts.mu.Lock()
	defer counts.mu.Unlock()
	if _, ok := counts.served[account]; !ok && len(counts.served) >= maxAccounts {
		return others
	}
	return strings.Clone(account)
}

// root is the state that counts for this one, however far up.
func (s *state) root() *state {
	for s.counts != nil {
		s = s.counts
	}
	return s
}

type managedKey struct{ account, company, id string }

// record is a classification with its final result, and what says whether that
// result shows yet.
type record struct {
	Classification classification `json:"classification"`
	Size           int            `json:"size"` // of its request, in bytes
	Since          time.Time      `json:"since"`
	Reads          int            `json:"reads"` // GETs so far, as far as they matter
}

// change is one step of a state. Every change of the memory goes through apply,
// and is a line of the log before.
type change struct {
	Account string `json:"account,omitempty"`
	// Served are the account's units from now on. Zero leaves them.
	Served int64   `json:"served,omitempty"`
	Put    *record `json:"put,omitempty"`
	// Read is the id of a classification that has now been read Reads times.
	Read  string `json:"read,omitempty"`
	Reads int    `json:"reads,omitempty"`
	// Reset forgets all classifications.
	Reset bool `json:"reset,omitempty"`
}

func newState(allowance *int64, reads int, delay time.Duration) *state {
	switch {
	case reads < 0 || reads == 0 && delay > 0:
		reads = 0
	case reads == 0:
		reads = 1
	}
	if allowance != nil {
		n := *allowance
		allowance = &n
	}
	return &state{
		allowance: allowance, reads: reads, delay: delay,
		served: make(map[string]int64), kept: make(map[managedKey]*record),
	}
}

// commit writes a change down and then makes it.
func (s *state) commit(c change) error {
	if s.log != nil {
		if s.log.isHalf() {
			if err := s.rewrite(); err != nil {
				return err
			}
		}
		if err := s.log.append(c); err != nil {
			return err
		}
	}
	s.apply(c)
	if s.log != nil && s.log.size > s.log.anew && s.rewrite() != nil {
		s.log.later() // what was served is on disk, in the longer file
	}
	return nil
}

func (s *state) apply(c change) {
	if c.Served > 0 {
		s.served[c.Account] = c.Served
	}
	switch {
	case c.Put != nil:
		s.keep(c.Account, c.Put)
	case c.Read != "":
		if r, ok := s.kept[keyOf(c.Account, c.Read)]; ok {
			r.Reads = c.Reads
		}
	case c.Reset:
		s.kept, s.order = make(map[managedKey]*record), nil
		s.holds(-s.bytes)
	}
}

func (s *state) keep(account string, r *record) {
	key := keyOf(account, r.Classification.ID)
	if old, ok := s.kept[key]; ok {
		s.holds(-old.Size)
	} else {
		s.order = append(s.order, key)
	}
	s.kept[key] = r
	s.holds(r.Size)
	s.last = max(s.last, r.Classification.Item.ID)
	for len(s.order) > 1 && (len(s.order) > maxKept || s.bytes > maxKeptBytes) || len(s.order) > 0 && s.root().all.Load() > maxAllBytes {
		s.holds(-s.kept[s.order[0]].Size)
		delete(s.kept, s.order[0])
		s.order = s.order[1:]
	}
}

// holds notes that so many bytes more are kept.
func (s *state) holds(bytes int) {
	s.bytes += bytes
	s.root().all.Add(int64(bytes))
}

// affords tells whether an account has n units left, and counts a refusal where
// it has not.
func (s *state) affords(account string, n int64) bool {
	if s.allowance != nil && s.served[account]+n > *s.allowance {
		s.refused++
		return false
	}
	return true
}

// take counts n units of an account. It counts none when there are fewer left,
// or when the count can't be written.
func (s *state) take(account string, n int64) (bool, error) {
	if s.counts != nil {
		return s.counts.take(cmp.Or(s.countsAs[account], account), n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.affords(account, n) {
		return false, nil
	}
	err := s.commit(change{Account: account, Served: s.served[account] + n})
	return err == nil, err
}

// create counts a unit and keeps c, whose request was size bytes long, both or
// neither. It returns what the POST shows, and false when no unit is left.
func (s *state) create(account string, c classification, size int, now time.Time) (classification, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	served := int64(0)
	if s.counts != nil {
		if ok, err := s.counts.take(cmp.Or(s.countsAs[account], account), 1); !ok || err != nil {
			return classification{}, false, err
		}
	} else if !s.affords(account, 1) {
		return classification{}, false, nil
	} else {
		served = s.served[account] + 1
	}
	if old, ok := s.kept[keyOf(account, c.ID)]; ok {
		c.Item.ID, c.Item.CreatedDate = old.Classification.Item.ID, old.Classification.Item.CreatedDate
	} else {
		c.Item.ID, c.Item.CreatedDate = s.last+1, now.UTC().Format(time.RFC3339)
	}
	r := &record{Classification: c, Size: size, Since: now}
	if err := s.commit(change{Account: account, Served: served, Put: r}); err != nil {
		return classification{}, false, err
	}
	return s.shown(r, now), true, nil
}

// read returns what the next GET shows, and counts it as long as that matters.
func (s *state) read(account, company, id string, now time.Time) (classification, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.kept[managedKey{account, company, id}]
	if !ok {
		return classification{}, false, nil
	}
	if r.Reads <= s.reads {
		if err := s.commit(change{Account: account, Read: id, Reads: r.Reads + 1}); err != nil {
			return classification{}, false, err
		}
	}
	return s.shown(r, now), true, nil
}

// shown is r as a client sees it now. A POST is read zero, so it shows the
// result only where nothing has to be waited for.
func (s *state) shown(r *record, now time.Time) classification {
	if s.reads > 0 && r.Reads <= s.reads || now.Before(r.Since.Add(s.delay)) {
		return r.Classification.pending()
	}
	return r.Classification
}

// reset forgets the classifications, and no unit.
func (s *state) reset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(change{Reset: true})
}

func (s *state) usage() Usage {
	if s.counts != nil {
		return s.counts.usage()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u := Usage{Refused: s.refused}
	if s.allowance != nil {
		n := *s.allowance
		u.Granted = &n
	}
	for _, n := range s.served {
		u.Served += n
	}
	return u
}

func keyOf(account, id string) managedKey {
	return managedKey{account, classification{ID: id}.company(), id}
}
