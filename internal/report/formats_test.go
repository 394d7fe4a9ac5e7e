package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/joshdk/go-junit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/report"
)

var update = flag.Bool("update", false, "write the golden files again")

// formats are the reports for others than people at a terminal.
var formats = map[string]func(io.Writer, report.Run) error{
	"run.xml": report.JUnit, "run.md": report.Markdown, "run.github": report.GitHub,
}

func render(t testing.TB, name string, r report.Run) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, formats[name](&out, r))
	return out.String()
}

// hostile is a failure whose texts are markup in every format.
func hostile() report.Run {
	r := sample()
	r.Scenarios = append(r.Scenarios, report.Scenario{
		File: "c,d:e.yaml", Name: "a <b> & `c` | *d*", Verdict: report.Missed, Again: "hsharness run 'c,d:e.yaml'", Cases: []report.Case{{
			Verdict: report.Missed, Failures: []report.Failure{{
				File: "c,d:e.yaml", Line: 3, Column: 1, Message: "100% of </details>\nit\x00 ]]> <script>alert(1)</script>", Exchange: "```\nanswer ````\n",
			}},
		}},
	})
	return r
}

func TestGoldenFormats(t *testing.T) {
	for name := range formats {
		got, file := render(t, name, hostile()), filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err, "make it with: go test ./internal/report -run TestGoldenFormats -update")
		assert.Equal(t, string(want), got, name)
	}
}

// TestJUnitIsReadByOthers reads the XML with a parser that is not ours.
func TestJUnitIsReadByOthers(t *testing.T) {
	suites, err := junit.Ingest([]byte(render(t, "run.xml", hostile())))
	require.NoError(t, err)
	require.Len(t, suites, 3)
	assert.Equal(t, "two countries", suites[1].Name)
	assert.Equal(t, "2", suites[1].Properties["units"])
	assert.Equal(t, 2, suites[1].Totals.Tests)
	assert.Equal(t, 1, suites[1].Totals.Failed)
	ca := suites[1].Tests[1]
	assert.Equal(t, "country=CA", ca.Name)
	assert.Equal(t, "b.yaml", ca.Properties["file"])
	assert.Equal(t, "7", ca.Properties["line"])
	assert.ErrorContains(t, ca.Error, "want 200")
	assert.Equal(t, "a <b> & `c` | *d*", suites[2].Name)
	assert.Equal(t, "100% of </details>\nit\\x00 ]]> <script>alert(1)</script>", suites[2].Tests[0].Message)
}

func TestAnnotationsAreTenAtMostWorstFirst(t *testing.T) {
	var r report.Run
	for i := range 15 {
		verdict := report.Failed
		if i == 13 {
			verdict = report.Blocked
		}
		r.Scenarios = append(r.Scenarios, report.Scenario{Name: fmt.Sprint("s", i), Verdict: verdict, Cases: []report.Case{{
			Verdict: verdict, Failures: []report.Failure{{File: fmt.Sprint(i, ".yaml"), Line: 1, Column: 2, Message: "m"}},
		}}})
	}
	lines := strings.Split(strings.TrimSpace(render(t, "run.github", r)), "\n")
	require.Len(t, lines, 10)
	assert.Equal(t, "::error file=13.yaml,line=1,col=2,title=s13::m", lines[0])
	assert.Equal(t, "::error file=8.yaml,line=1,col=2,title=s8::m%0Aand 5 more: see the summary", lines[9])
}

func TestSummaryStaysBelowWhatGitHubTakes(t *testing.T) {
	r := hostile()
	f := &r.Scenarios[1].Cases[1].Failures[0]
	f.Exchange = strings.Repeat("````\na long answer\n", 100_000)
	for range 100 {
		r.Scenarios[1].Cases = append(r.Scenarios[1].Cases, r.Scenarios[1].Cases[1])
	}
	text := render(t, "run.md", r)
	assert.Less(t, len(text), 1<<20)
	assert.Contains(t, text, "cut here")
	assert.Equal(t, strings.Count(text, "<details>"), strings.Count(text, "</details>"))
	assert.Zero(t, strings.Count(text, "\n`````")%2, "each block of code has an end, longer than what is in it")
}

// One line of megabytes keeps nothing else out of a summary, wherever it is.
func TestSummaryOfAHugeLine(t *testing.T) {
	huge := "\x1b[31m" + strings.Repeat("é", 1_500_000)
	for name, put := range map[string]func(*report.Scenario, *report.Failure){
		"message":  func(_ *report.Scenario, f *report.Failure) { f.Message = huge },
		"got":      func(_ *report.Scenario, f *report.Failure) { f.Got = huge },
		"exchange": func(_ *report.Scenario, f *report.Failure) { f.Exchange = huge },
		"step":     func(_ *report.Scenario, f *report.Failure) { f.Step = huge },
		"name":     func(s *report.Scenario, _ *report.Failure) { s.Name = huge },
	} {
		r := hostile()
		put(&r.Scenarios[1], &r.Scenarios[1].Cases[1].Failures[0])
		text := render(t, "run.md", r)
		assert.Less(t, len(text), 1<<17, name)
		assert.NotContains(t, text, "cut here", name)
		assert.NotContains(t, text, "\x1b", name)
		assert.Contains(t, text, "<summary>c,d:e.yaml:3:1: ", "what comes after a huge %s", name)
	}
}

// FuzzFormats puts any text into every place that a scenario or an answer fills:
// no format may take it for its own markup.
func FuzzFormats(f *testing.F) {
	f.Add("plain")
	f.Add("<script>\"'&]]>\x00\x1b[31m```\n::error::\r%0A|")
	for _, text := range []string{"::error::x", "  ::warning file=a::x", "##[error]x", "##vso[task.complete]", "\u2066x\u202e", "@team <!-- --> [a](javascript:b)", "=1+1", "\x1b]8;;http://x\x07"} {
		f.Add(text) // a CI, a terminal, a reader of Markdown took them for its own
	}
	f.Fuzz(func(t *testing.T, text string) {
		filled := func(text string) report.Run {
			r := sample()
			s := &r.Scenarios[1]
			s.Name, s.File, s.Again, s.Cases[1].Name = text, text, text, text
			s.Cases[1].Failures = []report.Failure{{File: text, Line: 1, Case: text, Step: text, Message: text, Want: text, Got: text, Exchange: text}}
			return r
		}
		suites, err := junit.Ingest([]byte(render(t, "run.xml", filled(text))))
		require.NoError(t, err)
		require.Len(t, suites, 2)
		require.Len(t, suites[1].Tests, 2)
		assert.Equal(t, 1, strings.Count(render(t, "run.github", filled(text)), "\n"), "an annotation more")
	})
}
