package support_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/seal/support"
	"github.com/hsharness/hsharness/internal/hint"
)

// An ordinary machine, and what containers have instead.
const (
	rootDir  = "27 1 254:0 / / rw - ext4 /dev/vda rw\n22 27 0:21 / /proc rw - proc proc rw\n35 22 0:30 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n"
	covered  = rootDir + "40 22 0:21 /sys /proc/sys ro - proc proc ro\n41 22 0:6 /null /proc/kcore rw - tmpfs tmpfs rw\n"
	inChroot = "30 27 0:21 / /proc rw - proc proc rw\n"
	ordinary = "Uid:\t1000\t1000\nCapEff:\t0000000000000000\nSeccomp:\t0\n"
	root     = "Uid:\t0\t0\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n"
	dockers  = "Uid:\t0\t0\nCapEff:\t00000000a80425fb\nSeccomp:\t2\n"
	filtered = "Uid:\t1000\t1000\nCapEff:\t0000000000000000\nSeccomp:\t2\n"
)

// files are those of a machine: pairs of a path and a text.
func files(status string, pairs ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for i, pair := 0, append([]string{
		"proc/self/status", status, "proc/self/uid_map", "0 0 4294967295\n", "proc/self/mountinfo", rootDir, "proc/self/ns/user", "",
		"proc/sys/kernel/osrelease", "6.8.0-31-generic\n", "proc/self/attr/current", "unconfined\n",
		"proc/sys/user/max_user_namespaces", "96364\n",
	}, pairs...); i+1 < len(pair); i += 2 {
		all[pair[i]] = &fstest.MapFile{Data: []byte(pair[i+1])}
	}
	return all
}

// TestExplain: each cause, as its system shows it, and what helps there.
func TestExplain(t *testing.T) {
	t.Parallel()
	clone, apparmor := "proc/sys/kernel/unprivileged_userns_clone", "proc/sys/kernel/apparmor_restrict_unprivileged_userns"
	mounts, attr, kernel := "proc/self/mountinfo", "proc/self/attr/current", "proc/sys/kernel/osrelease"
	fork := func(errno syscall.Errno) error { return fmt.Errorf("fork/exec /proc/self/exe: %w", errno) }
	for _, c := range []struct {
		name  string
		step  string
		err   error
		files fstest.MapFS
		env   string
		cause support.Cause
		what  string
		mend  string
	}{
		{"Debian", support.Namespaces, fork(syscall.EPERM), files(ordinary, clone, "0\n"), "", support.ForRoot, "root alone may make namespaces", "sudo sysctl -w kernel.unprivileged_userns_clone=1"},
		{"Debian, whose root may", support.Namespaces, fork(syscall.EPERM), files(root, clone, "0\n"), "", support.Unknown, "rights of root yes", ""},
		{"limit of users", support.Namespaces, fork(syscall.ENOSPC), files(root, "proc/sys/user/max_user_namespaces", "0\n"), "", support.Limit, "user.max_user_namespaces is 0", "sudo sysctl -w user.max_user_namespaces=15000"},
		{"limit of networks", support.Namespaces, fork(syscall.ENOSPC), files(root, "proc/sys/user/max_net_namespaces", "0\n"), "", support.Limit, "user.max_net_namespaces is 0", "sudo sysctl -w user.max_net_namespaces=15000"},
		{"limit of mounts in a container", support.Namespaces, fork(syscall.ENOSPC), files(dockers, "proc/sys/user/max_mnt_namespaces", "0\n", ".dockerenv", ""), "", support.Limit, "user.max_mnt_namespaces is 0", "on the container's host: sudo sysctl"},
		{"limit of processes", support.Namespaces, fork(syscall.ENOSPC), files(root, "proc/sys/user/max_pid_namespaces", "0\n"), "", support.Limit, "user.max_pid_namespaces is 0", "=15000"},
		{"nested too deep", support.Namespaces, fork(syscall.ENOSPC), files(root), "", support.Limit, "nested 32 deep, or user.max_user_namespaces is reached, which is 96364", "outside of the namespaces"},
		{"nested too deep, long ago", support.Namespaces, fork(syscall.EUSERS), files(root), "", support.Limit, "nested 32 deep", "outside of the namespaces"},
		{"Ubuntu 24.04, at once", support.Namespaces, fork(syscall.EACCES), files(ordinary, apparmor, "1\n"), "", support.Restricted, "kernel.apparmor_restrict_unprivileged_userns is 1", "sudo apparmor_parser -r /etc/apparmor.d/hsharness"},
		{"Ubuntu 24.04, inside", support.Loopback, syscall.EPERM, files(ordinary, apparmor, "1\n"), "", support.Restricted, "have no rights here", `profile hsharness "/opt/it'\''s \{1\}/hsharness" flags=(unconfined) { userns, }`},
		{"Ubuntu 24.04, mounts", support.Mounts, syscall.EACCES, files(filtered, apparmor, "1\n"), "", support.Restricted, "", "kernel.apparmor_restrict_unprivileged_userns=0"},
		{"Ubuntu 24.04, as its own profile says", support.Mounts, syscall.EACCES, files(root, attr, "unprivileged_userns (enforce)\n"), "", support.Restricted, "", "apparmor_parser"},
		{"container on Ubuntu 24.04", support.Mounts, syscall.EACCES, files(ordinary, apparmor, "1\n", ".dockerenv", ""), "", support.Restricted, "", "on the container's host: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{"Docker", support.Namespaces, fork(syscall.EPERM), files(dockers, ".dockerenv", "", mounts, covered, attr, "docker-default (enforce)\n"), "", support.Seccomp, "by docker, forbids namespaces", "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined"},
		{"Docker without its seccomp", support.Mounts, syscall.EACCES, files(root, ".dockerenv", "", mounts, covered, attr, "docker-default (enforce)\n"), "", support.Confined, "docker-default", "docker run --security-opt apparmor=unconfined --security-opt systempaths=unconfined"},
		{"Docker without both", support.Mounts, syscall.EPERM, files(root, ".dockerenv", "", mounts, covered), "", support.MaskedProc, "parts of /proc are covered", "docker run --security-opt systempaths=unconfined"},
		{"Podman", support.Proc, syscall.EPERM, files(filtered, "run/.containerenv", "", mounts, covered), "", support.MaskedProc, "", "podman run --security-opt seccomp=unconfined --security-opt unmask=ALL"},
		{"Podman on Fedora", support.Mounts, syscall.EACCES, files(root, "run/.containerenv", "", attr, "system_u:system_r:container_t:s0:c1,c2\x00"), "", support.SELinux, "forbids it to container_t", "podman run --security-opt label=disable"},
		{"GitHub's job in a container", support.Namespaces, fork(syscall.EPERM), files(dockers, ".dockerenv", ""), "GITHUB_ACTIONS=true", support.Seccomp, "", "container: { image: IMAGE, options: --security-opt seccomp=unconfined }"},
		{"Kubernetes", support.Namespaces, fork(syscall.EPERM), files(dockers, mounts, covered), "KUBERNETES_SERVICE_HOST=10.0.0.1", support.Seccomp, "by kubernetes", "hostUsers: false into the pod, and into its container securityContext: { seccompProfile: { type: Unconfined }, procMount: Unmasked }"},
		{"some container", support.Namespaces, fork(syscall.EPERM), files(dockers, mounts, covered), "", support.Seccomp, "no name here", "outside of the container"},
		{"service of systemd", support.Namespaces, fork(syscall.EPERM), files(filtered), "INVOCATION_ID=7", support.Seccomp, "a service of systemd", "RestrictNamespaces=no"},
		{"some filter", support.Mounts, syscall.EPERM, files(filtered), "", support.Seccomp, "forbids mounts", "outside of what filters"},
		{"chroot", support.Namespaces, fork(syscall.EPERM), files(root, mounts, inChroot), "", support.Chroot, "in a chroot", "outside of the chroot"},
		{"SELinux", support.Namespaces, fork(syscall.EACCES), files(ordinary, attr, "system_u:system_r:httpd_t:s0\x00"), "", support.SELinux, "forbids it to httpd_t", "ausearch"},
		{"SELinux that lets everything", support.Namespaces, fork(syscall.EACCES), files(ordinary, attr, "unconfined_u:unconfined_r:unconfined_t:s0\x00"), "", support.Unknown, "SELinux's label none", ""},
		{"AppArmor that lets everything", support.Mounts, syscall.EACCES, files(ordinary, attr, "hsharness (unconfined)\n"), "", support.Unknown, "AppArmor's profile none", ""},
		{"a user without a number", support.Namespaces, fork(syscall.EPERM), files("Uid:\t65534\t65534\n", "proc/self/uid_map", "0 1000 1\n"), "", support.Unmapped, "does not have its user", "as a user that the namespace around it has"},
		{"old kernel", support.Namespaces, fork(syscall.EINVAL), files(root, kernel, "3.10.0-1160.el7.x86_64\n"), "", support.OldKernel, "3.10.0-1160.el7.x86_64", "4.9 or later"},
		{"no user namespaces", support.Namespaces, fork(syscall.EPERM), fstest.MapFS{kernel: {Data: []byte("5.4.0\n")}}, "", support.OldKernel, "has no user namespaces", "4.9 or later"},
		{"WSL 1", support.Namespaces, fork(syscall.EINVAL), files(root, kernel, "4.4.0-19041-Microsoft\n"), "", support.WSL1, "WSL 1", "wsl --set-version"},
		{"WSL 2", support.Namespaces, fork(syscall.EPERM), files(ordinary, kernel, "5.15.153.1-microsoft-standard-WSL2\n", clone, "0"), "", support.ForRoot, "", "sysctl"},
		{"gVisor", support.Mounts, syscall.EPERM, files(root, kernel, "4.19.0-gvisor\n"), "", support.GVisor, "gVisor", "another runtime"},
		{"gVisor of 2020", support.Loopback, syscall.EPERM, files(root, kernel, "4.4.0\n"), "", support.GVisor, "gVisor", "another runtime"},
		{"something else", support.Mounts, syscall.EIO, files(ordinary), "", support.Unknown, "container none", ""},
		{"no /proc", support.Namespaces, fork(syscall.EPERM), fstest.MapFS{}, "", support.Unknown, "kernel none", ""},
	} {
		env := func(name string) string {
			value, _ := strings.CutPrefix(c.env, name+"=")
			if value == c.env {
				return ""
			}
			return value
		}
		s := support.System{OS: "linux", Files: c.files, Env: env, Program: "/opt/it's {1}/hsharness"}
		err := s.Explain(c.step, c.err)
		var got *support.Error
		require.ErrorAs(t, err, &got, c.name)
		require.ErrorIs(t, err, c.err, c.name)
		assert.Equal(t, c.cause, got.Cause, "%s: %v", c.name, err)
		assert.Equal(t, c.step, got.Step, c.name)
		assert.Contains(t, err.Error(), c.what, c.name)
		assert.Contains(t, err.Error(), c.step+": "+c.err.Error(), c.name)
		assert.NotContains(t, hint.Text(err), "\n", c.name)
		assert.Contains(t, hint.For(err), "no seal: hsharness exec --intercept -- CMD", c.name)
		if c.mend == "" {
			assert.Empty(t, got.Mend, c.name)
			continue
		}
		assert.Contains(t, hint.For(err), c.mend, c.name)
	}
	assert.NoError(t, support.Explain(support.Mounts, nil))
}

func TestCheck(t *testing.T) {
	t.Parallel()
	linux := support.System{OS: "linux", Files: files(ordinary, "proc/sys/kernel/unprivileged_userns_clone", "0"), Env: func(string) string { return "" }}
	require.NoError(t, linux.Check(func() error { return nil }))
	var got *support.Error
	require.ErrorAs(t, linux.Check(func() error { return syscall.EPERM }), &got)
	assert.Equal(t, support.ForRoot, got.Cause)
	known := linux.Explain(support.Mounts, syscall.EIO)
	assert.Equal(t, known, linux.Check(func() error { return known }), "what was explained stays")

	mac := support.System{OS: "darwin"}
	err := mac.Check(func() error { return errors.New("it was tried") })
	require.ErrorAs(t, err, &got)
	assert.Equal(t, support.NotLinux, got.Cause)
	assert.Equal(t, "no run can be sealed here: that needs Linux's namespaces, and this is darwin", err.Error())
	require.ErrorAs(t, mac.Explain(support.Namespaces, errors.ErrUnsupported), &got)
	assert.Equal(t, support.NotLinux, got.Cause)
}
