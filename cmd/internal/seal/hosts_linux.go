package seal

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/files"
)

// resolvers are where a C library may ask a service of the machine for names, past
// what is set up here.
var resolvers = []string{"/run/systemd/resolve/io.systemd.Resolve", "/run/nscd/socket", "/var/run/nscd/socket", "/var/run/.nscd_socket"}

// largestSetting bounds the files of the system that are read, in bytes.
const largestSetting = 1 << 20

// resolverAddress is where a seal's names are asked for.
const resolverAddress = "127.0.0.1"

// settings stand in every seal instead of files of the system: a name is found there or
// nowhere.
func (cfg *Config) settings() map[string][]byte {
	read := func(path string) string {
		text, err := files.Read(path, largestSetting)
		if err != nil {
			return "" // then it stands for nothing
		}
		return string(text)
	}
	own, err := os.Hostname()
	if err != nil {
		own = "" // then nothing asks for it
	}
	return map[string][]byte{
		"/etc/hosts":         []byte(hostsFile(read("/etc/hosts"), own, cfg.Hosts)),
		"/etc/resolv.conf":   []byte("nameserver " + resolverAddress + "\noptions timeout:2 attempts:2\n"),
		"/etc/nsswitch.conf": []byte(switchFile(read("/etc/nsswitch.conf"))),
	}
}

// hostsFile has the hosts, and of the system's file the lines for loopback: what it
// has besides is not reached here, and is to be asked for.
// The machine's own name is there: many programs ask for it, and it is no other host.
func hostsFile(system, own string, hosts map[string]netip.Addr) string {
	var b strings.Builder
	has := false
	for line := range strings.Lines(system) {
		text, _, _ := strings.Cut(line, "#")
		fields := strings.Fields(text)
		if len(fields) < 2 {
			continue
		}
		at, err := netip.ParseAddr(fields[0])
		if err != nil || !at.IsLoopback() {
			continue
		}
		names := slices.DeleteFunc(fields[1:], func(name string) bool {
			_, known := hosts[strings.ToLower(name)]
			return known
		})
		if len(names) > 0 {
			has = has || slices.Contains(names, own)
			fmt.Fprintf(&b, "%s %s\n", fields[0], strings.Join(names, " "))
		}
	}
	if b.Len() == 0 {
		b.WriteString("127.0.0.1 localhost\n::1 localhost\n")
	}
	if _, known := hosts[own]; own != "" && !has && !known {
		fmt.Fprintf(&b, "127.0.0.1 %s\n", own)
	}
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		fmt.Fprintf(&b, "%s %s\n", hosts[name], name)
	}
	return b.String()
}

// switchFile has a C library look names up in files and by DNS, and nowhere else.
func switchFile(system string) string {
	var b strings.Builder
	for line := range strings.Lines(system) {
		if !strings.HasPrefix(strings.TrimSpace(line), "hosts:") {
			b.WriteString(strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	return b.String() + "hosts: files dns\n"
}
