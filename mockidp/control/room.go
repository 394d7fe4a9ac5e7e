package control

import "sync"

// maxShared is how many bytes the journals that share a memory hold together, and so
// for scripts. A guard has one of each for every client that has not ended.
const maxShared = 64 << 20

// room knows which journal holds how much. The zero room is ready to use.
type room struct {
	mu    sync.Mutex
	bytes map[*Journal]int // of those that hold anything: no other is kept from being freed
	all   int
}

// holds notes how many bytes a journal holds from now on.
func (r *room) holds(j *Journal, bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all += bytes - r.bytes[j]
	switch {
	case bytes == 0:
		delete(r.bytes, j)
	case r.bytes == nil:
		r.bytes = map[*Journal]int{j: bytes}
	default:
		r.bytes[j] = bytes
	}
}

// largest is the journal that holds the most where all hold too much, else nil.
func (r *room) largest() (largest *Journal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all <= maxShared {
		return nil
	}
	most := 0
	for j, bytes := range r.bytes {
		if bytes > most {
			largest, most = j, bytes
		}
	}
	return largest
}
