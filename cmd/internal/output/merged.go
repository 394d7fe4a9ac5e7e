package output

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/hsharness/hsharness/cmd/internal/ending"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/report"
)

// Merged puts the shards of a run together that --json wrote to files. Its bill ends as the
// one that ended worst.
func Merged(names []string) (report.Run, error) {
	var scenarios []report.Scenario
	var bills []report.Bill
	var parts report.Parts
	for _, name := range names {
		var s []report.Scenario
		var b []report.Bill
		err := reading(name, func(from io.Reader) (err error) {
			s, b, err = parts.ReadJSON(name, from)
			return err
		})
		if err != nil {
			return report.Run{}, err
		}
		scenarios, bills = append(scenarios, s...), append(bills, b...)
	}
	run, err := report.Merge(scenarios, bills)
	for _, b := range bills {
		if b.Exit < ending.OK || b.Exit > 255 { // which no process ends with, and 256 were 0
			b.Exit = ending.Failed
		}
		if b.Exit != ending.OK && (run.Bill.Exit == ending.OK || ending.Graver(b.Exit, run.Bill.Exit)) { // 130 has no rank, and is no success
			run.Bill.Exit, run.Bill.Reason = b.Exit, b.Reason
		}
	}
	return run, err
}

// reading lets read have a file of a run's JSON, which may be large.
func reading(name string, read func(io.Reader) error) error {
	file, err := files.Open(name, report.MaxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return hint.WriteResults.About(fmt.Errorf("there is no file %s", name))
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was read
	return read(file)
}

// Ended is the bill of a merged run whose scores were judged.
func Ended(run report.Run) report.Bill {
	b := run.Bill
	if failed := run.Failed(); failed > 0 && b.Exit == ending.OK {
		b.Exit, b.Reason = ending.Failed, fmt.Sprintf("%d of %d scenarios failed", failed, len(run.Scenarios))
	}
	b.Verdict = ending.Verdict(b.Exit)
	return b
}
