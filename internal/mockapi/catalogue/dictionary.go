package catalogue

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// dictionary has terms, in order, and some bytes kept of each. It is read where it
// stands, so that a program which asks one question need not unpack what is known of
// all words. The zero dictionary is empty.
//
// A term has a number, its place in the order. The body has blocks of perBlock terms,
// and of each term: how many bytes it shares with the one before in its block, how many
// more there are, these, how many bytes are kept of it, these.
type dictionary struct {
	n      int
	blocks []byte // where each block begins in body, as fixed says
	body   []byte
}

const perBlock = 16

// fixed is the width of a number that is found by its place; binary.LittleEndian.
const fixed = 4

// numbers are read one after the other, as binary.AppendUvarint writes them.
type numbers []byte

func (b *numbers) next() int {
	if first := (*b)[0]; first < 1<<7 { // most are of one byte
		*b = (*b)[1:]
		return int(first)
	}
	v, n := binary.Uvarint(*b)
	*b = (*b)[n:]
	return int(v) //nolint:gosec // written from an int
}

// take is the next n bytes, without a copy.
func (b *numbers) take(n int) []byte {
	taken := (*b)[:n:n]
	*b = (*b)[n:]
	return taken
}

func appendNumber(b []byte, n int) []byte {
	return binary.AppendUvarint(b, uint64(n)) //nolint:gosec // none is negative
}

// find is what is kept of a term, and its number.
func (d dictionary) find(key []byte) (kept numbers, id int, ok bool) {
	from, to := 0, len(d.blocks)/fixed // the first block that begins after key
	for from < to {
		mid := (from + to) / 2
		head := d.block(mid)
		head.next() // shares nothing
		if bytes.Compare(head.take(head.next()), key) <= 0 {
			from = mid + 1
		} else {
			to = mid
		}
	}
	if from == 0 {
		return nil, 0, false
	}
	rest := d.block(from - 1)
	var buf [64]byte
	term := buf[:0]
	for i := (from - 1) * perBlock; i < min(d.n, from*perBlock); i++ {
		term = append(term[:rest.next()], rest.take(rest.next())...)
		kept = rest.take(rest.next())
		switch bytes.Compare(term, key) {
		case 0:
			return kept, i, true
		case 1:
			return nil, 0, false
		}
	}
	return nil, 0, false
}

// at is what is kept of a term, by its number.
func (d dictionary) at(id int) numbers {
	rest := d.block(id / perBlock)
	for range id % perBlock {
		rest.next()
		rest.take(rest.next())
		rest.take(rest.next())
	}
	rest.next()
	rest.take(rest.next())
	return rest.take(rest.next())
}

func (d dictionary) block(i int) numbers {
	return numbers(d.body[binary.LittleEndian.Uint32(d.blocks[fixed*i:]):])
}

// all goes through the terms in order.
func (d dictionary) all() iter.Seq2[string, numbers] {
	return func(yield func(string, numbers) bool) {
		rest, term := numbers(d.body), []byte(nil)
		for range d.n {
			term = append(term[:rest.next()], rest.take(rest.next())...)
			if !yield(string(term), rest.take(rest.next())) {
				return
			}
		}
	}
}

// put adds a term after all that are there, and what is kept of it.
func (d *dictionary) put(last, term string, kept []byte) {
	shared := 0
	if d.n%perBlock == 0 {
		d.blocks = binary.LittleEndian.AppendUint32(d.blocks, uint32(len(d.body))) //nolint:gosec // some hundred thousand
	} else {
		for shared < len(term) && shared < len(last) && term[shared] == last[shared] {
			shared++
		}
	}
	d.n++
	d.body = appendNumber(d.body, shared)
	d.body = appendNumber(d.body, len(term)-shared)
	d.body = append(d.body, term[shared:]...)
	d.body = appendNumber(d.body, len(kept))
	d.body = append(d.body, kept...)
}
