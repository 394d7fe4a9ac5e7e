package secret

// stored is what comes of a Brotli stream (RFC 7932 §9) that is damaged or ends before its
// first compressed block; ok tells that b is such a stream. Nearly all that is tried is
// noise, and two of five pieces of noise begin with a block that is not compressed: Brotli's
// reader clears as much memory as such a block says it has, up to 16 MB, to copy the few
// bytes that are there.
func stored(b []byte) (content []byte, ok bool) {
	r := bits{b: b}
	if r.take(1) == 1 && r.take(3) == 0 && r.take(3) == 1 {
		return nil, true // a window that is reserved
	}
	for !r.ended {
		last := r.take(1) == 1
		if last && r.take(1) == 1 {
			return content, false // an empty block: what follows the end is an error, or none
		}
		nibbles := 4 + r.take(2)
		if nibbles == 7 {
			if !r.metadata() {
				return content, true
			}
			if last {
				return content, false
			}
			continue
		}
		length, long := r.number(nibbles, 4)
		if nibbles > 4 && !long {
			return content, true
		}
		if last || r.take(1) == 0 {
			return content, r.ended
		}
		if !r.align() {
			return content, true
		}
		part := r.bytes(length + 1)
		if content = append(content, part...); len(part) <= length {
			break
		}
	}
	return content, true
}

// bits are read from the lowest one of each byte.
type bits struct {
	b []byte
	// at is how many of the first byte were read, ended that there were too few.
	at    int
	ended bool
}

func (r *bits) take(n int) (value int) {
	for i := range n {
		if len(r.b) == 0 {
			r.ended = true
			return 0
		}
		value |= int(r.b[0]>>r.at) & 1 << i
		if r.at++; r.at == 8 {
			r.at, r.b = 0, r.b[1:]
		}
	}
	return value
}

// number is one of some digits, the lowest first; long tells that the last one is not 0.
func (r *bits) number(count, size int) (n int, long bool) {
	for i := range count {
		digit := r.take(size)
		n, long = n|digit<<(size*i), digit > 0
	}
	return n, long
}

// metadata goes past a block that nobody reads; false tells that it is damaged.
func (r *bits) metadata() bool {
	if r.take(1) == 1 {
		return false // reserved
	}
	size := r.take(2)
	length, long := r.number(size, 8)
	if size > 1 && !long || !r.align() {
		return false
	}
	if size > 0 {
		r.bytes(length + 1)
	}
	return true
}

// align goes on to the next byte; what it leaves out has to be 0.
func (r *bits) align() bool { return r.at == 0 || r.take(8-r.at) == 0 }

// bytes takes n whole bytes, or as many as there are.
func (r *bits) bytes(n int) []byte {
	part := r.b[:min(n, len(r.b))]
	r.b = r.b[len(part):]
	return part
}
