package bounded

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"
)

// memory is shared out among large bodies, or large answers, in bytes, to whoever asked
// first. What one may become is set aside before more of it is read, so that no two wait
// for each other; what it takes grows with what came. The zero memory has none.
type memory struct {
	size int64

	mu      sync.Mutex
	held    int64
	holders map[*share]struct{}
	queue   list.List // of *wanted
}

// share is what one body, or one answer, has of the memory.
type share struct {
	conn  *conn
	bytes int64 // under memory.mu

	// stalls is since when nothing has moved that the caller was waited for, in
	// nanoseconds, 0 while nobody waits.
	stalls atomic.Int64
}

// wanted is a share that somebody waits for.
type wanted struct {
	share *share
	bytes int64
	given chan struct{}
}

// take sets a share aside, and returns false when there was no room for it in all that
// time. While others wait, one whose caller stalls is cut off.
func (m *memory) take(s *share, bytes int64, most time.Duration) bool {
	m.mu.Lock()
	w := &wanted{s, min(bytes, m.size), make(chan struct{})}
	place := m.queue.PushBack(w)
	m.hand()
	m.mu.Unlock()
	end := time.NewTimer(most)
	defer end.Stop()
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	for {
		select {
		case <-w.given:
			return true
		case <-ticks.C:
			m.cutStalled()
		case <-end.C:
			m.mu.Lock()
			defer m.mu.Unlock()
			if _, given := m.holders[s]; given {
				return true
			}
			m.queue.Remove(place)
			m.hand() // those behind it may want less
			return false
		}
	}
}

// hand gives out what there is, in the order of the queue. It must be called under
// the lock.
func (m *memory) hand() {
	for first := m.queue.Front(); first != nil; first = m.queue.Front() {
		w := first.Value.(*wanted)
		if m.held+w.bytes > m.size {
			return
		}
		m.queue.Remove(first)
		m.held += w.bytes
		w.share.bytes = w.bytes
		if m.holders == nil {
			m.holders = map[*share]struct{}{}
		}
		m.holders[w.share] = struct{}{}
		close(w.given)
	}
}

// release gives a share back.
func (m *memory) release(s *share) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, holds := m.holders[s]; !holds {
		return
	}
	delete(m.holders, s)
	m.held -= s.bytes
	m.hand()
}

// cutStalled closes the connections of those that have stopped.
func (m *memory) cutStalled() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for s := range m.holders {
		if since := s.stalls.Load(); since != 0 && time.Since(time.Unix(0, since)) > stalled {
			s.conn.cut()
		}
	}
}
