//go:build linux

package apart_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
)

func TestMain(m *testing.M) {
	if os.Getenv("APART_TEST") != "" {
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestNamespaceOfItsOwn(t *testing.T) {
	t.Parallel()
	place := apart.Place{Unshare: []string{"--mount", "--pid", "--mount-proc"}, First: "mount -t tmpfs none /mnt; touch /mnt/here"}
	if !place.Possible(t) {
		return
	}
	out, err := place.Command(t, "sh", "-c", "echo $$; ls /mnt").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "1\nhere\n", string(out))
	assert.NoFileExists(t, "/mnt/here")
}

func TestAnotherUser(t *testing.T) {
	t.Parallel()
	place := apart.Place{User: 1001, Group: 1002, Umask: "027"}
	if !place.Possible(t) {
		return
	}
	out, err := place.Command(t, "sh", "-c", "id -u; id -G; umask").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "1001 1002 0027", strings.Join(strings.Fields(string(out)), " "))

	cmd := place.Command(t, apart.Program(t))
	cmd.Env = append(os.Environ(), "APART_TEST=1")
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestPlaceThatCannotBe(t *testing.T) {
	t.Setenv("CI", "") // where it is set, this test would fail, as it must
	assert.False(t, apart.Place{First: "false"}.Possible(t))
}

func TestNetworkOfItsOwn(t *testing.T) {
	t.Parallel()
	if !apart.Afar(t, "mount -t tmpfs none /mnt; touch /mnt/here") {
		return
	}
	l, err := net.Listen("tcp", apart.Address+":0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.Close()) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	all, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range all {
		ip := a.(*net.IPNet).IP
		assert.True(t, ip.IsLoopback() || ip.String() == apart.Address, "%s leads out", ip)
	}
	assert.FileExists(t, "/mnt/here")
}

// What fails there fails here.
func TestFailsAfar(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(os.Args[0], "-test.run=^TestFailingAfar$").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command(os.Args[0], "-test.run=^TestFailingAfar$")
	cmd.Env = append(os.Environ(), "APART_FAIL=1", "CI=")
	out, err = cmd.CombinedOutput()
	if strings.Contains(string(out), "did not run") {
		return
	}
	require.Error(t, err, "%s", out)
	assert.Contains(t, string(out), "it failed")
}

func TestFailingAfar(t *testing.T) {
	if os.Getenv("APART_FAIL") == "" || !apart.Afar(t, "") {
		return
	}
	t.Error("it failed")
}
