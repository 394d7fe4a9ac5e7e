package seal

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// settable are where the kernel lets its administrator's user set what it does, also
// without a capability: it starts programs that are named there, outside.
var settable = []string{"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"}

// readOnly keeps the kernel's settings from a command of the administrator.
func readOnly() error {
	for _, path := range settable {
		err := mount(path, path, "", unix.MS_BIND|unix.MS_REC, "")
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
	}
	mounted, err := os.ReadFile("/proc/self/mountinfo") // of the kernel, and as long as there are mounts
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounted)) {
		fields := strings.Fields(line)
		const point, options = 4, 5 // proc_pid_mountinfo(5)
		if len(fields) <= options || !below(fields[point], append(settable, "/sys")) {
			continue
		}
		flags := uintptr(unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY)
		for option := range strings.SplitSeq(fields[options], ",") {
			flags |= map[string]uintptr{"nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC}[option]
		}
		if err := mount("", unescaped(fields[point]), "", flags, ""); err != nil && !os.IsNotExist(err) { // one that another covers
			return err
		}
	}
	return nil
}

func below(path string, folders []string) bool {
	for _, folder := range folders {
		if path == folder || strings.HasPrefix(path, folder+"/") {
			return true
		}
	}
	return false
}

// unescaped has the bytes that stand as \ooo in the list of mounts.
func unescaped(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
