package support

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Door is a way out of a seal that a machine has: a socket in its file system, behind which
// a program outside does what a sealed command asks for.
type Door struct {
	// To is what is behind it, such as docker.
	To string
	// Path is where it is.
	Path string
	// Starts says that it starts programs outside, or is as good as that.
	Starts bool
}

// Doors finds ways out of a seal: known sockets that this user may write. Others is how
// many more of them there are.
func Doors() (doors []Door, others int) {
	return Finder{Root: "/", Env: os.Getenv, UID: os.Getuid(), Writable: writable}.Doors()
}

// Finder looks for doors.
type Finder struct {
	// Root is the folder that / stands for.
	Root string
	// Env looks up a variable of this process.
	Env func(name string) string
	// UID is this user's number.
	UID int
	// Writable tells whether this user may write a file.
	Writable func(path string) bool
}

// How far folders are looked through: those of a machine with many containers are large.
const (
	mostEntries = 20_000
	mostDepth   = 7
)

// kind is what a socket is for, by the end of its path. The first that fits counts.
type kind struct {
	end, to string
	starts  bool
}

// kinds are the sockets that are known. A seal covers those of the machine's own resolvers:
// systemd-resolved and nscd.
var kinds = []kind{
	{"docker.sock", "docker", true},
	{"podman.sock", "podman", true},
	{"containerd.sock", "containerd", true},
	{"containerd.sock.ttrpc", "containerd", true},
	{"crio.sock", "CRI-O", true},
	{"buildkitd.sock", "buildkit", true},
	{"lxd/unix.socket", "LXD", true},
	{"incus/unix.socket", "Incus", true},
	{"libvirt-sock", "libvirt", true},
	{"virtqemud-sock", "libvirt", true},
	{"systemd/private", "systemd", true},
	{"dbus/system_bus_socket", "D-Bus of the system", true},
	{"/bus", "D-Bus of the session", true},
	{"snapd.socket", "snapd", true},
	{"ssh-agent.socket", "ssh-agent", false},
	{"keyring/ssh", "ssh-agent", false},
	{"S.gpg-agent", "gpg-agent", false},
	{"S.gpg-agent.ssh", "gpg-agent", false},
	{"avahi-daemon/socket", "avahi", false},
	{"pcscd.comm", "smart cards", false},
	{"pipewire-0", "PipeWire", false},
	{"pulse/native", "PulseAudio", false},
}

// parents are folders all sockets of which are for one thing.
var parents = []kind{
	{"/tmp/.X11-unix/", "X11", true}, // who may type into others' windows may type into a terminal
	{"/tmp/tmux-", "tmux", true},
	{"/run/screen/", "screen", true},
	{"/tmp/ssh-", "ssh-agent", false},
}

// Doors is [Doors] of one machine.
func (f Finder) Doors() (doors []Door, others int) {
	seen := map[string]bool{}
	add := func(at string, to string, starts bool) {
		if !seen[at] && f.Writable(f.under(at)) {
			seen[at] = true
			doors = append(doors, Door{to, at, starts})
		}
	}
	for _, v := range f.named() {
		add(v.end, v.to, v.starts)
	}
	left := mostEntries
	folders := []string{"/run", "/var/run", "/tmp/.X11-unix", "/tmp/tmux-" + strconv.Itoa(f.UID), f.Env("XDG_RUNTIME_DIR")}
	if home := f.Env("HOME"); path.IsAbs(home) {
		folders = append(folders, path.Join(home, ".docker/run"), path.Join(home, ".gnupg"), path.Join(home, ".colima"))
	}
	for _, folder := range folders {
		if !path.IsAbs(folder) {
			continue
		}
		for _, at := range f.sockets(path.Clean(folder), mostDepth, &left) {
			if seen[at] || covered(at) {
				continue
			}
			if k, ok := known(at); ok {
				add(at, k.to, k.starts)
			} else if f.Writable(f.under(at)) {
				seen[at] = true
				others++
			}
		}
	}
	slices.SortFunc(doors, func(a, b Door) int { return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.Path, b.Path)) })
	return doors, others
}

// named are the sockets that variables name.
func (f Finder) named() (all []kind) {
	add := func(at, to string, starts bool) {
		if path.IsAbs(at) && f.isSocket(path.Clean(at)) {
			all = append(all, kind{path.Clean(at), to, starts})
		}
	}
	add(f.Env("SSH_AUTH_SOCK"), "ssh-agent", false)
	add(strings.TrimPrefix(f.Env("DOCKER_HOST"), "unix://"), "docker", true)
	add(strings.TrimPrefix(f.Env("CONTAINER_HOST"), "unix://"), "podman", true)
	tmux, _, _ := strings.Cut(f.Env("TMUX"), ",")
	add(tmux, "tmux", true)
	for _, address := range strings.Split(f.Env("DBUS_SESSION_BUS_ADDRESS"), ";") {
		at, _, _ := strings.Cut(strings.TrimPrefix(address, "unix:path="), ",")
		add(at, "D-Bus of the session", true)
	}
	wayland := f.Env("WAYLAND_DISPLAY")
	if wayland != "" && !path.IsAbs(wayland) {
		wayland = path.Join(f.Env("XDG_RUNTIME_DIR"), wayland)
	}
	add(wayland, "Wayland", false)
	return all
}

func (f Finder) under(at string) string { return path.Join(f.Root, at) }

func (f Finder) isSocket(at string) bool {
	info, err := os.Stat(f.under(at))
	return err == nil && info.Mode()&fs.ModeSocket != 0
}

// sockets lists those below a folder. It follows no link.
func (f Finder) sockets(folder string, depth int, left *int) (all []string) {
	if info, err := os.Lstat(f.under(folder)); depth == 0 || err != nil || !info.IsDir() {
		return nil
	}
	entries, err := os.ReadDir(f.under(folder))
	if err != nil {
		return nil // who can't look into it can't connect by it, or knows the name already
	}
	for _, e := range entries {
		if *left--; *left < 0 {
			return all
		}
		at := path.Join(folder, e.Name())
		switch {
		case e.Type()&fs.ModeSocket != 0:
			all = append(all, at)
		case e.IsDir():
			all = append(all, f.sockets(at, depth-1, left)...)
		}
	}
	return all
}

// covered tells the sockets that lead nowhere in a seal.
func covered(at string) bool {
	return strings.HasSuffix(at, "/io.systemd.Resolve") || strings.HasSuffix(at, "/nscd/socket") || strings.HasSuffix(at, "/.nscd_socket")
}

func known(at string) (kind, bool) {
	for _, k := range parents {
		if strings.HasPrefix(at, k.end) {
			return k, true
		}
	}
	for _, k := range kinds {
		if strings.HasSuffix(at, "/"+strings.TrimPrefix(k.end, "/")) {
			return k, true
		}
	}
	return kind{}, false
}
