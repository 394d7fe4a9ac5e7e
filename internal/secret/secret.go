// Package secret finds secrets in whatever way they are written.
//
// It touches nothing but the texts that it is given.
//
// It is the one place that knows how a secret may be spelled, encoded and
// packed. What takes secrets out of recordings, logs, reports and environments,
// and what searches files for them, asks a [Finder]:
//
//	f, err := secret.NewFinder(secret.Secret{Name: "client_secret", Value: key})
//	names := f.Names(body)      // what it holds, however it is packed
//	line = f.Mask(line)         // with *** in its place
//	text, names := f.Redact(t)  // with a mark that tells two secrets apart
//
// # What is found
//
// Each character as it is, in either case, percent-encoded, as an escape of
// JSON or of another language, or as an HTML entity, in any mix; the whole
// backwards; in hexadecimal, base64, base64url or base32, wherever it begins
// in the encoded text, such as in a Basic header after an id; as a list of
// numbers; as UTF-16; broken into lines, or into words where a shell joined
// them; in gzip, zlib, raw deflate, Brotli and Zstandard; and each of these within
// others, up to [Depth] of them.
//
// # What is not
//
// A secret that was cut into pieces, hashed or encrypted, one in an encoding that
// is not named above, such as base85 or bzip2, and one that is too short or too
// common to be told from other text: see [Weak].
package secret

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Secret is a value that must not be seen.
type Secret struct {
	// Name stands in the mark that takes the value's place, for example
	// client_secret: lower-case letters, digits, underscores, hyphens and dots.
	Name string
	// Value has at least 6 characters; a shorter one would be found everywhere.
	// White space around it and a leading "Bearer " or "Basic " don't count.
	Value string
}

// String is the name: a secret is never printed by accident.
func (s Secret) String() string { return s.Name }

// GoString is the name too.
func (s Secret) GoString() string { return s.Name }

// shortest is how many characters a value has at least, and so how many bytes
// of a text are worth a search.
const shortest = 6

var secretName = pattern.New(`^[a-z0-9_.-]+$`)

// plain is the value without what doesn't count, or what is wrong with it.
func (s Secret) plain() (string, error) {
	value := strings.TrimSpace(s.Value)
	for _, scheme := range []string{"Bearer ", "Basic "} {
		if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
			value = strings.TrimSpace(value[len(scheme):])
		}
	}
	switch n := utf8.RuneCountInString(value); {
	case !secretName.MatchString(s.Name):
		return "", fmt.Errorf("secret name %q: want lower-case letters, digits, _ . -", s.Name)
	case n < shortest:
		return "", fmt.Errorf("secret %s has %d characters, at least %d are needed to find it safely", s.Name, n, shortest)
	case !utf8.ValidString(value):
		return "", errors.New("secret " + s.Name + " is not UTF-8")
	}
	return value, nil
}

// The least lengths that [Weak] asks for, in characters: of a value of several
// kinds of characters, and of one that is all letters or all digits.
const (
	leastMixed   = 8
	leastUniform = 16
)

// Weak says why a value can't be looked for without taking ordinary text for
// it, such as "it has 4 characters"; empty for one that can. A word, a date or
// a code of goods would be found in every other answer.
func Weak(value string) string {
	value = strings.TrimSpace(value)
	n := utf8.RuneCountInString(value)
	letters, digits := 0, 0
	for _, c := range value {
		switch {
		case unicode.IsLetter(c):
			letters++
		case unicode.IsDigit(c):
			digits++
		}
	}
	switch {
	case n < leastMixed:
		return fmt.Sprintf("it has %d characters, fewer than %d", n, leastMixed)
	case letters == n && n < leastUniform:
		return fmt.Sprintf("it is %d letters, as a word may be", n)
	case digits == n && n < leastUniform:
		return fmt.Sprintf("it is %d digits, as a date or a code may be", n)
	}
	return ""
}

// Searchable are those of some secrets that can be looked for: neither [Weak] nor
// something else than text.
func Searchable(secrets ...Secret) []Secret {
	var all []Secret
	for _, s := range secrets {
		if _, err := s.plain(); err == nil && Weak(s.Value) == "" {
			all = append(all, s)
		}
	}
	return all
}

// Flaw says what can't be right with a credential, as the end of a sentence, such
// as "ends with a line break"; empty for one that may be. Copying brings such
// characters along, and no service takes them.
func Flaw(value string) string {
	runes := []rune(value)
	if len(runes) == 0 {
		return ""
	}
	first, last := runes[0], runes[len(runes)-1]
	if name := invisible(first); name != "" {
		return "begins with " + name
	}
	if name := invisible(last); name != "" {
		return "ends with " + name
	}
	if len(runes) > 1 && first == last && strings.ContainsRune("\"'`", first) {
		return "is in quotes, which are part of it"
	}
	for _, c := range runes {
		switch {
		case unicode.IsControl(c):
			return "has a control character in it"
		case c == utf8.RuneError:
			return "is not UTF-8"
		case !unicode.IsGraphic(c):
			return "has a character in it that can't be seen"
		}
	}
	return ""
}

// invisible names a character that nobody sees at the end of a text.
func invisible(c rune) string {
	switch {
	case c == '\n':
		return "a line break"
	case c == '\r':
		return "a carriage return"
	case c == '\t':
		return "a tab"
	case c == '\ufeff':
		return "a byte order mark"
	case unicode.IsSpace(c):
		return "white space"
	case c != utf8.RuneError && !unicode.IsGraphic(c):
		return "a character that can't be seen"
	}
	return ""
}

// Mark is what stands for a value in a recording, such as
// {{secret:client_secret#9f2c}}. Digits of its hash tell two values of one name
// apart; so few of them say nearly nothing about it.
func Mark(name, value string) string { return mark(name, value, namedDigits) }

// TokenMark is the mark of a value that nobody named: more digits, since there are
// many such values and none can be guessed.
func TokenMark(name, value string) string { return mark(name, value, tokenDigits) }

func mark(name, value string, digits int) string {
	sum := sha256.Sum256([]byte(value))
	return "{{secret:" + name + "#" + hex.EncodeToString(sum[:])[:digits] + "}}"
}

// Named secrets show 16 bits of their hash. Found tokens are many and not
// guessable, and show 48.
const (
	namedDigits = 4
	tokenDigits = 12
)
