package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// exportFormat is the version of what export writes.
const exportFormat = 1

// exportHeader is the first line of an export. Each further line is an entry,
// the last of them that with Seq, so that a file cut short is noticed.
type exportHeader struct {
	Format    int       `json:"format"`
	LedgerID  string    `json:"ledger_id"`
	Account   string    `json:"account"`
	Allowance string    `json:"allowance"`
	Created   time.Time `json:"created"`
	Seq       int64     `json:"seq"`
}

// info is what the header says of the ledger.
func (h exportHeader) info() quota.Info {
	return quota.Info{LedgerID: h.LedgerID, Account: h.Account, Allowance: h.Allowance, Created: h.Created}
}

func (p *program) quotaExportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write the whole journal as JSON lines",
		Long: `Writes a line that names the ledger, and then each entry in a line of its own, to
the file or to standard output. No secret is in it. Import makes a ledger of it.`,
		Example: `  hsharness quota export ledger.jsonl
  hsharness quota export | jq 'select(.kind == "spend")'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.reading(cmd.Context(), func(l *ledger.Ledger) error {
				export := func(w io.Writer) error { return exportLedger(cmd.Context(), l.Store, w) }
				if len(args) == 0 {
					return export(p.stdout)
				}
				return p.writeTo(args[0], os.O_TRUNC, export)
			})
		},
	}
}

// exportLedger writes the ledger as it is at one moment: others may go on.
func exportLedger(ctx context.Context, store quota.Store, w io.Writer) error {
	var written error // no error of the ledger
	err := store.Snapshot(ctx, func(info quota.Info, entries iter.Seq2[quota.Entry, error]) error {
		buffered := bufio.NewWriter(w)
		lines := json.NewEncoder(buffered)
		written = lines.Encode(exportHeader{exportFormat, info.LedgerID, info.Account, info.Allowance, info.Created, info.Head.Seq})
		for e, err := range entries {
			if err != nil || written != nil {
				return cmp.Or(written, err)
			}
			written = lines.Encode(e)
		}
		written = cmp.Or(written, buffered.Flush())
		return written
	})
	if written != nil {
		return written
	}
	return ledgerError(err)
}

func (p *program) quotaImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Make a ledger of an exported journal",
		Long: `Makes a new ledger, entry for entry and under the same id, of what export wrote,
and verifies it. Runs that were active in it must be over. Nobody can tell from
an export what was spent since, so the new ledger is blocked until you say what
the service has counted: hsharness quota reconcile --observed N --note WHY.`,
		Example: `  hsharness quota import ledger.jsonl --ledger sqlite:new/ledger.db`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pr, err := p.project()
			if err != nil {
				return err
			}
			return p.quotaImport(cmd.Context(), pr, args[0])
		},
	}
}

func (p *program) quotaImport(ctx context.Context, pr *project.Project, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return usageError(err)
	}
	defer func() { _ = file.Close() }()
	header, entries, err := readExport(name, file)
	if err != nil {
		return usageError(err)
	}
	l, err := p.makeLedger(pr, func(at ledger.Address, client *quota.Client) (quota.Store, error) {
		if !client.Loopback && header.Account != client.Account {
			return nil, fmt.Errorf("%w: %s is of %.12s, the credential of %.12s", quota.ErrOtherAccount, name, header.Account, client.Account)
		}
		return at.Import(ctx, header.info(), imported(name, entries))
	})
	if err != nil {
		return err
	}
	defer l.Close()
	found, err := l.Store.Verify(ctx)
	if err != nil {
		return ledgerError(err)
	}
	if len(found.Problems) > 0 {
		return p.printReport(found)
	}
	info, err := l.Store.Info(ctx)
	if err != nil {
		return ledgerError(err)
	}
	return p.report(ctx, l, info.Head, "imported %d entries into %s; it is blocked until you say what the service has counted: hsharness quota reconcile --observed N --note WHY",
		found.Entries-1, cmp.Or(info.Path, info.Store))
}

// imported are the entries of an export and the bar of a ledger that is made of
// it: nobody knows what was spent since from the one that it is of.
func imported(name string, entries iter.Seq2[quota.Entry, error]) iter.Seq2[quota.Entry, error] {
	return func(yield func(quota.Entry, error) bool) {
		var last quota.Entry
		for e, err := range entries {
			if !yield(e, err) || err != nil {
				return
			}
			last = e
		}
		if last.Seq == 0 {
			return
		}
		bar := quota.Bar{Reason: quota.Imported, ID: session.NewID(), From: filepath.Base(name)}.Entry()
		bar.Seq, bar.Time, bar.Allowance = last.Seq+1, time.Now().UTC().Truncate(time.Microsecond), last.Allowance
		yield(bar, nil)
	}
}
