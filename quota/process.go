package quota

import (
	"math"
	"os"
	"unicode/utf8"
)

// Process names the process that a run belongs to, for finding out that it is
// gone. The zero Process is unknown, and only its run's lease tells.
type Process struct {
	// Host is the name of its machine. Empty is unknown.
	Host string `json:"host,omitempty"`
	// PID is its number on that machine, in its own namespace. Zero is unknown.
	PID int `json:"pid,omitempty"`
	// Start tells processes apart that had the same PID: the boot, the namespaces
	// of PIDs and of time, and the start time on Linux, empty elsewhere.
	Start string `json:"start,omitempty"`
}

// ThisProcess is the running process.
func ThisProcess() Process {
	host, err := os.Hostname()
	if err != nil || !utf8.ValidString(host) { // no ledger has a text that is none
		host = "" // never equal to a known one: the lease decides
	}
	return Process{Host: host, PID: os.Getpid(), Start: processStart()}
}

// Gone tells whether p is certain to have ended: it belongs to this boot and
// PID namespace of this host, and the kernel knows no process with its PID, or
// one that is seen to have started at another time. Whenever that can't be known
// it is false and the lease decides.
func (p Process) Gone() bool {
	host, err := os.Hostname()
	return err == nil && host != "" && p.Host == host && p.PID > 0 && p.PID <= math.MaxInt32 && processGone(p)
}
