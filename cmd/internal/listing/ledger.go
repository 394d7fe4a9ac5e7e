package listing

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/pace"
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
	for ; ; window = wider(window, info.Head.Seq) {
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

// wider is how far a look goes back next, all of them at most: four times as far would
// wrap where a journal's numbers end.
func wider(window, all int64) int64 {
	if window > all/4 {
		return all
	}
	return 4 * window
}

// WriteEntries writes entries as a table, and below it what they add up to, if it is
// known.
func WriteEntries(to io.Writer, entries []quota.Entry, sum *Sum) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SEQ\tTIME\tKIND\tUNITS\tRUN\tWHAT")
	for _, e := range entries {
		fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\t%s\n", e.Seq, show.Time(e.Time), e.Kind, e.Units, show.Dash(e.Run), cmp.Or(What(e), "-"))
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
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%d\n", show.Dash(r.ID), r.State, show.Dash(r.Mode), r.Spent, r.Max, r.Held(),
			show.Time(r.Begun), show.Dash(r.Suite), show.Dash(r.Branch), show.Dash(r.Actor), show.Dash(r.Process.Host), r.Process.PID)
	}
	return w.Flush()
}

// What is the rest of an entry in one line.
func What(e quota.Entry) string {
	var parts []string
	for _, text := range []string{e.Operation, e.Test, string(e.Outcome)} {
		if text != "" {
			parts = append(parts, show.Short(text))
		}
	}
	if e.Status != 0 {
		parts = append(parts, fmt.Sprintf("status %d in %d ms", e.Status, e.DurationMS))
	}
	if e.Spec != nil {
		parts = append(parts, fmt.Sprintf("suite %s, at most %d", show.Short(e.Spec.Suite), e.Spec.Max))
	}
	for _, r := range e.Refusals {
		parts = append(parts, show.Short("refused by "+r.String()))
	}
	if e.Kind == quota.KindGrant {
		parts = append(parts, fmt.Sprintf("floor %d", e.Floor))
	}
	if e.Note != "" {
		parts = append(parts, show.Short(e.Note))
	}
	return strings.Join(parts, ", ")
}

// Status is the status for people.
func Status(s quota.Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "allowance %s, ledger %s, entry %d\n", show.Short(s.Allowance), show.Short(s.LedgerID), s.Seq)
	for _, f := range report.NewBudget(s, quota.Statement{}, time.Now()).Figures() {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-10s %8d  %s", f.Name, f.Units, f.Remark), " ") + "\n")
	}
	for _, h := range s.ActiveRuns {
		fmt.Fprintln(&b, show.Short(h.String()))
	}
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", show.Short(w))
	}
	return b.String()
}

// paceText says who waits for a turn, and whether the account is paused.
func paceText(s *pace.State) string {
	if s == nil {
		return ""
	}
	wait := func(until time.Time) string { return max(0, until.Sub(s.Now)).Round(time.Second).String() }
	var b strings.Builder
	fmt.Fprintf(&b, "pace: %d turns given, runs that wait: %d\n", s.Turns, len(s.Waiting))
	for _, w := range s.Waiting {
		fmt.Fprintf(&b, "run %s waits since %s, its turn is expected in %s\n", show.Short(w.Run), w.Since.Format(time.RFC3339), wait(w.Expected))
	}
	if s.Pause != (pace.Pause{}) {
		fmt.Fprintf(&b, "paused for %s: %s\n", wait(s.Pause.Until), show.Short(s.Pause.Why))
	}
	return b.String()
}

// PrintStatus prints the status: as JSON, or with the sentences that a report begins
// with, and then the figures of the same moment. The figures are printed though the
// journal can't be summed up.
func PrintStatus(ctx context.Context, to io.Writer, asJSON bool, s quota.Status, store quota.Store, turns *pace.State) error {
	if asJSON {
		return json.NewEncoder(to).Encode(struct {
			quota.Status
			Pace *pace.State `json:"pace,omitempty"`
		}{s, turns})
	}
	s, summary, err := report.Summary(ctx, s, store, time.Now())
	if err != nil {
		err = session.Failed(err)
	}
	_, printed := fmt.Fprint(to, summary+"\n"+Status(s)+paceText(turns))
	return errors.Join(err, printed)
}

// Change is what a command did to the ledger, as JSON. There is no entry where there was
// nothing to do.
type Change struct {
	Entry  quota.Entry  `json:"entry,omitzero"`
	Status quota.Status `json:"status"`
}

// Print says what was done, and unless quiet the figures after it; or all as JSON.
func (c Change) Print(w io.Writer, asJSON, quiet bool, done string) error {
	if asJSON {
		return json.NewEncoder(w).Encode(c)
	}
	text := done + "\n"
	if !quiet {
		text += "\n" + Status(c.Status)
	}
	_, err := io.WriteString(w, text)
	return err
}

// Units reads a number of units. What is how the argument is called.
func Units(what, text string, least int64) (int64, error) {
	n, err := typed.ParseNumber(text, least, quota.MaxUnits)
	if err != nil {
		return 0, fmt.Errorf("%s %q is no number of units: %w", what, text, err)
	}
	return n, nil
}
