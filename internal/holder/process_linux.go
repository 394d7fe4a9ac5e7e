package holder

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"
)

// space names the PID namespace of this process.
func space() string {
	name, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return name
}

// gone tells that the kernel knows no process with this number.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// stopped tells whether a process was stopped, by a signal or a debugger: field 3
// of /proc/PID/stat, proc(5).
func stopped(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	return len(fields) > 0 && (fields[0][0] == 'T' || fields[0][0] == 't')
}
