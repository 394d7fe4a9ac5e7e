package quota

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// processStart is "boot/namespace/start" of a process, or empty when one of
// them can't be read. Containers may share a host name but not a PID namespace,
// and then the PIDs of one mean nothing in the other.
func processStart(pid int) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	start, err := startTime(pid)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + "/" + namespace + "/" + start
}

// startTime is field 22 of /proc/PID/stat, proc(5). Field 2, the name, may hold
// spaces and parentheses, so counting starts behind its last parenthesis.
func startTime(pid int) (string, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return "", errors.New("unexpected /proc/PID/stat")
	}
	if state := fields[0][0]; state == 'Z' || state == 'X' {
		return "", fs.ErrNotExist // killed, and only not yet waited for
	}
	return string(fields[19]), nil
}

func processGone(p Process) bool {
	here := processStart(os.Getpid())
	cut := strings.LastIndexByte(p.Start, '/')
	if here == "" || cut < 0 || here[:strings.LastIndexByte(here, '/')] != p.Start[:cut] {
		return false // another boot or namespace: nothing can be said of its PIDs
	}
	start, err := startTime(p.PID)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	return err == nil && start != p.Start[cut+1:]
}
