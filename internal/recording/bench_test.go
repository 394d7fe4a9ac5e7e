package recording_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

var benchSecrets = []recording.Secret{{Name: "client_id", Value: "client-0123456789"}, {Name: "client_secret", Value: "Zm9vYmFyYmF6cXV4MTIz"}}

const benchBody = `{"description":"T-shirts, singlets and other vests, knitted or crocheted, of cotton","countryOfDestination":"US","weight":1.5}`

// BenchmarkGet is a replayed answer, warm: the key, and the recording.
func BenchmarkGet(b *testing.B) {
	s, _ := open(b, recording.Config{Ignore: []string{"/requestId"}, Secrets: benchSecrets})
	r := classify(benchBody)
	put(b, s, r, answer(benchBody))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(s.Key(r)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKey is the part of it that grows with the body.
func BenchmarkKey(b *testing.B) {
	s, _ := open(b, recording.Config{Ignore: []string{"/requestId"}, Secrets: benchSecrets})
	r := classify(benchBody)
	b.SetBytes(int64(len(benchBody)))
	b.ReportAllocs()
	for b.Loop() {
		s.Key(r)
	}
}

// BenchmarkOpen opens a folder of 10,000 recordings and answers one request.
func BenchmarkOpen(b *testing.B) {
	s, root := open(b, recording.Config{})
	r := classify(benchBody)
	rec, err := s.Get(put(b, s, r, answer(benchBody)))
	require.NoError(b, err)
	for i := range 10_000 {
		require.NoError(b, os.WriteFile(filepath.Join(filepath.Dir(rec.File), fmt.Sprintf("%012x.json", i)), nil, 0o644))
	}
	for b.Loop() {
		s, err := recording.Open(recording.Config{Dir: filepath.Join(root, "recordings")})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Get(s.Key(r)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPut is one durable write, the first of its recording.
func BenchmarkPut(b *testing.B) {
	s, _ := open(b, recording.Config{Secrets: benchSecrets})
	i := 0
	for b.Loop() {
		i++
		if err := s.Put(b.Context(), s.Key(classify(fmt.Sprint(i))), answer(benchBody)); err != nil {
			b.Fatal(err)
		}
	}
}
