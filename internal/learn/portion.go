package learn

import (
	"cmp"
	"slices"
)

// What of one operation is learned from, of answers with one status: each exchange is
// compared with others, and is in memory as long. A sandbox answers a thousand times in all.
const (
	mostRecordings = 2_000
	mostBytes      = 64 << 20 // of their bodies
	mostOfAll      = 1_000_000
)

// portion are the exchanges of an operation with one status that come first in the order of
// their keys. These are digests: the first are as good as any, and the same each time,
// whatever else is there.
type portion struct {
	kept          []*exchange
	bytes, values int
	more          int // that were left out
}

func byKey(a, b *exchange) int { return cmp.Compare(a.key, b.key) }

func (p *portion) add(e *exchange) {
	p.kept = append(p.kept, e)
	p.bytes, p.values = p.bytes+e.bytes, p.values+e.values
	if len(p.kept) > 2*mostRecordings || p.bytes > 2*mostBytes || p.values > 2*mostOfAll {
		p.take()
	}
}

// take leaves out what goes beyond the limits, and returns what is left in its order. One is
// always left.
func (p *portion) take() []*exchange {
	slices.SortFunc(p.kept, byKey)
	n := 0
	p.bytes, p.values = 0, 0
	for _, e := range p.kept[:min(len(p.kept), mostRecordings)] {
		if n > 0 && (p.bytes+e.bytes > mostBytes || p.values+e.values > mostOfAll) {
			break
		}
		p.bytes, p.values = p.bytes+e.bytes, p.values+e.values
		n++
	}
	p.more += len(p.kept) - n
	clear(p.kept[n:])
	p.kept = p.kept[:n]
	return p.kept
}
