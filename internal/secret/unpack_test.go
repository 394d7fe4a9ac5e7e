package secret

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
)

// TestWhatWasUnpackedBefore: a decompressor is used again, and knows nothing of what
// it had before: noise, streams that were cut or changed, and ones with more behind.
// One that does misses a secret now and then, as brotli before 1.2.6 did.
func TestWhatWasUnpackedBefore(t *testing.T) {
	t.Parallel()
	writers := []func(w io.Writer) io.WriteCloser{
		func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		func(w io.Writer) io.WriteCloser {
			z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) // options that there are
			return z
		},
		func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		func(w io.Writer) io.WriteCloser {
			z, _ := flate.NewWriter(w, flate.BestCompression) // a level that there is
			return z
		},
		func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise
	noise := func(most int) []byte {
		b := make([]byte, 5+random.IntN(most))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	streams := func() []byte {
		var packed bytes.Buffer
		z := writers[random.IntN(len(writers))](&packed)
		_, err := z.Write(bytes.Repeat(noise(100), 1+random.IntN(3)))
		assert.NoError(t, err)
		assert.NoError(t, z.Close())
		b := packed.Bytes()
		switch random.IntN(5) {
		case 0:
			return noise(100)
		case 1:
			return b[:len(b)*3/4]
		case 2:
			b[random.IntN(len(b))] ^= 1 << random.IntN(8)
		case 3:
			return append(b, noise(20)...)
		}
		return b
	}
	for i, p := range packings {
		create := p.pool.New
		used, unused := p, p
		kept := create()
		used.pool = pool(func() stream { return kept.(stream) })
		whole := 0
		for range 200 {
			b := streams()[p.skip:]
			// Another pool each time: what was put back would be had again.
			unused.pool = pool(func() stream { return create().(stream) })
			got, gotWhole := used.unpack(b, mostUnpacked)
			want, wantWhole := unused.unpack(b, mostUnpacked)
			if !assert.Equal(t, want, got, "packing %d, of % x", i, b) || !assert.Equal(t, wantWhole, gotWhole) {
				break
			}
			if len(want) > 0 {
				whole++
			}
		}
		assert.Greater(t, whole, 10, "packing %d: what unpacks to something", i)
	}
}
