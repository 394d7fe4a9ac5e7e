package recording

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"io"
	"slices"
)

// scanDepth is how many encodings within each other a scan undoes, and
// scanUnzip how much it unpacks, in bytes.
const (
	scanDepth = 3
	scanUnzip = 8 << 20
)

// leaks names the secrets and tokens that t still holds, in order and each once.
// It undoes encodings within encodings, hexadecimal and gzip, which redaction
// does not: that must say what it replaced, this only that something is there.
func (r *redactor) leaks(t []byte) []string {
	names := r.dig(t, scanDepth)
	slices.Sort(names)
	return slices.Compact(names)
}

func (r *redactor) dig(t []byte, depth int) []string {
	_, names := r.text(t)
	if depth == 0 || len(t) < shortestSecret {
		return names
	}
	if plain := unescape(t); len(plain) < len(t) {
		names = append(names, r.dig(plain, depth-1)...)
	}
	if z, err := gzip.NewReader(bytes.NewReader(t)); err == nil {
		// What comes before damage or the limit is searched all the same.
		plain, _ := io.ReadAll(io.LimitReader(z, scanUnzip))
		names = append(names, r.dig(plain, depth-1)...)
	}
	for run := range runs(t) {
		for shift := range min(4, len(run)) {
			part := fold(run[shift:])
			plain := make([]byte, base64.RawStdEncoding.DecodedLen(len(part)))
			// Every run is decodable: its length and alphabet are right.
			n, _ := base64.RawStdEncoding.Decode(plain, part)
			names = append(names, r.dig(plain[:n], depth-1)...)
		}
		if plain, err := hex.DecodeString(string(run)); err == nil {
			names = append(names, r.dig(plain, depth-1)...)
		}
	}
	return names
}

// unescape undoes percent and JSON escapes, wherever they are.
func unescape(t []byte) []byte {
	out := make([]byte, 0, len(t))
	for i := 0; i < len(t); {
		if t[i] == '%' || t[i] == '\\' {
			if u, used := escaped(t[i:]); used > 0 {
				out = append(out, u...)
				i += used
				continue
			}
		}
		out = append(out, t[i])
		i++
	}
	return out
}

// runs yields the stretches of t that may be base64 or hexadecimal and are long
// enough for a secret.
func runs(t []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		start := 0
		for i := range len(t) + 1 {
			if i < len(t) {
				if _, ok := sixBits(t[i]); ok {
					continue
				}
			}
			if i-start >= shortestSecret*4/3 && !yield(t[start:i]) {
				return
			}
			start = i + 1
		}
	}
}

// fold spells base64url as base64, in a whole number of decodable characters.
func fold(run []byte) []byte {
	out := bytes.Clone(run)
	for i, c := range out {
		switch c {
		case '-':
			out[i] = '+'
		case '_':
			out[i] = '/'
		}
	}
	if len(out)%4 == 1 {
		out = out[:len(out)-1]
	}
	return out
}
