package secret_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// encoding is one way in which a program may write a text down.
type encoding struct {
	name   string
	encode func(string) string
	// packs tells that it makes bytes of it that are no text.
	packs bool
}

// encodings are all that a finder undoes.
func encodings() []encoding {
	return []encoding{
		{"percent", url.PathEscape, false},
		{"form", url.QueryEscape, false},
		{"percent everywhere", each("%%%02x"), false},
		{"percent, upper case", each("%%%02X"), false},
		{"JSON", jsonText, false},
		{"JSON, ASCII", func(s string) string { return units(s, `\u%04x`) }, false},
		{"JavaScript", func(s string) string { return runes(s, `\u{%x}`) }, false},
		{"Go", strconv.QuoteToASCII, false},
		{"C", each(`\x%02x`), false},
		{"octal", each(`\%03o`), false},
		{"HTML", html.EscapeString, false},
		{"HTML numbers", func(s string) string { return runes(s, "&#%d;") }, false},
		{"HTML hexadecimal", func(s string) string { return runes(s, "&#x%X;") }, false},
		{"shell", func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }, false},
		{"CSV", func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }, false},
		{"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }, false},
		{"base64url", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }, false},
		{"Basic", func(s string) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte("my-id:"+s))
		}, false},
		{"base64, two before", func(s string) string { return base64.StdEncoding.EncodeToString([]byte("id" + s + "\x80")) }, false},
		{"base64 in lines", func(s string) string { return lines(base64.StdEncoding.EncodeToString([]byte(s)), "\r\n") }, false},
		{"base32", func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) }, false},
		{"base32, small, three before", func(s string) string {
			return strings.ToLower(base32.StdEncoding.EncodeToString([]byte("id:" + s)))
		}, false},
		{"hexadecimal", func(s string) string { return hex.EncodeToString([]byte(s)) }, false},
		{"HEXADECIMAL", func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }, false},
		{"hexadecimal, half a byte before", func(s string) string { return "f" + hex.EncodeToString([]byte(s)) }, false},
		{"bytes", func(s string) string { return strings.Trim(fmt.Sprintf("% x", s), " ") }, false},
		{"bytes of C", func(s string) string { return "{" + strings.ReplaceAll(fmt.Sprintf("% #x", s), " ", ", ") + "}" }, false},
		{"numbers", func(s string) string { return "[" + strings.TrimSuffix(each("%d,")(s), ",") + "]" }, false},
		{"UTF-16", func(s string) string { return wide(s, false) }, true},
		{"UTF-16, big end first", func(s string) string { return wide(s, true) }, true},
		{"gzip", pack(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }), true},
		{"zlib", pack(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }), true},
		{"raw deflate", pack(func(w io.Writer) io.WriteCloser {
			z, _ := flate.NewWriter(w, flate.BestCompression) // a level that there is
			return z
		}), true},
		{"Brotli", pack(func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }), true},
		{"Zstandard", pack(func(w io.Writer) io.WriteCloser {
			z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) // options that there are
			return z
		}), true},
	}
}

// find is the encoding of a name.
func find(name string) encoding {
	all := encodings()
	return all[slices.IndexFunc(all, func(e encoding) bool { return e.name == name })]
}

func each(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, format, s[i])
		}
		return b.String()
	}
}

func runes(s, format string) string {
	var b strings.Builder
	for _, c := range s {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

func units(s, format string) string {
	var b strings.Builder
	for _, c := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

func wide(s string, big bool) string {
	var b []byte
	for _, c := range utf16.Encode([]rune(s)) {
		if big {
			b = append(b, byte(c>>8), byte(c))
		} else {
			b = append(b, byte(c), byte(c>>8))
		}
	}
	return string(b)
}

func jsonText(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

func lines(s, end string) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(s), 20) {
		b.Write(part)
		b.WriteString(end)
	}
	return b.String()
}

func pack(writer func(io.Writer) io.WriteCloser) func(string) string {
	return func(s string) string {
		var b bytes.Buffer
		w := writer(&b)
		_, _ = io.WriteString(w, s)
		_ = w.Close() // a buffer takes everything
		return b.String()
	}
}
