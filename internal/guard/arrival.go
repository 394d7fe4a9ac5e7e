package guard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/hsharness/hsharness/internal/bounded"
	"github.com/hsharness/hsharness/internal/files"
)

// patience is how long the sandbox may be kept waiting for room in memory, before what
// it sends goes to a file: it might give the connection up, and the answer is paid for.
const patience = time.Second

// readAnswer reads an answer whole, and tells when it had arrived. One that is long needs
// its share of the memory that answers under way have together, before more of it is
// read; where there is none it waits in a file. The attempt ends with ctx, the waiting
// with whole.
func readAnswer(ctx, whole context.Context, resp *http.Response) (body []byte, arrived time.Time, err error) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, time.Time{}, errSwitched
	}
	if !known(resp.StatusCode) {
		return nil, time.Time{}, statusError(resp.StatusCode)
	}
	in := io.LimitReader(resp.Body, maxAnswer+1)
	var all bytes.Buffer
	if _, err := io.CopyN(&all, in, bounded.FreeAnswer); errors.Is(err, io.EOF) {
		return all.Bytes(), time.Now(), nil
	} else if err != nil {
		return nil, time.Time{}, err
	}
	room := resp.ContentLength
	if room < 0 || room > maxAnswer {
		room = maxAnswer
	}
	err = bounded.AnswerWithin(ctx, room, patience)
	var full *bounded.Error
	if errors.As(err, &full) {
		return late(whole, all.Bytes(), in)
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	if resp.ContentLength > bounded.FreeAnswer && resp.ContentLength <= room {
		all.Grow(int(room) - all.Len() + bytes.MinRead)
	}
	_, err = all.ReadFrom(in)
	if err == nil && all.Len() > maxAnswer {
		err = errTooLong
	}
	return all.Bytes(), time.Now(), err
}

// late reads an answer for which there is no memory yet: its rest goes to a file, and from
// there into memory once there is some.
func late(ctx context.Context, begin []byte, rest io.Reader) (body []byte, arrived time.Time, err error) {
	file, err := files.Temp()
	if err != nil {
		return nil, time.Time{}, err
	}
	defer func() { _ = file.Close() }() // it was read, or is of no use
	n, err := io.Copy(file, rest)
	if err != nil {
		return nil, time.Time{}, err
	}
	arrived = time.Now()
	size := int64(len(begin)) + n
	if size > maxAnswer {
		return nil, time.Time{}, errTooLong
	}
	var full *bounded.Error
	for {
		if err = bounded.Answer(ctx, size); !errors.As(err, &full) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	body = make([]byte, size)
	copy(body, begin)
	if _, err := file.ReadAt(body[len(begin):], 0); err != nil {
		return nil, time.Time{}, err
	}
	return body, arrived, nil
}
