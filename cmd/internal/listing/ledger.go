package listing

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/report"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// Latest reads the last entries, of one run if it is named. It looks at the end
// of the journal first and further back only as far as it has to.
func Latest(ctx context.Context, store quota.Store, limit int, run string) ([]quota.Entry, error) {
	info, err := store.Info(ctx)
	if err != nil {
		return nil, session.Failed(err)
	}
	window := int64(limit)
	if limit == 0 {
		window = info.Head.Seq
	}
	for ; ; window *= 4 {
		entries := []quota.Entry{}
		for e, err := range store.Entries(ctx, max(info.Head.Seq-window, 0)) {
			if err != nil {
				return nil, session.Failed(err)
			}
			if run == "" || e.Run == run {
				entries = append(entries, e)
			}
		}
		if limit > 0 && len(entries) > limit {
			entries = entries[len(entries)-limit:]
		}
		if len(entries) == limit || window >= info.Head.Seq {
			return entries, nil
		}
	}
}

// WriteEntries writes entries as a table, and below it what they add up to, if it is
// known.
func WriteEntries(to io.Writer, entries []quota.Entry, sum *Sum) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SEQ\tTIME\tKIND\tUNITS\tRUN\tWHAT")
	for _, e := range entries {
		fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\t%s\n", e.Seq, show.Time(e.Time), e.Kind, e.Units, show.Dash(e.Run), show.Dash(What(e)))
	}
	err := w.Flush()
	if sum != nil && err == nil {
		_, err = fmt.Fprintf(to, "in all %s\n", *sum)
	}
	return err
}

// WriteRuns writes runs as a table.
func WriteRuns(to io.Writer, runs []quota.RunInfo) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTATE\tMODE\tSPENT\tMAX\tHELD\tBEGUN\tSUITE\tBRANCH\tACTOR\tHOST\tPID")
	for _, r := range runs {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%d\n", r.ID, r.State, show.Dash(r.Mode), r.Spent, r.Max, r.Held(),
			show.Time(r.Begun), show.Dash(r.Suite), show.Dash(r.Branch), show.Dash(r.Actor), show.Dash(r.Process.Host), r.Process.PID)
	}
	return w.Flush()
}

// What is the rest of an entry in one line.
func What(e quota.Entry) string {
	var parts []string
	for _, text := range []string{e.Operation, e.Test, string(e.Outcome)} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if e.Status != 0 {
		parts = append(parts, fmt.Sprintf("status %d in %d ms", e.Status, e.DurationMS))
	}
	if e.Spec != nil {
		parts = append(parts, fmt.Sprintf("suite %s, at most %d", e.Spec.Suite, e.Spec.Max))
	}
	for _, r := range e.Refusals {
		parts = append(parts, "refused by "+r.String())
	}
	if e.Kind == quota.KindGrant {
		parts = append(parts, fmt.Sprintf("floor %d", e.Floor))
	}
	if e.Note != "" {
		parts = append(parts, e.Note)
	}
	return strings.Join(parts, ", ")
}

// Status is the status for people.
func Status(s quota.Status) string {
	var b strings.Builder
	line := func(name string, n int64, remark string) {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-10s %8d  %s", name, n, remark), " ") + "\n")
	}
	fmt.Fprintf(&b, "allowance %s, ledger %s, entry %d\n", show.Plain(s.Allowance), show.Plain(s.LedgerID), s.Seq)
	line("granted", s.Granted, "")
	line("spent", s.Spent, some(s.Unknown, "of them with an unknown outcome: %d", s.Unknown))
	line("held", s.Held, some(int64(len(s.ActiveRuns)), "active runs: %d", len(s.ActiveRuns)))
	line("available", s.Available, "")
	line("floor", s.Floor, some(s.Floor, "ordinary runs may not touch it"))
	line("usable", s.Usable, burnText(s))
	for _, h := range s.ActiveRuns {
		fmt.Fprintln(&b, show.Plain(h.String()))
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", show.Plain(w))
	}
	return b.String()
}

// some is a remark about a figure that is not zero.
func some(n int64, format string, args ...any) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

func burnText(s quota.Status) string {
	if s.BurnPerDay == 0 {
		return ""
	}
	text := fmt.Sprintf("at %.1f a day", s.BurnPerDay)
	if s.RunsOut != "" {
		text += ", gone on " + s.RunsOut
	}
	return text
}

// Left says in a few sentences of Markdown how it stands: what ordinary runs may still
// spend, how long that lasts, what it bought, and what needs a decision.
func Left(ctx context.Context, status func(context.Context) (quota.Status, error), store quota.Store) (string, error) {
	s, err := status(ctx)
	if err != nil {
		return "", err
	}
	statement, err := store.Statement(ctx, time.Time{})
	if err != nil {
		return "", session.Failed(err)
	}
	return report.NewBudget(s, statement, time.Now()).SummaryMarkdown(), nil
}
