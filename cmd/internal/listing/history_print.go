package listing

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"slices"

	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// Print prints the last entries that f leaves, at most limit of them, all for 0: as JSON, or as
// a table, which ends with what all that it leaves add up to, unless nothing but a run is asked
// for. Whole finds the id of a run by its beginning.
func (f *Filter) Print(ctx context.Context, to io.Writer, asJSON bool, store quota.Store, whole func(ctx context.Context, begins string) (string, error), limit int) error {
	run, err := whole(ctx, f.run)
	if err != nil {
		return session.Failed(err)
	}
	if asJSON && limit == 0 {
		return f.stream(ctx, to, store, run)
	}
	entries, sum, err := f.latest(ctx, store, run, limit)
	switch {
	case err != nil:
		return err
	case asJSON:
		return json.NewEncoder(to).Encode(entries)
	}
	return WriteEntries(to, entries, sum)
}

// stream writes all entries that f leaves as they are read: a million of them would take a
// gigabyte. What is cut by an error is no JSON.
func (f *Filter) stream(ctx context.Context, to io.Writer, store quota.Store, run string) error {
	out := bufio.NewWriter(to)
	before := "["
	err := f.each(ctx, store, run, func(e quota.Entry) error {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = out.WriteString(before)
		if before = ","; err == nil {
			_, err = out.Write(text)
		}
		return err
	})
	if err != nil {
		return err
	}
	end := "]\n"
	if before == "[" {
		end = "[]\n"
	}
	if _, err := out.WriteString(end); err != nil {
		return err
	}
	return out.Flush()
}

// latest reads the last entries that f leaves, and sums up all of them where anything but a
// run is asked for.
func (f *Filter) latest(ctx context.Context, store quota.Store, run string, limit int) ([]quota.Entry, *Sum, error) {
	if !f.set() {
		entries, err := Latest(ctx, store, limit, run)
		return entries, nil, err
	}
	var sum Sum
	all := []quota.Entry{}
	err := f.each(ctx, store, run, func(e quota.Entry) error {
		sum.add(e)
		all = append(all, e)
		if limit > 0 && len(all) > 2*limit {
			all = slices.Clone(all[len(all)-limit:])
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if limit > 0 && len(all) > limit {
		all = all[len(all)-limit:]
	}
	return all, &sum, nil
}
