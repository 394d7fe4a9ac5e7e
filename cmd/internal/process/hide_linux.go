package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Memory is where the system keeps the environment that this program was
// started with, for /proc/PID/environ: nothing that a program does to its
// environment changes it there.
type Memory struct {
	file     *os.File // nil where the system does not let us
	from, to int64
}

// Hide keeps other processes of the same user from reading this one's
// memory and environment, and leaves no core dump, whatever GOTRACEBACK says. It
// guards against accidents: a user who wants to can still start this program
// under a debugger.
func Hide() (*Memory, error) {
	m := openMemory() // while it can be opened
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return m, fmt.Errorf("hide the credential from other processes: %w", err)
	}
	return m, nil
}

// openMemory finds the environment: proc_pid_stat(5) has its place.
func openMemory() *Memory {
	const envStart, envEnd = 50 - 3, 51 - 3 // of the fields after the name, which may hold anything
	m := &Memory{}
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return m
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= envEnd {
		return m
	}
	from, err1 := strconv.ParseInt(string(fields[envStart]), 10, 64)
	to, err2 := strconv.ParseInt(string(fields[envEnd]), 10, 64)
	if err1 != nil || err2 != nil || from <= 0 || to <= from {
		return m
	}
	file, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return m
	}
	return &Memory{file, from, to}
}

// overwriteVariable puts asterisks over the values that a variable has there.
func (m *Memory) overwriteVariable(name string) {
	if m.file == nil {
		return
	}
	block := make([]byte, m.to-m.from)
	defer func() { clear(block) }()
	if _, err := m.file.ReadAt(block, m.from); err != nil {
		return
	}
	at := m.from
	for entry := range bytes.SplitSeq(block, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte(name+"=")); ok {
			// Where this fails, what hides the process hides it all the same.
			_, _ = m.file.WriteAt(bytes.Repeat([]byte("*"), len(value)), at+int64(len(entry)-len(value)))
		}
		at += int64(len(entry)) + 1
	}
}

// Start is nothing here: what is set for this process ends with it.
func Start(start func() error) error { return start() }
