package secret_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/hsharness/hsharness/internal/secret"
)

// TestStoredIsWhatBrotliReads: what is taken for the content of a stream without its reader
// has all that the reader would find.
func TestStoredIsWhatBrotliReads(t *testing.T) {
	t.Parallel()
	full := 0
	rapid.Check(t, func(t *rapid.T) {
		b := stream(t)
		content, ok := secret.Stored(b)
		if !ok {
			return
		}
		read, err := io.ReadAll(brotli.NewReader(bytes.NewReader(b)))
		if len(read) > 0 {
			full++
		}
		if !bytes.HasPrefix(content, read) || err == nil {
			t.Fatalf("%x: Brotli's reader finds %q, %v, and we %q", b, read, err, content)
		}
	})
	assert.Positive(t, full, "some of them have content")
}

// TestNumbersAreSearchedSoon: each of many numbers may be the base64 of a stream that says
// it has megabytes. The least that is cleared for them is told by what is taken of memory,
// which no other test's load changes.
func TestNumbersAreSearchedSoon(t *testing.T) { //nolint:paralleltest // it measures memory
	f := finder(t, key).Tokens()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise
	var text []byte
	for range 2000 {
		for range 12 {
			text = append(text, '0'+byte(random.IntN(10)))
		}
		text = append(text, ',')
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	assert.Empty(t, f.Names(text))
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}

// stream is noise that begins as a Brotli stream may: a window, then blocks that are not
// compressed or nobody reads, whole or cut off.
func stream(t *rapid.T) []byte {
	var b []byte
	at := 0
	put := func(value, n int) {
		for i := range n {
			if at%8 == 0 {
				b = append(b, 0)
			}
			b[at/8] |= byte(value>>i&1) << (at % 8)
			at++
		}
	}
	one := func(name string, values ...int) int { return rapid.SampledFrom(values).Draw(t, name) }
	align := func() {
		if at%8 > 0 {
			put(one("padding", 0, 0, 0, 0, 0, 0, 0, 1), 8-at%8)
		}
	}
	if put(one("window", 0, 1), 1); b[0] == 1 {
		if bits := one("bits", 0, 0, 5, 7); bits > 0 {
			put(bits, 3)
		} else {
			put(0, 3)
			put(one("small", 0, 1, 2, 7), 3)
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "blocks") {
		put(one("last", 0, 0, 0, 0, 0, 0, 1), 1)
		nibbles := one("nibbles", 0, 0, 1, 2, 3)
		put(nibbles, 2)
		length := rapid.IntRange(0, 20).Draw(t, "length") | one("more", 0, 0, 0, 1<<9, 1<<16, 1<<18, 1<<20)
		if nibbles == 3 {
			put(one("reserved", 0, 0, 0, 0, 1), 1)
			size := one("size", 0, 1, 1, 2, 3)
			put(size, 2)
			put(length, 8*size)
			if align(); size == 0 {
				continue
			}
		} else {
			put(length, 4*(4+nibbles))
			put(one("stored", 1, 1, 1, 1, 1, 0), 1)
			align()
		}
		b = append(b, rapid.SliceOfN(rapid.Byte(), length%(1<<9)+1, length%(1<<9)+1).Draw(t, "content")...)
		at = 8 * len(b)
	}
	b = append(b, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "rest")...)
	return b[:rapid.IntRange(len(b)/2, len(b)).Draw(t, "cut")]
}
