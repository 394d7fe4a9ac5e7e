package bounded

import (
	"container/list"
	"sync"
	"time"
)

// memory is shared out among large bodies, in bytes, to whoever asked first. What
// a body may become is set aside before more of it is read, so that no two wait
// for each other; what it takes grows with what came. The zero memory has none.
type memory struct {
	size int64

	mu      sync.Mutex
	held    int64
	holders map[*body]struct{}
	queue   list.List // of *wanted
}

// wanted is a share that somebody waits for.
type wanted struct {
	body  *body
	bytes int64
	given chan struct{}
}

// take sets a share aside for a body, and returns false when there was no room for
// it in all that time. While others wait, a body that stalls is cut off.
func (m *memory) take(b *body, bytes int64, most time.Duration) bool {
	m.mu.Lock()
	w := &wanted{b, min(bytes, m.size), make(chan struct{})}
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
			if _, given := m.holders[b]; given {
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
		w.body.share = w.bytes
		if m.holders == nil {
			m.holders = map[*body]struct{}{}
		}
		m.holders[w.body] = struct{}{}
		close(w.given)
	}
}

// release gives a body's share back.
func (m *memory) release(b *body) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, holds := m.holders[b]; !holds {
		return
	}
	delete(m.holders, b)
	m.held -= b.share
	m.hand()
}

// cutStalled closes the connections of bodies that have stopped coming.
func (m *memory) cutStalled() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for b := range m.holders {
		if since := b.reading.Load(); since != 0 && time.Since(time.Unix(0, since)) > stalled {
			b.conn.cut()
		}
	}
}
