package seal

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHostsFile(t *testing.T) {
	t.Parallel()
	hosts := map[string]netip.Addr{"real.example": netip.MustParseAddr("127.0.77.1")}
	for _, row := range []struct{ system, own, want string }{
		{"", "", "127.0.0.1 localhost\n::1 localhost\n127.0.77.1 real.example\n"},
		{"172.17.0.2 box\n", "box", "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 box\n127.0.77.1 real.example\n"},
		{"127.0.1.1 box.example.org box\n", "box", "127.0.1.1 box.example.org box\n127.0.77.1 real.example\n"},
		{"127.0.0.1 localhost real.example # here\n8.8.8.8 other\n", "real.example", "127.0.0.1 localhost\n127.0.77.1 real.example\n"},
	} {
		assert.Equal(t, row.want, hostsFile(row.system, row.own, hosts))
	}
}
