package secret_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hsharness/hsharness/internal/secret"
)

// The benchmarks are of an answer of about 2 kB, as it comes in; the replayed
// one is searched for tokens only.
func BenchmarkRedact(b *testing.B) {
	text := []byte(strings.Repeat(answer, 5))
	for name, f := range map[string]*secret.Finder{"tokens": (*secret.Finder)(nil).Tokens(), "secret and tokens": finder(b, key).Tokens()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				f.Redact(text)
			}
		})
	}
}

func BenchmarkNames(b *testing.B) {
	f := finder(b, key).Tokens()
	noise := make([]byte, 100_000)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise
	for i := range noise {
		noise[i] = byte(random.UintN(256))
	}
	for name, text := range map[string]string{
		"answer": strings.Repeat(answer, 5), "noise": string(noise), "base64": find("base64").encode(string(noise)),
		"hexadecimal": find("hexadecimal").encode(string(noise)), "gzip": find("gzip").encode(strings.Repeat(answer, 100)),
		"escaped": find("percent").encode(find("JSON").encode(strings.Repeat(answer, 5))),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				f.Names([]byte(text))
			}
		})
	}
}

func BenchmarkNewFinder(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		finder(b, key).Wipe()
	}
}
