package recording

import "sync"

// Cursor remembers how far one run has replayed each recording. The zero Cursor
// is a run at its start. It may be used concurrently.
type Cursor struct {
	mu   sync.Mutex
	next map[string]int
}

// Serve returns the take that answers k now, and its recording. A recording whose
// last answer cost something serves that one; one of cost 0 serves its answers in
// order, one each call, and then the last again: a poll sees PENDING become
// CLASSIFIED. Errors are those of [Store.Answer]. Nothing of the result must be
// changed.
func (s *Store) Serve(c *Cursor, k Key) (*Recording, *Take, error) {
	rec, take, err := s.Answer(k)
	if err != nil || take.Cost > 0 {
		return rec, take, err
	}
	answers := rec.answering()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(map[string]int)
	}
	i := min(c.next[k.Sum], len(answers)-1)
	c.next[k.Sum] = i + 1
	return rec, answers[i], nil
}
