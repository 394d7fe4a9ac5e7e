package quota

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// realm is where the numbers of /proc and of kill(2) mean what they say.
type realm struct {
	// boot, pids and times name this boot, PID namespace and time namespace;
	// empty where one can't be read. Containers may share a host name but not a
	// PID namespace, and then the PIDs of one mean nothing in the other; and the
	// kernel tells start times as the time namespace of the reader has them.
	boot, pids, times string
	// proc says that /proc shows the processes of this PID namespace: a namespace
	// may have been entered and the /proc of another still be mounted.
	proc bool
}

// here is the realm of this process, which it doesn't leave.
var here = sync.OnceValue(func() realm {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return realm{}
	}
	return realm{boot: strings.TrimSpace(string(boot)), pids: namespace("pid"), times: namespace("time"), proc: procIsOurs()}
})

// namespace names one of this process's namespaces, "none" where the kernel knows
// no namespaces of that kind.
func namespace(kind string) string {
	name, err := os.Readlink("/proc/self/ns/" + kind)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "none"
	case err != nil:
		return ""
	}
	return name
}

// procIsOurs reads the line NSpid of proc(5): a process has a PID in every
// namespace from that of the mount down to its own, so one alone means that they
// are the same.
func procIsOurs() bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	_, pids, _ := bytes.Cut(status, []byte("\nNSpid:"))
	pids, _, _ = bytes.Cut(pids, []byte("\n"))
	return strings.TrimSpace(string(pids)) == strconv.Itoa(os.Getpid())
}

// processStart is "boot/PID namespace/time namespace/start" of this process, or
// empty when one of them can't be read.
func processStart() string {
	r := here()
	p, err := readStat("self")
	if err != nil || r.boot == "" || r.pids == "" || r.times == "" {
		return ""
	}
	return r.boot + "/" + r.pids + "/" + r.times + "/" + p.start
}

// stat is what /proc/PID/stat says of a process.
type stat struct {
	start string // in ticks since the boot, as the reader's time namespace has it
	ended bool   // it was killed, and is only not yet waited for
}

// readStat reads fields 3, 20 and 22 of /proc/PID/stat, proc(5). Field 2, the
// name, may hold spaces and parentheses, so counting starts behind its last
// parenthesis.
func readStat(pid string) (stat, error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return stat{}, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return stat{}, errors.New("unexpected /proc/PID/stat")
	}
	state, threads := fields[0][0], string(fields[17])
	// A first thread that has ended while others go on looks like a zombie too.
	ended := (state == 'Z' || state == 'X') && (threads == "0" || threads == "1")
	return stat{string(fields[19]), ended}, nil
}

// processGone asks the kernel, which says of every process of this PID namespace
// whether it is there, whoever owns it. /proc may hide those of others (its
// option hidepid), so what is missing there proves nothing; it only tells a
// process from an earlier one that had its PID.
func processGone(p Process) bool {
	r := here()
	parts := strings.Split(p.Start, "/")
	if r.boot == "" || r.pids == "" || len(parts) < 2 || parts[0] != r.boot || parts[1] != r.pids {
		return false // another boot or namespace: nothing can be said of its PIDs
	}
	if errors.Is(syscall.Kill(p.PID, 0), syscall.ESRCH) {
		return true
	}
	// Ledgers of earlier versions don't say in which time namespace it started.
	if len(parts) != 4 || parts[2] != r.times || !r.proc {
		return false
	}
	now, err := readStat(strconv.Itoa(p.PID))
	return err == nil && (now.ended || now.start != parts[3])
}
