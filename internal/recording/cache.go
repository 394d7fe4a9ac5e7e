package recording

import (
	"cmp"
	"sync"
)

// cacheFiles is how many parsed recordings are kept, and cacheBytes how long their files
// are together: all answers to one request are in its file, and where each is bought
// again it grows without end. Beyond either the cache starts anew, which is simple and
// costs one more read each.
const (
	cacheFiles = 4096
	cacheBytes = 32 << 20
)

// cache keeps parsed recordings for as long as their files stay the same. The zero cache
// is empty.
type cache struct {
	mu    sync.RWMutex
	kept  map[string]*cached
	bytes int64 // of the files of those that are kept
	most  int64 // what bytes may be. Zero means cacheBytes
}

type cached struct {
	is  seen
	rec *Recording
}

// of is the recording of a file that was just seen so, nil where that is not kept: writers
// replace files, never change them, and whoever changes one all the same changes when that
// was.
func (c *cache) of(file string, is *seen) *Recording {
	c.mu.RLock()
	old := c.kept[file]
	c.mu.RUnlock()
	if old != nil && old.is.same(is) {
		return old.rec
	}
	return nil
}

// keep notes what was read. A file that is longer than all may be together is not kept.
func (c *cache) keep(file string, is seen, rec *Recording) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(file)
	most := cmp.Or(c.most, cacheBytes)
	if is.size() > most {
		return
	}
	if c.kept == nil || len(c.kept) >= cacheFiles || c.bytes+is.size() > most {
		c.kept, c.bytes = make(map[string]*cached), 0
	}
	c.kept[file] = &cached{is, rec}
	c.bytes += is.size()
}

// forget lets go what a write has made old.
func (c *cache) forget(file string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(file)
}

// drop is forget under the lock.
func (c *cache) drop(file string) {
	if old, ok := c.kept[file]; ok {
		c.bytes -= old.is.size()
		delete(c.kept, file)
	}
}
