//go:build unix

package support_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/seal/support"
)

// TestDoors looks through a machine that has a socket of each kind, and others.
func TestDoors(t *testing.T) {
	t.Parallel()
	root, err := os.MkdirTemp("", "d") // a socket's path has to be short
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(root)) })
	sockets := []string{
		"/run/docker.sock", "/run/containerd/containerd.sock", "/run/user/7/podman/podman.sock", "/run/user/7/bus", "/run/user/7/systemd/private",
		"/run/user/7/gnupg/S.gpg-agent", "/tmp/.X11-unix/X0", "/tmp/tmux-7/default", "/tmp/agent.1", "/home/me/.docker/run/docker.sock", "/run/user/7/wayland-9",
		"/run/dbus/system_bus_socket", "/run/systemd/notify", "/run/locked/docker.sock",
		"/run/systemd/resolve/io.systemd.Resolve", "/run/nscd/socket", // which a seal covers
		"/srv/docker.sock", // where nobody looks, and no variable leads
	}
	for _, at := range sockets {
		require.NoError(t, os.MkdirAll(filepath.Dir(root+at), 0o755))
		l, err := net.Listen("unix", root+at)
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
	}
	require.NoError(t, os.MkdirAll(root+"/var", 0o755))
	require.NoError(t, os.Symlink("../run", root+"/var/run"))
	require.NoError(t, os.WriteFile(root+"/run/podman.sock", nil, 0o600)) // a file
	env := map[string]string{
		"XDG_RUNTIME_DIR": "/run/user/7", "HOME": "/home/me", "SSH_AUTH_SOCK": "/tmp/agent.1", "WAYLAND_DISPLAY": "wayland-9",
		"DOCKER_HOST": "tcp://127.0.0.1:2375", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/7/bus,guid=1;unix:abstract=/x", "TMUX": "/tmp/tmux-7/default,1,0",
	}
	f := support.Finder{
		Root: root, Env: func(name string) string { return env[name] }, UID: 7,
		Writable: func(path string) bool { return !strings.Contains(path, "/locked/") },
	}
	doors, others := f.Doors()
	assert.Equal(t, []support.Door{
		{To: "D-Bus of the session", Path: "/run/user/7/bus", Starts: true},
		{To: "D-Bus of the system", Path: "/run/dbus/system_bus_socket", Starts: true},
		{To: "Wayland", Path: "/run/user/7/wayland-9"},
		{To: "X11", Path: "/tmp/.X11-unix/X0", Starts: true},
		{To: "containerd", Path: "/run/containerd/containerd.sock", Starts: true},
		{To: "docker", Path: "/home/me/.docker/run/docker.sock", Starts: true},
		{To: "docker", Path: "/run/docker.sock", Starts: true},
		{To: "gpg-agent", Path: "/run/user/7/gnupg/S.gpg-agent"},
		{To: "podman", Path: "/run/user/7/podman/podman.sock", Starts: true},
		{To: "ssh-agent", Path: "/tmp/agent.1"},
		{To: "systemd", Path: "/run/user/7/systemd/private", Starts: true},
		{To: "tmux", Path: "/tmp/tmux-7/default", Starts: true},
	}, doors)
	assert.Equal(t, 1, others, "/run/systemd/notify")

	env["DOCKER_HOST"] = "unix:///srv/docker.sock"
	doors, _ = f.Doors()
	assert.Contains(t, doors, support.Door{To: "docker", Path: "/srv/docker.sock", Starts: true})
}
