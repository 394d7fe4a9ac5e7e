package quota

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// trail is what one [Client] knows of the lines that the [highWater] has of its
// ledger. It is safe for concurrent use.
type trail struct {
	w      *highWater
	store  Store
	ledger string
	turn   chan struct{} // holds a token while a goroutine has or wants the lock

	mu sync.Mutex
	// proved and begins are up to where every line, and every begin and accept,
	// was found in the ledger.
	proved, begins place
	// latest is the highest number of an entry in the file, up to seen.
	latest int64
	seen   place
}

func newTrail(w *highWater, store Store, ledger string) *trail {
	return &trail{w: w, store: store, ledger: ledger, turn: make(chan struct{}, 1)}
}

// lookupTime is how long the ledger may take while others wait for the lock.
const lookupTime = 5 * time.Second

// check looks in the ledger for every line that was not looked for. It needs no
// lock, since the entry of whatever line it reads is in the ledger already. It
// returns up to where the file was compared.
func (t *trail) check(ctx context.Context) (place, error) {
	f, file, err := t.open()
	if errors.Is(err, fs.ErrNotExist) {
		return t.unknown()
	}
	if err != nil {
		return place{}, err
	}
	defer func() { _ = f.Close() }()
	t.mu.Lock()
	known := t.proved.in(file)
	t.mu.Unlock()
	part, err := readFrom(f, max(known, file.Size()-tail), known, file.Size())
	if err != nil {
		return place{}, err
	}
	if known == 0 && len(part.lines) == 0 {
		if part.wrong {
			return place{}, fmt.Errorf("%w: the high-water mark %s can't be read", ErrWentBack, f.Name())
		}
		return t.unknown() // its first line is being written, or never was
	}
	if err := t.compare(ctx, unproved(part.lines)); err != nil {
		return place{}, err
	}
	end := place{file, part.end}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.proved = t.proved.last(end)
	t.begins = t.begins.last(end)
	return end, nil
}

// unknown is for a ledger of which there are no lines.
func (t *trail) unknown() (place, error) {
	others, err := t.w.others(t.ledger)
	if err == nil && len(others) > 0 {
		err = fmt.Errorf("%w: this account was counted in ledger %s, and this one is %s",
			ErrWentBack, strings.Join(others, ", "), t.ledger)
	}
	return place{}, err
}

// latestNoted is the highest number of an entry in the file. It is in the ledger,
// so whatever is written into that from now on has a higher one.
func (t *trail) latestNoted() (int64, error) {
	f, file, err := t.open()
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // who notes something next will tell
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.seen.in(file)
	if file.Size() > known {
		part, err := readFrom(f, max(known, file.Size()-tail), known, file.Size())
		if err != nil {
			return 0, err
		}
		for _, l := range part.lines {
			if l.word == wordAccept {
				t.latest = 0
			}
			t.latest = max(t.latest, l.seq)
		}
		t.seen = place{file, part.end}
	}
	return t.latest, nil
}

// above refuses an entry that was just written unless its number is above the
// latest that was noted before: else an older state was put back into the ledger
// while it was in use, and what was spent since then would be spent again.
func above(latest int64, e Entry) error {
	if e.Seq > latest {
		return nil
	}
	return fmt.Errorf("%w: entry %d was just written into it, and entry %d was written before: an older state was put back while it was in use",
		ErrWentBack, e.Seq, latest)
}

// compare looks for lines in the ledger.
func (t *trail) compare(ctx context.Context, lines []line) error {
	if len(lines) == 0 {
		return nil
	}
	seqs := make([]int64, len(lines))
	for i, l := range lines {
		seqs[i] = l.seq
	}
	found, err := t.store.Lookup(ctx, seqs...)
	if err != nil {
		return err
	}
	marks := make(map[int64]string, len(found))
	for _, e := range found {
		marks[e.Seq] = e.mark()
	}
	var lost line // the highest
	for _, l := range lines {
		if marks[l.seq] != l.mark && l.seq > lost.seq {
			lost = l
		}
	}
	if lost.seq == 0 {
		return nil
	}
	info, err := t.store.Info(ctx)
	if err != nil {
		return err
	}
	if lost.seq > info.Head.Seq {
		return fmt.Errorf("%w: it ends at entry %d, and entry %d was written before",
			ErrWentBack, info.Head.Seq, lost.seq)
	}
	return fmt.Errorf("%w: its entry %d is not the one that was written before, so two copies are in use",
		ErrWentBack, lost.seq)
}

// begin notes that a run began on the ledger, whose latest entry is head, after
// the file was compared up to that place.
func (t *trail) begin(ctx context.Context, head Entry, after place) error {
	err := t.locked(ctx, func(ctx context.Context) error {
		at, err := t.check(ctx)
		if err != nil {
			return err
		}
		l := line{word: wordBegin, seq: head.Seq, mark: head.mark()}
		if at.file != nil {
			l.after = after.in(at.file)
		}
		return t.append(l)
	})
	if err != nil {
		return err
	}
	return t.w.flush(t.ledger)
}

// note notes an entry of a run that has begun.
func (t *trail) note(ctx context.Context, e Entry) error {
	return t.locked(ctx, func(ctx context.Context) error {
		if err := t.others(ctx); err != nil {
			return err
		}
		return t.append(line{word: wordEntry, seq: e.Seq, mark: e.mark()})
	})
}

// accept makes the ledger the truth, after a person said so in e. Where it has all
// that was noted there is nothing to accept, and what is being noted stays.
func (t *trail) accept(ctx context.Context, e Entry) error {
	err := t.locked(ctx, func(ctx context.Context) error {
		l := line{word: wordEntry, seq: e.Seq, mark: e.mark()}
		if _, err := t.check(ctx); errors.Is(err, ErrWentBack) {
			l.word = wordAccept
		} else if err != nil {
			return err
		}
		return t.append(l)
	})
	if err != nil {
		return err
	}
	return t.w.flush(t.ledger)
}

// locked does something under the lock of the account.
func (t *trail) locked(ctx context.Context, f func(context.Context) error) error {
	began, deadline := time.Now(), time.NewTimer(t.w.wait)
	defer deadline.Stop()
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return t.w.noAnswer(ctx, t.ledger, began, "other requests of this process")
	case <-deadline.C:
		return fmt.Errorf("%w: other requests of this process have waited for it for %s", ErrNoHighWater, t.w.wait)
	}
	defer func() { <-t.turn }()
	release, err := t.w.lockFor(ctx, t.ledger)
	if err != nil {
		return err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	return f(ctx)
}

// others looks for the runs of others that began since, under the lock.
func (t *trail) others(ctx context.Context) error {
	f, file, err := t.open()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if f != nil {
		defer func() { _ = f.Close() }()
	}
	t.mu.Lock()
	known := t.begins
	t.mu.Unlock()
	if f == nil || known.file == nil || !os.SameFile(known.file, file) {
		return fmt.Errorf("%w: %s was removed while the ledger was in use", ErrNoHighWater, t.w.file(t.ledger))
	}
	if file.Size() == known.offset {
		return nil
	}
	// All of it, since a begin may stand before very many entries.
	part, err := readFrom(f, known.offset, known.offset, file.Size())
	if err != nil {
		return err
	}
	var begins []line
	for _, l := range part.lines {
		if l.word != wordEntry {
			begins = append(begins, l)
		}
	}
	if err := t.compare(ctx, begins); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begins = t.begins.last(place{file, part.end})
	return nil
}

// append writes a line, under the lock, after what stands before was looked at.
func (t *trail) append(l line) error {
	end, err := t.w.append(t.ledger, l)
	if err != nil {
		return err
	}
	start := end.offset - int64(len(l.text()))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.proved.in(end.file) == start {
		t.proved = end
	}
	if t.begins.in(end.file) == start {
		t.begins = end
	}
	return nil
}
