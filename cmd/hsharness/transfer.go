package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/quota"
)

func (p *program) quotaExportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write the whole journal as JSON lines",
		Long: `Writes a line that names the ledger, and then each entry in a line of its own, to
the file or to standard output. No secret is in it. Import makes a ledger from it.`,
		Example: `  hsharness quota export ledger.jsonl
  hsharness quota export | jq 'select(.kind == "spend")'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.reading(cmd.Context(), func(l *ledger.Ledger) error {
				export := func(w io.Writer) error { return ledger.Export(cmd.Context(), l.Store, w) }
				if len(args) == 0 {
					return export(p.stdout)
				}
				if err := (output.Report[int]{Flag: "export", To: args[0], Begins: []string{`{"format":`}}).Like(); err != nil {
					return usageError(err)
				}
				return p.writeTo(args[0], os.O_TRUNC, export)
			})
		},
	}
}

func (p *program) quotaImportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Make a ledger of an exported journal",
		Long: `Makes a new ledger, entry for entry and under the same id, from what export wrote,
and verifies it. Runs that were active in it must be over. Nobody can tell from
an export what was spent since, so the new ledger is blocked until you say what
the service has counted: hsharness quota reconcile --observed N --note WHY.
FILE - is standard input.`,
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
	file := io.NopCloser(p.stdin)
	if name != output.Stdout {
		var err error
		if file, err = files.Open(name, files.Data); err != nil {
			return usageError(err)
		}
	}
	defer func() { _ = file.Close() }()
	header, entries, err := ledger.ReadExport(name, file)
	if err != nil {
		return usageError(err)
	}
	l, err := p.makeLedger(pr, func(at ledger.Address, client *quota.Client) (quota.Store, error) {
		if !client.Loopback && header.Account != client.Account {
			return nil, fmt.Errorf("%w: %s is of %.12s, the credential of %.12s", quota.ErrOtherAccount, name, header.Account, client.Account)
		}
		return at.Import(ctx, header.Info(), ledger.Imported(name, entries))
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
	return p.report(ctx, l, info.Head, "imported %d entries into %s; it is blocked until you say what the service has counted: %s",
		found.Entries-1, cmp.Or(info.Path, info.Store), hint.Reconcile)
}
