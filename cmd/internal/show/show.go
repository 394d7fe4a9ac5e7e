// Package show spells what people read: texts that others wrote, paths, ages. It
// touches nothing but the name of the working directory.
package show

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hsharness/hsharness/internal/plain"
)

// Plain is text that can't control the terminal it is printed on.
func Plain(text string) string {
	return plain.Line(text)
}

// Short is a text of a ledger: [Plain], and of one that is too long its beginning.
func Short(text string) string { return plain.Short(text) }

// Path is a file name relative to the working directory where that is below it. A
// relative name has slashes on every system, so that what is printed is the same; one
// that says itself where it is stays as its system has it.
func Path(file string) string {
	if !filepath.IsAbs(file) {
		return filepath.ToSlash(file)
	}
	dir, err := os.Getwd()
	if err != nil {
		return file
	}
	rel, err := filepath.Rel(dir, file)
	if err != nil || !filepath.IsLocal(rel) {
		return file
	}
	return filepath.ToSlash(rel)
}

// Age is an age in its largest unit.
func Age(age time.Duration) string {
	switch {
	case age >= 48*time.Hour:
		return fmt.Sprintf("%dd", age/(24*time.Hour))
	case age >= time.Hour:
		return fmt.Sprintf("%dh", age/time.Hour)
	}
	return fmt.Sprintf("%dm", age/time.Minute)
}

// Key is a key as file names have it.
func Key(key string) string { return key[:min(12, len(key))] }

// Time prints a time in UTC, to the second.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Dash stands for an empty text in a table; others are Short.
func Dash(text string) string {
	if text == "" {
		return "-"
	}
	return Short(text)
}
