package tally

import "encoding/binary"

// keys has what happened to each request so far. It is a table of its own, because
// there may be a million requests, and looking one up in a map costs more than all else
// that a statement does.
type keys struct {
	slots []slot // as many as a power of two, more than used
	used  int
	tried map[try]bool // the further runs that tried a request
	under *keys        // what was before, which is not changed; nil for nothing
	// fetched keeps the compiler from leaving out what is read to be at hand.
	fetched int32
}

// slot is a request; run is 0 where there is none.
type slot struct {
	request  request
	run      int32 // that tried first, from 1
	answered bool  // with a status below 400
}

type try struct {
	request request
	run     int32
}

const fewestSlots = 1 << 10

// place is where a request stands, or would.
func (k *keys) place(r request) int {
	mask := len(k.slots) - 1
	at := int(binary.LittleEndian.Uint64(r[:])) & mask
	for k.slots[at].run != 0 && k.slots[at].request != r {
		at = (at + 1) & mask
	}
	return at
}

// ahead is how many requests are fetched at a time: as many as a processor has under way.
const ahead = 32

// fetch reads the first slot of requests that are about to be looked up. Of a million each
// is somewhere else in memory, and to wait for one after the other was most of what
// [Journal.take] did; these do not wait for each other.
func (k *keys) fetch(all []unsorted) {
	mask, run := len(k.slots)-1, int32(0)
	for i := range all {
		run |= k.slots[int(binary.LittleEndian.Uint64(all[i].key[:]))&mask].run
	}
	k.fetched = run
}

// get is what is known of a request; its run is 0 for nothing.
func (k *keys) get(r request) slot {
	for ; k != nil; k = k.under {
		if k.used > 0 {
			if s := k.slots[k.place(r)]; s.run != 0 {
				return s
			}
		}
	}
	return slot{request: r}
}

// put notes what is known of a request.
func (k *keys) put(s slot) {
	if 4*(k.used+1) > 3*len(k.slots) {
		k.grow(max(2*len(k.slots), fewestSlots))
	}
	at := k.place(s.request)
	if k.slots[at].run == 0 {
		k.used++
	}
	k.slots[at] = s
}

// grow makes room for so many slots.
func (k *keys) grow(slots int) {
	old := k.slots
	k.slots = make([]slot, slots)
	for _, s := range old {
		if s.run != 0 {
			k.slots[k.place(s.request)] = s
		}
	}
}

// expect makes room for so many requests in all.
func (k *keys) expect(requests int) {
	slots := max(len(k.slots), fewestSlots)
	for 3*slots < 4*requests {
		slots *= 2
	}
	if slots > len(k.slots) {
		k.grow(slots)
	}
}

// tries tells whether a further run tried a request before, and notes that it does.
func (k *keys) tries(t try) bool {
	for at := k; at != nil; at = at.under {
		if at.tried[t] {
			return true
		}
	}
	if k.tried == nil {
		k.tried = map[try]bool{}
	}
	k.tried[t] = true
	return false
}

// sort says what a spend counts as, given those before it.
func (k *keys) sort(u *unsorted, run int32, live bool) kind {
	if u.is == refunded {
		return refunded
	}
	good, is := u.is == nothing, u.is
	if u.key == (request{}) {
		if good && u.units > 0 {
			is = answered
		}
		return is
	}
	key := k.get(u.key)
	known := key.run != 0
	switch {
	case !known:
		key.run = run + 1
	case key.run == run+1 || k.tries(try{u.key, run + 1}):
		is |= retried
	}
	switch {
	case good && key.answered && live:
		is |= again
	case good && key.answered:
		is |= repeated
	case good && u.units > 0:
		is |= answered
	}
	if !known || good && !key.answered {
		key.answered = key.answered || good
		k.put(key)
	}
	return is
}
