package quota

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// AccountHash names an account without naming it: the SHA-256, in hex, of its
// identity host and client id.
func AccountHash(identityHost, clientID string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(identityHost) + "\n" + clientID))
	return hex.EncodeToString(sum[:])
}

// Witness remembers outside the project, and so outside of whatever may restore
// an older ledger file, how far each ledger of one account has come.
//
// There is one file for each ledger, to which lines are only ever appended:
// "SEQ MARK" for an entry, where MARK tells it from another entry with the same
// number in a copy, and "reset SEQ MARK" where a person accepted the ledger as
// it was. A line is one write in append mode, so processes need no lock. Lines
// of concurrent writers may be out of order; the highest counts.
//
// # What may be stale
//
// A line is written only after its entry is durable, so a witness is never
// ahead of its ledger. It is written for each spend before the request goes
// out, so a ledger restored to any state before a spend that was sent knows
// less than the witness. The file is flushed at the begin and the end of a run
// but not at a spend: a process that dies leaves what it wrote in the page
// cache, and it takes a power cut, within a run, and a restore to a state of
// that same run, to deceive it.
type Witness struct {
	dir string
}

// NewWitness is the witness of an account, by its [AccountHash]. It is kept
// under stateHome; empty means $XDG_STATE_HOME, or ~/.local/state without it.
func NewWitness(stateHome, account string) (*Witness, error) {
	if account == "" {
		return nil, errors.New("a witness needs an account")
	}
	if stateHome == "" {
		stateHome = os.Getenv("XDG_STATE_HOME")
	}
	if !filepath.IsAbs(stateHome) { // the XDG base directory specification: relative ones are ignored
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("no place for the witness, set XDG_STATE_HOME: %w", err)
		}
		stateHome = filepath.Join(home, ".local", "state")
	}
	return &Witness{dir: filepath.Join(stateHome, "hsharness", "accounts", account)}, nil
}

// Ledgers lists the ledgers of the account that were used on this machine.
func (w *Witness) Ledgers() ([]string, error) {
	files, err := os.ReadDir(w.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the witness: %w", err)
	}
	ids := make([]string, 0, len(files))
	for _, f := range files {
		ids = append(ids, f.Name())
	}
	return ids, nil
}

// Check compares a ledger with what was witnessed of it. It is [ErrWentBack]
// when the ledger knows less, or something else at the same place, or when this
// account was counted in other ledgers and never in this one. A ledger of an
// account that is new on this machine is fine.
func (w *Witness) Check(ctx context.Context, store Store, info Info) error {
	seq, mark, err := w.highest(info.LedgerID)
	if errors.Is(err, fs.ErrNotExist) {
		others, err := w.Ledgers()
		if err != nil || len(others) == 0 {
			return err
		}
		return fmt.Errorf("%w: this account was counted in ledger %s, and this one is %s: find the old ledger, or say what the service has counted: hsharness quota reconcile --observed N --note WHY",
			ErrWentBack, strings.Join(others, ", "), info.LedgerID)
	}
	if err != nil {
		return err
	}
	if seq > info.Head.Seq {
		return fmt.Errorf("%w: it ends at entry %d, and entry %d was written before: find the newer ledger, or say what the service has counted: hsharness quota reconcile --observed N --note WHY",
			ErrWentBack, info.Head.Seq, seq)
	}
	for e, err := range store.Entries(ctx, seq-1) {
		if err != nil {
			return err
		}
		if e.Seq != seq || e.mark() != mark {
			break
		}
		return nil
	}
	return fmt.Errorf("%w: its entry %d is not the one that was written before, so two copies are in use: keep one, and say what the service has counted: hsharness quota reconcile --observed N --note WHY",
		ErrWentBack, seq)
}

// Accept makes the ledger, as it is, the truth: after init, for one that the
// account is new to, and after a reconciliation. The entry must be durable.
func (w *Witness) Accept(ledger string, head Entry) error {
	log, err := w.open(ledger)
	if err != nil {
		return err
	}
	return errors.Join(log.write("reset ", head), log.flush(), log.close())
}

// witnessLog is the open file of one ledger.
type witnessLog struct{ f *os.File }

func (w *Witness) open(ledger string) (*witnessLog, error) {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the witness: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(w.dir, ledger), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the witness: %w", err)
	}
	return &witnessLog{f}, nil
}

// write notes an entry that is durable in the ledger.
func (l *witnessLog) write(prefix string, e Entry) error {
	if _, err := fmt.Fprintf(l.f, "%s%d %s\n", prefix, e.Seq, e.mark()); err != nil {
		return fmt.Errorf("write the witness: %w", err)
	}
	return nil
}

func (l *witnessLog) flush() error {
	if err := l.f.Sync(); err != nil {
		return fmt.Errorf("flush the witness: %w", err)
	}
	return nil
}

func (l *witnessLog) close() error { return l.f.Close() }

// witnessTail is how much of a witness is read. Lines of concurrent writers are
// out of order by no more lines than there are writers, so the highest is near
// the end.
const witnessTail = 64 << 10

// highest reads the highest entry that was witnessed since the last reset.
func (w *Witness) highest(ledger string) (seq int64, mark string, err error) {
	f, err := os.Open(filepath.Join(w.dir, ledger))
	if err != nil {
		return 0, "", fmt.Errorf("read the witness: %w", err)
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, "", fmt.Errorf("read the witness: %w", err)
	}
	tail := make([]byte, min(size, witnessTail))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return 0, "", fmt.Errorf("read the witness: %w", err)
	}
	if int64(len(tail)) < size { // the first line is perhaps half of one
		_, tail, _ = bytes.Cut(tail, []byte("\n"))
	}
	seq, mark = parseWitness(string(tail))
	if seq == 0 {
		return 0, "", fmt.Errorf("%w: the witness %s can't be read; say what the service has counted: hsharness quota reconcile --observed N --note WHY",
			ErrWentBack, f.Name())
	}
	return seq, mark, nil
}

// parseWitness finds the highest entry after the last reset, 0 without any. A
// line that a power cut left half written says nothing.
func parseWitness(text string) (seq int64, mark string) {
	for line := range strings.Lines(text) {
		line, whole := strings.CutSuffix(line, "\n")
		line, reset := strings.CutPrefix(line, "reset ")
		digits, m, _ := strings.Cut(line, " ")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || !whole || n < 1 || len(m) != 16 {
			continue
		}
		if reset || n > seq {
			seq, mark = n, m
		}
	}
	return seq, mark
}
