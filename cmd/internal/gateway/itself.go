package gateway

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// born is when the process began, near enough.
var born = time.Now()

// process writes how the process does, by the names that dashboards for programs of Go
// know. What only the kernel knows is asked where it says so in /proc.
func process(e *exposition) {
	e.family("go_info", "gauge", "The version of Go that built the program.")
	e.figure("go_info", 1, "version", runtime.Version())
	e.one("go_goroutines", "gauge", "Goroutines that exist.", float64(runtime.NumGoroutine()))
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	e.one("go_memstats_heap_alloc_bytes", "gauge", "Bytes of the heap that are in use.", float64(memory.HeapAlloc))
	e.one("go_memstats_sys_bytes", "gauge", "Bytes that the runtime got from the system.", float64(memory.Sys))
	e.one("process_start_time_seconds", "gauge", "When the process began, as a Unix time.", float64(born.UnixMilli())/1000)
	if pages, ok := resident(); ok {
		e.one("process_resident_memory_bytes", "gauge", "Bytes of memory that are in use.", float64(pages*int64(os.Getpagesize())))
	}
	if ticks, ok := worked(); ok {
		e.one("process_cpu_seconds_total", "counter", "Seconds of the processor, the kernel's for us too.", float64(ticks)/100)
	}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		e.one("process_open_fds", "gauge", "Files and connections that are open.", float64(len(open)-1)) // not the folder itself
	}
}

// resident is how many pages are in memory: proc_pid_statm(5).
func resident() (int64, bool) {
	said, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(said))
	if err != nil || len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages, err == nil
}

// worked is the time of the processor in hundredths of a second, which the kernel counts
// in for every architecture that we are built for: utime and stime of proc_pid_stat(5),
// behind the name of the program, which may have spaces.
func worked() (int64, bool) {
	said, err := os.ReadFile("/proc/self/stat")
	_, rest, ok := strings.Cut(string(said), ") ")
	fields := strings.Fields(rest)
	if err != nil || !ok || len(fields) < 13 {
		return 0, false
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return user + system, err1 == nil && err2 == nil
}
