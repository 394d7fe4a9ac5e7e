package seal

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzLink checks that no message of the link makes a panic, or keeps a file.
func FuzzLink(f *testing.F) {
	f.Add([]byte(`{"op":"ready"}`), []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}data"))
	f.Add([]byte(`[`), []byte("\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte(``), []byte("\xf8\xff\xff\xff\xff\xff\xff\xff12345678"))
	f.Fuzz(func(t *testing.T, text, long []byte) {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		l, err := newLink(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.conn.Close() }()
		_ = unix.Send(pair[1], text, 0)
		_ = unix.Close(pair[1])
		if _, files, err := l.receive(); err != nil && len(files) > 0 {
			t.Fatalf("%d files and %v", len(files), err)
		}
		fd, err := unix.MemfdCreate("fuzz", unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Write(fd, long); err != nil {
			t.Fatal(os.NewSyscallError("write", err))
		}
		var value any
		_, _ = readLong([]int{fd}, &value)
	})
}
