package recording_test

import (
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// gzipped is what most clients send: the time is in it.
func gzipped(at int64) func(w io.Writer) io.WriteCloser {
	return func(w io.Writer) io.WriteCloser {
		z := gzip.NewWriter(w)
		z.ModTime = time.Unix(at, 0)
		return z
	}
}

func brotlied(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }

func encoded(body string, codings ...string) recording.Request {
	r := classify(body)
	r.Header = http.Header{"Content-Type": {"application/json"}, "Content-Encoding": codings}
	return r
}

// A body that is packed says what it unpacks to: gzip has the time in it, so one that is
// known by its bytes would be bought anew each time.
func TestKeyOfAPackedBody(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{Secrets: []recording.Secret{{Name: "client_secret", Value: "license-key-1"}}})
	const text = `{"description": "shirt", "countryOfDestination":"US"}`
	want := s.Key(classify(`{"countryOfDestination":"US","description":"shirt"}`)).Sum
	zstandard := func(w io.Writer) io.WriteCloser {
		z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) // options that there are
		return z
	}
	raw := func(w io.Writer) io.WriteCloser {
		z, _ := flate.NewWriter(w, flate.BestSpeed) // a level that there is
		return z
	}
	zip := packed(text, gzipped(1))
	for name, r := range map[string]recording.Request{
		"gzip":        encoded(zip, "gzip"),
		"later":       encoded(packed(text, gzipped(2)), "GZIP"),
		"two members": encoded(packed(text[:9], gzipped(3))+packed(text[9:], gzipped(4)), "x-gzip"),
		"deflate":     encoded(packed(text, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }), "deflate"),
		"raw deflate": encoded(packed(text, raw), "deflate"),
		"zstd":        encoded(packed(text, zstandard), "zstd"),
		"br":          encoded(packed(text, brotlied), "br"),
		"none":        encoded(text, "identity"),
		"two":         encoded(packed(zip, zstandard), "gzip, identity , zstd"),
		"two lines":   encoded(packed(zip, zstandard), "gzip", "zstd"),
	} {
		assert.Equal(t, want, s.Key(r).Sum, name)
	}

	k := s.Key(encoded(packed(strings.Replace(text, "shirt", "license-key-1", 1), gzipped(5)), "gzip"))
	require.NoError(t, s.Put(t.Context(), k, recording.Take{Cost: 1, Response: recording.Message{Status: 200, Body: []byte(`{}`)}}), "it is no secret in quarantine")
	got, err := s.Get(k)
	require.NoError(t, err)
	assert.Contains(t, string(got.Takes[0].Request.Body), `{"description":"{{secret:client_secret#`)
}

// What can't be unpacked, or says that it is packed otherwise, is known by its bytes; so
// is any where the encoding counts, for a request that is sent again is sent as it was.
func TestKeyOfABodyThatStaysPacked(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	const text = `{"a":1}`
	zip := packed(text, gzipped(1))
	long := `{"a":"` + strings.Repeat("a", 4<<20) + `"}`
	several := strings.Repeat("gzip,", 6) + "gzip"
	for name, r := range map[string]recording.Request{
		"not said": classify(zip), "cut": encoded(zip[:len(zip)-3], "gzip"), "changed": encoded(zip[:len(zip)-8]+"12345678", "gzip"),
		"followed": encoded(zip+"x", "gzip"), "another": encoded(zip, "br"), "unknown": encoded(zip, "compress"), "plain": encoded("x"+text, "gzip"),
		"a bomb": encoded(packed(long, gzipped(1)), "gzip"), "another bomb": encoded(packed(long, brotlied), "br"), "too many": encoded(zip, several),
	} {
		same := r
		same.Header = nil
		assert.Equal(t, s.Key(same).Sum, s.Key(r).Sum, name)
	}
	s, _ = open(t, recording.Config{Headers: []string{"Content-Encoding"}})
	assert.NotEqual(t, s.Key(encoded(zip, "gzip")).Sum, s.Key(encoded(packed(text, gzipped(2)), "gzip")).Sum)
}
