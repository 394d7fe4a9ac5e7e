package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/scenario"
)

// outputs are the files that a run's results go to, besides what it prints.
type outputs struct {
	json, junit, html string
	summary           bool
}

func (o *outputs) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.json, "json", "", "also write the results to this `file`, one JSON object a line, the bill last")
	cmd.Flags().StringVar(&o.junit, "junit", "", "also write them to this `file` as JUnit XML")
	cmd.Flags().StringVar(&o.html, "html", "", "also write them to this `file` as one HTML page")
	cmd.Flags().BoolVar(&o.summary, "summary", false, "also write them as Markdown, appended to $GITHUB_STEP_SUMMARY or, where that is not set, on stdout")
}

// writeRun prints the results, writes the other reports, and turns the bill's
// exit code into this program's.
func (p *program) writeRun(result report.Run, o outputs) error {
	for _, to := range []struct {
		file  string
		write func(io.Writer, report.Run) error
	}{{o.json, report.JSON}, {o.junit, report.JUnit}, {o.html, report.HTML}} {
		if to.file == "" {
			continue
		}
		if err := p.writeTo(to.file, os.O_TRUNC, func(w io.Writer) error { return to.write(w, result) }); err != nil {
			return usageError(err)
		}
	}
	var err error
	if p.format == "json" {
		err = report.JSON(p.stdout, result)
	} else {
		err = report.Text(p.stdout, result, report.Style{Color: p.color(p.stdout), Verbose: p.verbose})
		if err == nil && p.getenv("GITHUB_ACTIONS") == "true" {
			err = report.GitHub(p.stdout, result)
		}
	}
	if err == nil && o.summary {
		err = p.summarize(result)
	}
	if err != nil {
		return err
	}
	if result.Bill.Exit == exitOK {
		return nil
	}
	exit := &exitError{code: result.Bill.Exit}
	if exit.code != exitFailed {
		exit.err = errors.New(result.Bill.Reason)
	}
	return exit
}

// summarize writes the summary where GitHub looks for it.
func (p *program) summarize(result report.Run) error {
	file := p.getenv("GITHUB_STEP_SUMMARY")
	if file == "" {
		return report.Markdown(p.stdout, result)
	}
	err := p.writeTo(file, os.O_APPEND, func(w io.Writer) error { return report.Markdown(w, result) })
	if err != nil {
		return usageError(fmt.Errorf("--summary: %w", err))
	}
	return nil
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
// gets into it.
func (p *program) writeTo(name string, how int, write func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|how, 0o666)
	if err != nil {
		return err
	}
	to := p.masking(file)
	err = write(to)
	return cmp.Or(err, to.Flush(), file.Close())
}
