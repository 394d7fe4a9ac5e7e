package recording

import "sync"

// Cursor remembers how far one run has replayed each recording. The zero Cursor
// is a run at its start. It may be used concurrently.
type Cursor struct {
	mu   sync.Mutex
	next map[string]int
}

// Serve returns the take that answers k now. A recording whose last take cost
// something serves that one; one of cost 0 serves its takes in order, one each
// call, and then the last again: a poll sees PENDING become CLASSIFIED. Errors
// are those of [Store.Get]. The take is shared and must not be changed.
func (s *Store) Serve(c *Cursor, k Key) (*Take, error) {
	rec, err := s.Get(k)
	if err != nil {
		return nil, err
	}
	if rec.Latest().Cost > 0 {
		return rec.Latest(), nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(map[string]int)
	}
	i := min(c.next[k.Sum], len(rec.Takes)-1)
	c.next[k.Sum] = i + 1
	return &rec.Takes[i], nil
}
