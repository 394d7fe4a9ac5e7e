package intercept

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// sameUser tells whether the other end of a connection of loopback is of this user: the
// system says whose each is (proc_pid_net(5)).
func sameUser(remote, local string) bool {
	from, err1 := netip.ParseAddrPort(remote)
	to, err2 := netip.ParseAddrPort(local)
	if err1 != nil || err2 != nil || !from.Addr().Unmap().Is4() {
		return false
	}
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile("/proc/self/net/" + table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			const at, peer, uid = 1, 2, 7
			fields := strings.Fields(line)
			if len(fields) > uid && is(fields[at], from) && is(fields[peer], to) {
				return fields[uid] == strconv.Itoa(os.Geteuid())
			}
		}
	}
	return false
}

// is tells whether an entry is an address: in the machine's order of bytes, also as an
// IPv6 one.
func is(entry string, want netip.AddrPort) bool {
	four := want.Addr().Unmap().As4()
	plain := fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(four[:]), want.Port())
	mapped := fmt.Sprintf("%08X", binary.NativeEndian.Uint32([]byte{0, 0, 0xff, 0xff}))
	return entry == plain || entry == strings.Repeat("0", 16)+mapped+plain
}
