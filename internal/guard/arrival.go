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
		return late(ctx, whole, room, all.Bytes(), in)
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
// there into memory once there is some. Where there is no disk for it either the sandbox
// waits, as long as the attempt may take.
func late(ctx, whole context.Context, room int64, begin []byte, rest io.Reader) (body []byte, arrived time.Time, err error) {
	s := &spool{}
	defer s.close()
	return s.read(ctx, whole, room, begin, rest)
}

// spool is the rest of an answer, in a file.
type spool struct {
	file *files.Temporary // nil before the first byte
	size int64
	// err is why the file takes no more, and left what it did not take.
	err  error
	left []byte
}

// Write implements [io.Writer].
func (s *spool) Write(p []byte) (n int, err error) {
	if s.file == nil {
		s.file, err = files.Temp()
	}
	if err == nil {
		n, err = s.file.Write(p)
	}
	s.size += int64(n)
	if err != nil {
		s.err, s.left = err, bytes.Clone(p[n:])
	}
	return n, err
}

func (s *spool) read(ctx, whole context.Context, room int64, begin []byte, rest io.Reader) (body []byte, arrived time.Time, err error) {
	// No reader that writes by itself, for it would keep what was not taken.
	if _, err = io.Copy(s, struct{ io.Reader }{rest}); err != nil && s.err == nil {
		return nil, time.Time{}, err
	}
	arrived = time.Now()
	if s.err == nil {
		ctx, room = whole, int64(len(begin))+s.size
	}
	if room > maxAnswer {
		return nil, time.Time{}, errTooLong
	}
	var full *bounded.Error
	for {
		if err = bounded.Answer(ctx, room); !errors.As(err, &full) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return nil, time.Time{}, errors.Join(err, s.err)
	}
	all := bytes.NewBuffer(make([]byte, 0, len(begin)+int(s.size)+len(s.left)+bytes.MinRead))
	all.Write(begin)
	if s.file != nil {
		if _, err = io.CopyN(all, io.NewSectionReader(s.file, 0, s.size), s.size); err != nil { // nor less than was written
			return nil, time.Time{}, err
		}
	}
	if s.err != nil {
		all.Write(s.left)
		if _, err = all.ReadFrom(rest); err != nil {
			return nil, time.Time{}, errors.Join(err, s.err)
		}
		if all.Len() > maxAnswer {
			return nil, time.Time{}, errTooLong
		}
		arrived = time.Now()
	}
	return all.Bytes(), arrived, nil
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close() // it was read, or is of no use
	}
}
