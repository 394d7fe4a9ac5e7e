package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

func TestReadmeAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "README.md")
	require.Len(t, p.yaml, 2)
	_, err := scenario.Parse("one.yaml", []byte(p.yaml[0]))
	require.NoError(t, err)
	r := newReader(t)
	r.writes(p.yaml[1])
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "one.yaml"), []byte(p.yaml[0]), 0o600))
	code, out := r.types("hsharness run one.yaml")
	assert.Zero(t, code, out)

	require.Equal(t, []string{"go run ./cmd/hsharness run", "go test work"}, []string{command(p.typed[0]), command(p.typed[1])},
		"the first is in the picture, the second runs this test")
	for _, line := range p.typed[2:] {
		if command(line) == "make install" { // make firstminute types it
			continue
		}
		code, out := r.types(line)
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	assert.EqualValues(t, 2, r.served())
	assert.EqualValues(t, 39, r.status().Spent)

	promises := regexp.MustCompile("(?m)^\\| It [^|]*\\| `(hsharness [^`]+)`|^\\| If [^|]*\\| `(hsharness [^`]+)`").FindAllStringSubmatch(readFile(t, "README.md"), -1)
	require.Len(t, promises, 5)
	for i, want := range []struct {
		code   int
		served int64
		says   string
	}{
		{exitBlocked, 3, "424 blocked"}, {exitOK, 3, "sure"}, {exitOK, 3, "spent 0 · replayed 2"}, {exitOK, 3, ""}, {exitLedger, 3, "there is no ledger"},
	} {
		line := promises[i][1] + promises[i][2]
		code, out := r.types(line)
		assert.Equal(t, want.code, code, "%s\n%s", line, out)
		assert.Equal(t, want.served, r.served(), line)
		assert.Contains(t, out, want.says, line)
	}
	r.verify()
}

// command is a line without its comment.
func command(line string) string {
	line, _, _ = strings.Cut(line, " #")
	return strings.TrimSpace(line)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(text)
}

// TestPictureOfARun makes the README's picture of what is printed, by a sandbox
// that counts.
func TestPictureOfARun(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	// The bodies of refusals are too wide for it.
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "bin", "npm"), []byte("#!/bin/sh\nclassify 2 | grep -v '^{'\n"), 0o755))
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	code, out := r.types("mkdir scenarios && cp " + filepath.Join(root, "scenarios", "*.yaml") + " scenarios")
	require.Zero(t, code, out)
	var lines []string
	for _, line := range []struct {
		typed string
		code  int
	}{
		{"hsharness run --tags smoke", exitOK},
		{"hsharness quota init --granted 1000 --spent-before 37 --floor 100 >/dev/null", exitOK},
		{"hsharness exec --mode record --max-spend 20 -- npm test", exitOK},
		{"hsharness exec --mode record --max-spend 20 -- npm test", exitOK},
		{"hsharness exec --mode live --max-spend 1 -- npm test", exitBlocked},
	} {
		code, out := r.types(line.typed)
		require.Equal(t, line.code, code, out)
		if out = strings.TrimSpace(out); out != "" { // quota init is before the story
			lines = append(lines, "$ "+line.typed)
			lines = append(lines, strings.Split(out, "\n")...)
			lines = append(lines, "")
		}
	}
	assert.EqualValues(t, 3, r.served())
	generated(t, "../../docs/run.svg", picture(lines[:len(lines)-1]))
}

// Two runs print different times and ids, and nothing else.
var elapsed, id = regexp.MustCompile(`\bin [0-9.]+m?s\b`), regexp.MustCompile(`\b[0-9a-f]{32}\b`)

// paints are the colours of what a line begins with.
var paints = []struct {
	begin  *regexp.Regexp
	colour string
}{
	{regexp.MustCompile(`^\$ .*`), "#ffffff"},
	{regexp.MustCompile(`^(mocked|replayed|bought|200)`), "#7ee787"},
	{regexp.MustCompile(`^(missed|failed|424.*)`), "#ff7b72"},
	{regexp.MustCompile(`^hsharness: .*`), "#79c0ff"},
}

// picture draws lines of a terminal.
func picture(lines []string) string {
	const column, row, margin = 8.43, 20, 20
	width := 0
	var text strings.Builder
	for i, line := range lines {
		line = id.ReplaceAllString(elapsed.ReplaceAllString(strings.TrimRight(line, " "), "in 0.1s"), "860afdc9…")
		width = max(width, utf8.RuneCountInString(line))
		fmt.Fprintf(&text, `<text x="%d" y="%d">`, margin, margin+14+i*row)
		for _, p := range paints {
			if begin := p.begin.FindString(line); begin != "" {
				fmt.Fprintf(&text, `<tspan fill="%s">%s</tspan>`, p.colour, escaped(begin))
				line = line[len(begin):]
				break
			}
		}
		fmt.Fprintf(&text, "%s</text>\n", escaped(line))
	}
	w, h := int(float64(width)*column)+2*margin, len(lines)*row+2*margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">
<title>hsharness in a terminal</title>
<rect width="%d" height="%d" rx="8" fill="#161b22"/>
<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" fill="#c9d1d9">
%s</g>
</svg>
`, w, h, w, h, w, h, text.String())
}

// escaped is a text as SVG has it, with its spaces kept.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(strings.ReplaceAll(text, " ", "\u00a0"))) // a Builder takes everything
	return b.String()
}
