package ledger

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"iter"
	"path/filepath"
	"time"

	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// exportFormat is the version of what export writes.
const exportFormat = 1

// ExportHeader is the first line of an export. Each further line is an entry,
// the last of them that with Seq, so that a file cut short is noticed.
type ExportHeader struct {
	Format    int       `json:"format"`
	LedgerID  string    `json:"ledger_id"`
	Account   string    `json:"account"`
	Allowance string    `json:"allowance"`
	Created   time.Time `json:"created"`
	Seq       int64     `json:"seq"`
}

// Info is what the header says of the ledger.
func (h ExportHeader) Info() quota.Info {
	return quota.Info{LedgerID: h.LedgerID, Account: h.Account, Allowance: h.Allowance, Created: h.Created}
}

// Export writes the ledger as it is at one moment: others may go on.
func Export(ctx context.Context, store quota.Store, w io.Writer) error {
	var written error // no error of the ledger
	err := store.Snapshot(ctx, func(info quota.Info, entries iter.Seq2[quota.Entry, error]) error {
		buffered := bufio.NewWriter(w)
		lines := json.NewEncoder(buffered)
		written = lines.Encode(ExportHeader{exportFormat, info.LedgerID, info.Account, info.Allowance, info.Created, info.Head.Seq})
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
	return session.Failed(err)
}

// Imported are the entries of an export and the bar of a ledger that is made of
// it: nobody knows what was spent since from the one that it is of.
func Imported(name string, entries iter.Seq2[quota.Entry, error]) iter.Seq2[quota.Entry, error] {
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
