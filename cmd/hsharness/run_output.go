package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
)

// outputs are the files that a run's results go to, besides what it prints.
type outputs struct {
	json, junit, html, score string
	baseline, tolerance      string
	summary                  bool
}

func (o *outputs) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.json, "json", "", "also write the results to this `file`, one JSON object a line, the bill last")
	cmd.Flags().StringVar(&o.junit, "junit", "", "also write them to this `file` as JUnit XML")
	cmd.Flags().StringVar(&o.html, "html", "", "also write them to this `file` as one HTML page")
	cmd.Flags().StringVar(&o.score, "score", "", "also write what fell short in a score to this `file` as CSV")
	cmd.Flags().StringVar(&o.baseline, "baseline", "", "compare the scores with those of an earlier run, which --json wrote to this `file`")
	cmd.Flags().StringVar(&o.tolerance, "tolerance", "", "with --baseline: by how many `percent` points a score may fall, such as 2% (default 0%)")
	cmd.Flags().BoolVar(&o.summary, "summary", false, "also write them as Markdown, appended to $GITHUB_STEP_SUMMARY or, where that is not set, on stdout")
}

// reports are those of a run that were asked for.
func (o *outputs) reports(p *program) []output.Report[report.Run] {
	all := []output.Report[report.Run]{
		{Flag: "--json", To: o.json, Write: report.JSON}, {Flag: "--junit", To: o.junit, Write: output.InRepository(report.JUnit)}, {Flag: "--html", To: o.html, Write: report.HTML}, {Flag: "--score", To: o.score, Write: report.ScoreCSV},
	}
	if o.summary { // where GitHub looks for it
		all = append(all, output.Report[report.Run]{Flag: "--summary", To: p.getenv("GITHUB_STEP_SUMMARY"), Append: true, Write: report.Markdown})
	}
	return all
}

// writeRun prints the results, writes the other reports, and turns the bill's
// exit code into this program's. The note comes first.
func (p *program) writeRun(result report.Run, o outputs, note string) error {
	reports := o.reports(p)
	to := p.besides(output.Taken(reports...))
	p.note(note, to)
	printed := func() error {
		if p.format == "json" {
			return report.JSON(to, result)
		}
		err := report.Text(to, result, report.Style{Color: p.color(to), Verbose: p.verbose})
		if err == nil && p.getenv("GITHUB_ACTIONS") == "true" {
			err = output.InRepository(report.GitHub)(to, result)
		}
		if err == nil && o.summary && p.getenv("GITHUB_STEP_SUMMARY") == "" {
			err = report.Markdown(to, result)
		}
		return err
	}()
	exit := &exitError{code: result.Bill.Exit}
	if exit.code != exitFailed && exit.code != exitOK {
		exit.err = errors.New(result.Bill.Reason)
	}
	return p.after(exit, printed, output.Write(result, p.writeTo, reports...))
}

// note prints a first line, which is no JSON.
func (p *program) note(note string, to ...io.Writer) {
	w := append(to, p.stdout)[0]
	if p.format == "json" {
		w = p.stderr
	}
	_, _ = io.WriteString(w, note) // what is printed next fails alike
}

// besides is where what is printed goes: a report on standard output is there alone.
func (p *program) besides(taken bool) io.Writer {
	if taken {
		return p.stderr
	}
	return p.stdout
}

// after is how a command ends whose result is known, after what could not be written
// of it: with its own code, unless that says that all is well.
func (p *program) after(exit *exitError, lost ...error) *exitError {
	for _, err := range lost {
		if err == nil || process.Unread(err) {
			continue
		}
		fmt.Fprintf(p.stderr, "hsharness: %s\n", show.Plain(err.Error()))
		if exit.code == exitOK {
			exit = &exitError{code: exitOf(err).code}
		}
	}
	return exit
}

// again is the command that runs one scenario as this run did. What a run has
// bought is recorded, so that it costs nothing the second time but for what is
// still missing.
func (p *program) again(s *scenario.Scenario, result report.Run, shipped bool) string {
	words := []string{"hsharness", "run"}
	if shipped {
		words = append(words, "--filter", s.Name)
	} else {
		words = append(words, s.File)
	}
	if p.config != "" {
		words = append(words, "--config", p.config)
	}
	if b := result.Bill; b.Mode != guard.Offline.String() && !p.nested() {
		words = append(words, "--mode", b.Mode)
		if mode, err := guard.ParseMode(b.Mode); err == nil && mode.Buys() {
			words = append(words, "--max-spend", fmt.Sprint(b.MaxSpend))
		}
	}
	for i, w := range words {
		words[i] = show.Word(w)
	}
	return strings.Join(words, " ")
}

// writeTo opens a file, new or as how says, and lets write fill it. No secret
// gets into it. Standard output is [output.Stdout].
func (p *program) writeTo(name string, how int, write func(io.Writer) error) error {
	if name == output.Stdout {
		return write(p.stdout)
	}
	file, err := files.Stream(name, os.O_CREATE|how, 0o666)
	if err != nil {
		return err
	}
	to := p.masking(file)
	err = write(to)
	return cmp.Or(err, to.Flush(), file.Close())
}
