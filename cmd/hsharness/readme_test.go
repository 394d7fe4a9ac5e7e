package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/scenario"
)

// elsewhere are the README's commands that this test does not type: the file in which
// another one does, or CI, and the text there.
var elsewhere = map[string][2]string{
	"go run ./cmd/hsharness run":          {"cmd/hsharness/testdata/script/run_shipped.txtar", "exec hsharness run"},
	"go test work":                        {".ci/run", "\ngo test work\n"}, // this test is one of them
	"make install":                        {"testdata/firstminute/bare.sh", "\nmake -C $CLONE install\n"},
	"make firstminute":                    {"Makefile", "\ncheck: lint test library tidy firstminute "},
	"go test ./hsharness":                 {"testdata/firstminute/go.sh", "\ngo test -count=1 ./hsharness "},
	"node --test":                         {"testdata/firstminute/node.sh", "\nnode --test test/"},
	"python3 -m pytest":                   {"testdata/firstminute/python.sh", "\npython3 -m pytest tests "},
	"HSHARNESS_MODE=replay go test ./...": {"testdata/firstminute/go.sh", "\nHSHARNESS_MODE=replay go test "},
	"hsharness serve":                     {"cmd/hsharness/testdata/script/serve.txtar", "exec hsharness serve "},
	"hsharness gateway":                   {"cmd/hsharness/testdata/script/gateway.txtar", "exec hsharness gateway "},
}

// typable is a command in the running text of the README or in a table.
var typable = regexp.MustCompile("`((?:[A-Z_]+=\\S+ )?(?:hsharness|go|make|node|npm|npx|python3|pytest|docker|git) [^`]+)`")

// TestReadmeAsWritten types every command of the README, or knows who does.
func TestReadmeAsWritten(t *testing.T) {
	t.Parallel()
	p := readPage(t, "README.md")
	text := readFile(t, "README.md")
	require.Len(t, p.yaml, 2)
	_, err := scenario.Parse("one.yaml", []byte(p.yaml[0]))
	require.NoError(t, err)
	r := newReader(t)
	r.writes(p.yaml[1])
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "one.yaml"), []byte(p.yaml[0]), 0o600))
	done := map[string]bool{}
	types := func(line string) (int, string) {
		t.Helper()
		done[command(line)] = true
		return r.types(line)
	}
	code, out := types("hsharness run one.yaml")
	assert.Zero(t, code, out)

	for _, line := range p.typed {
		if _, other := elsewhere[command(line)]; other {
			continue
		}
		code, out := types(line)
		assert.Zero(t, code, "%s\n%s", line, out)
	}
	assert.EqualValues(t, 2, r.served())
	assert.EqualValues(t, 39, r.status().Spent)

	promises := regexp.MustCompile("(?m)^\\| It [^|]*\\| `(hsharness [^`]+)`|^\\| If [^|]*\\| `(hsharness [^`]+)`").FindAllStringSubmatch(text, -1)
	require.Len(t, promises, 5)
	for i, want := range []struct {
		code   int
		served int64
		says   string
	}{
		{exitBlocked, 3, "424 blocked"}, {exitOK, 3, "sure"}, {exitOK, 3, "spent 0 · replayed 2"}, {exitOK, 3, ""}, {exitLedger, 3, "there is no ledger"},
	} {
		line := promises[i][1] + promises[i][2]
		code, out := types(line)
		assert.Equal(t, want.code, code, "%s\n%s", line, out)
		assert.Equal(t, want.served, r.served(), line)
		assert.Contains(t, out, want.says, line)
	}
	r.verify()

	for _, m := range typable.FindAllStringSubmatch(text, -1) {
		switch line := m[1]; {
		case done[line], elsewhere[line] != [2]string{}:
		case strings.HasPrefix(line, "go doc "):
			doc := exec.Command("go", strings.Fields(line)[1:]...)
			doc.Dir = filepath.Join("..", "..")
			out, err := doc.CombinedOutput()
			assert.NoError(t, err, "%s", out)
		default:
			code, out := types(line)
			assert.Zero(t, code, "%s\n%s", line, out)
		}
	}
	for line, where := range elsewhere {
		assert.Contains(t, text, line, "the README has it no more")
		assert.Contains(t, "\n"+readFile(t, where[0]), where[1], line)
	}
}

// TestReadmeFitsThreeScreens counts the lines of text that a page of a hundred columns
// shows, without those of space between them, and wants the problem first.
func TestReadmeFitsThreeScreens(t *testing.T) {
	t.Parallel()
	const screen, columns = 50, 100
	text := regexp.MustCompile(`\]\([^)]*\)`).ReplaceAllString(readFile(t, "README.md"), "")
	lines := 0
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "```") || strings.HasPrefix(line, "|--") {
			continue
		}
		lines += (utf8.RuneCountInString(line) + columns - 1) / columns
	}
	assert.LessOrEqual(t, lines, 3*screen)
	begins, _, _ := strings.Cut(text, "\n## ")
	assert.Regexp(t, `(?s)^# hsharness\n\n[^.]*\. The sandbox answers only a fixed number`, begins)
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
