package dataset

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
)

// text reads the file, unpacks it and takes only UTF-8. The error is the reader's own.
func (d *reading) text(r io.Reader) error {
	hash := sha256.New()
	packed := &counted{r: io.TeeReader(r, hash)}
	var in io.Reader = packed
	if strings.HasSuffix(strings.ToLower(d.set.Name), ".gz") {
		unzipped, err := gzip.NewReader(packed)
		if err != nil {
			return d.damaged(packed, err)
		}
		in = unzipped
	}
	var buf strings.Builder
	chunk := make([]byte, 64<<10)
	for {
		n, err := in.Read(chunk)
		buf.Write(chunk[:n])
		size := int64(buf.Len())
		switch {
		case size > d.limits.Bytes:
			d.errorf(0, "the file has more than %d bytes, and no more are read of a table: cut it into several files", d.limits.Bytes)
			return nil
		case in != packed && size > MinPacked && size > MaxRatio*packed.n:
			d.errorf(0, "%d compressed bytes became %d, more than %d times as many: no table packs like that", packed.n, size, MaxRatio)
			return nil
		case errors.Is(err, io.EOF) && packed.err == nil:
			if _, err := io.Copy(io.Discard, packed); err != nil { // for the digest
				return err
			}
			d.set.Digest = hex.EncodeToString(hash.Sum(nil))
			d.data = buf.String()
			d.plain()
			return nil
		case err != nil:
			return d.damaged(packed, err)
		}
	}
}

// damaged is the error of the reader itself; any other is one of the compressed data.
func (d *reading) damaged(packed *counted, err error) error {
	if packed.err != nil {
		return packed.err
	}
	d.errorf(0, "the compressed data is damaged after %d bytes: %s", packed.n, err)
	return nil
}

// counted counts what is read, and keeps the error.
type counted struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}
