package output

import (
	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/report/pages"
)

// Run are the files that a run's results go to, besides what it prints.
type Run struct {
	JSON, JUnit, HTML, Score string
	// Baseline is an earlier run, and Tolerance by how much a score may fall since.
	Baseline, Tolerance string
	Summary             bool
}

// Flags adds a flag for each.
func (o *Run) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.JSON, "json", "", "also write the results to this `file`, one JSON object a line, the bill last")
	cmd.Flags().StringVar(&o.JUnit, "junit", "", "also write the results to this `file` as JUnit XML")
	cmd.Flags().StringVar(&o.HTML, "html", "", "also write the results to this `file` as one HTML page")
	cmd.Flags().StringVar(&o.Score, "score", "", "also write what fell short in a score to this `file` as CSV")
	cmd.Flags().StringVar(&o.Baseline, "baseline", "", "compare the scores with those of an earlier run, which --json wrote to this `file`")
	cmd.Flags().StringVar(&o.Tolerance, "tolerance", "", "with --baseline: by how many `percent` points a score may fall, such as 2% (default 0%)")
	cmd.Flags().BoolVar(&o.Summary, "summary", false, "also write the results as Markdown, appended to $GITHUB_STEP_SUMMARY or, where that is not set, on stdout")
}

// page is how a page begins.
var page = []string{"<!DOCTYPE html>"}

// Reports are those that were asked for.
func (o *Run) Reports(getenv func(string) string) []Report[report.Run] {
	all := []Report[report.Run]{
		{Flag: "--json", To: o.JSON, Begins: []string{`{"file":`, `{"run":`}, Write: report.JSON}, {Flag: "--junit", To: o.JUnit, Begins: []string{"<?xml "}, Write: InRepository(report.JUnit)},
		{Flag: "--html", To: o.HTML, Begins: page, Write: pages.Run}, {Flag: "--score", To: o.Score, Begins: []string{"file,step,case,row,"}, Write: report.ScoreCSV},
	}
	if o.Summary { // where GitHub looks for it
		all = append(all, Report[report.Run]{Flag: "--summary", To: getenv("GITHUB_STEP_SUMMARY"), Append: true, Write: report.Markdown})
	}
	return all
}
