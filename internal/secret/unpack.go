package secret

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// mostUnpacked bounds what one packed text unpacks to, in bytes: as much as the
// guard takes of an answer.
const mostUnpacked = 16 << 20

// shortestPacked is the least that compressed data with a secret comes to, in
// bytes.
const shortestPacked = 5

// mostTries bounds at how many places of one text a format is looked for.
const mostTries = 16

// packing is a compressed format.
type packing struct {
	// magic is what data begins with; a format without any is only looked for
	// where a text begins.
	magic string
	// coding is its name in Content-Encoding, and sum how many bytes of a checksum stand
	// behind the stream.
	coding string
	sum    int
	// skip is how many bytes stand before the stream.
	skip int
	pool *sync.Pool
	// soon unpacks what a stream of this format would take too long for.
	soon func(b []byte) (plain []byte, ok bool)
}

// stream is a decompressor that can be used again.
type stream interface {
	io.Reader
	Reset(r io.Reader) error
}

// packings are the formats of Content-Encoding: RFC 1952, RFC 8878, RFC 1950 at
// the levels that there are, RFC 1951, which deflate often is, and RFC 7932.
var packings = []packing{
	{magic: "\x1f\x8b\x08", coding: "gzip", pool: pool(func() stream { return new(gzip.Reader) })},
	{magic: "\x28\xb5\x2f\xfd", coding: "zstd", pool: pool(newZstd)},
	{magic: "\x78\x01", coding: "deflate", skip: 2, sum: 4, pool: inflaters},
	{magic: "\x78\x5e", coding: "deflate", skip: 2, sum: 4, pool: inflaters},
	{magic: "\x78\x9c", coding: "deflate", skip: 2, sum: 4, pool: inflaters},
	{magic: "\x78\xda", coding: "deflate", skip: 2, sum: 4, pool: inflaters},
	{coding: "deflate", pool: inflaters},
	{coding: "br", pool: pool(func() stream { return brotli.NewReader(nil) }), soon: stored},
}

var inflaters = pool(func() stream { return inflater{flate.NewReader(nil)} })

func pool(create func() stream) *sync.Pool { return &sync.Pool{New: func() any { return create() }} }

// newZstd decodes in the caller's goroutine and in no more memory than the
// answer may take.
func newZstd() stream {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostUnpacked), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return d
}

// inflater is a raw deflate stream.
type inflater struct{ io.ReadCloser }

func (f inflater) Reset(r io.Reader) error { return f.ReadCloser.(flate.Resetter).Reset(r, nil) }

// unpack looks at what b may be packed of. What comes before damage or a limit
// is searched all the same. first tells that a text begins with b: a format that
// has no sign of its own is looked for nowhere else.
func (s *search) unpack(b []byte, depth int, first bool) {
	for i := range packings {
		p := &packings[i]
		if p.magic == "" && first {
			s.unpackAt(p, b, depth)
		}
		for rest, tries := b, 0; p.magic != "" && tries < mostTries; tries++ {
			at := bytes.Index(rest, []byte(p.magic))
			if at < 0 {
				break
			}
			s.unpackAt(p, rest[at:], depth)
			rest = rest[at+1:]
		}
	}
}

func (s *search) unpackAt(p *packing, b []byte, depth int) {
	if len(b) < shortestPacked || s.over(0) {
		return
	}
	plain, whole := p.unpack(b[p.skip:], min(mostUnpacked, max(s.left, 0)))
	if !whole {
		s.names = append(s.names, Unsearched)
	}
	s.look(plain, depth)
	clear(plain)
}

// unpack returns what b unpacks to, up to limit bytes; whole is false if there
// is more.
func (p *packing) unpack(b []byte, limit int) (plain []byte, whole bool) {
	if p.soon != nil {
		if plain, ok := p.soon(b); ok {
			return plain[:min(len(plain), limit)], len(plain) <= limit
		}
	}
	z := p.pool.Get().(stream)
	defer p.pool.Put(z)
	if z.Reset(bytes.NewReader(b)) != nil {
		return nil, true
	}
	// Most of what is tried is no such thing, and ends within a few bytes.
	var start [64]byte
	n, err := io.ReadFull(z, start[:])
	if err != nil && n < shortest {
		return nil, true
	}
	plain = append(plain, start[:n]...)
	if err == nil {
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(z, int64(limit)))
		plain = append(plain, rest...)
	}
	if len(plain) > limit {
		return plain[:limit], false
	}
	return plain, !errors.Is(err, zstd.ErrDecoderSizeExceeded) && !errors.Is(err, zstd.ErrWindowSizeExceeded)
}

// Unpack undoes one Content-Encoding (RFC 9110 §8.4.1). It is false for one that there is
// not, for what is damaged or has something behind, and for more than most bytes.
func Unpack(coding string, b []byte, most int) (plain []byte, ok bool) {
	for _, p := range packings {
		if p.coding != coding || !bytes.HasPrefix(b, []byte(p.magic)) {
			continue
		}
		z := p.pool.Get().(stream)
		from := bytes.NewReader(b[p.skip:])
		err := z.Reset(from)
		if err == nil {
			plain, err = io.ReadAll(io.LimitReader(z, int64(most)+1))
		}
		p.pool.Put(z)
		if err == nil && len(plain) <= most && from.Len() <= p.sum {
			return plain, true
		}
	}
	return nil, false
}
