package support

import (
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/hint"
)

// capSysAdmin is the bit of the right to do what a system's administrator does:
// capabilities(7).
const capSysAdmin = 21

// process is what the system says of this process.
type process struct {
	release   string
	kernel    *Error // it has no namespaces, whoever asks
	admin     bool   // has the rights of root
	filtered  bool   // by seccomp
	unmapped  bool   // its user is none of its user namespace
	chroot    bool
	masked    bool   // parts of /proc are covered
	service   bool   // of systemd
	profile   string // of AppArmor, enforced
	label     string // of SELinux, confined
	container string // who made the one that it is in
}

func (s System) process() process {
	p := process{release: s.read("proc/sys/kernel/osrelease")}
	p.kernel = s.kernel(p.release)
	status := s.fields("proc/self/status")
	rights, _ := strconv.ParseUint(status["CapEff"], 16, 64)
	p.admin = rights&(1<<capSysAdmin) != 0
	p.filtered = status["Seccomp"] == "2"
	p.unmapped = unmapped(status["Uid"], s.read("proc/self/uid_map"))
	mounts := mountPoints(s.read("proc/self/mountinfo"))
	p.chroot = len(mounts) > 0 && !mounts["/"] || s.otherRoot()
	for at := range mounts {
		// A folder that is made for mounts covers nothing.
		if strings.HasPrefix(at, "/proc/") && !strings.HasPrefix(at, "/proc/sys/fs/binfmt_misc") {
			p.masked = true
		}
	}
	p.service = s.Env("INVOCATION_ID") != ""
	p.profile, p.label = labels(s.read("proc/self/attr/current"))
	p.container = s.container(mounts)
	return p
}

func (s System) read(name string) string {
	text, err := fs.ReadFile(s.Files, name)
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(text), "\n\x00 ")
}

// setting is one of sysctl(8); empty where the kernel does not have it.
func (s System) setting(name string) string {
	return s.read("proc/sys/" + strings.ReplaceAll(name, ".", "/"))
}

func (s System) exists(name string) bool {
	_, err := fs.Stat(s.Files, name)
	return err == nil
}

// fields are the lines of a file such as /proc/self/status: the first value of each.
func (s System) fields(name string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(s.read(name)) {
		key, rest, _ := strings.Cut(line, ":")
		if values := strings.Fields(rest); len(values) > 0 {
			all[key] = values[0]
		}
	}
	return all
}

// kernel says of a kernel by its own name that it has no namespaces.
func (s System) kernel(release string) *Error {
	switch {
	case strings.HasSuffix(release, "-Microsoft"): // that of WSL 2 is spelled otherwise
		return &Error{Cause: WSL1, What: "WSL 1 has no namespaces", Mend: hint.WSL2}
	case strings.Contains(release, "gvisor"), release == "4.4.0":
		return &Error{Cause: GVisor, What: "gVisor does not have all namespaces and mounts that a seal needs", Mend: hint.OtherRuntime}
	case release != "" && !s.exists("proc/self/ns/user"):
		return &Error{Cause: OldKernel, What: "this kernel, " + release + ", has no user namespaces", Mend: hint.NewerKernel}
	}
	return nil
}

// unmapped tells whether a user is none of a map: user_namespaces(7).
func unmapped(uid, mapping string) bool {
	id, err := strconv.ParseUint(uid, 10, 32)
	if err != nil {
		return false
	}
	for line := range strings.Lines(mapping) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return false
		}
		first, err := strconv.ParseUint(f[0], 10, 32)
		count, countErr := strconv.ParseUint(f[2], 10, 32)
		if err != nil || countErr != nil || first <= id && id < first+count {
			return false
		}
	}
	return true
}

// mountPoints are those of a mountinfo: proc_pid_mountinfo(5).
func mountPoints(info string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(info) {
		if f := strings.Fields(line); len(f) > 4 {
			all[f[4]] = true
		}
	}
	return all
}

// otherRoot tells whether a process above this one has the same mounts, and another root
// in them. One that this user may not look at tells nothing.
func (s System) otherRoot() bool {
	const generations = 64
	above := s.fields("proc/self/status")["PPid"]
	for range generations {
		if above == "" || above == "0" {
			return false
		}
		if s.same("proc/self/ns/mnt", "proc/"+above+"/ns/mnt") == "yes" && s.same(".", "proc/"+above+"/root") == "no" {
			return true
		}
		above = s.fields("proc/" + above + "/status")["PPid"]
	}
	return false
}

// same tells whether two names lead to one file; empty where that can't be seen.
func (s System) same(one, other string) string {
	a, err := fs.Stat(s.Files, one)
	b, otherErr := fs.Stat(s.Files, other)
	switch {
	case err != nil, otherErr != nil:
		return ""
	case os.SameFile(a, b):
		return "yes"
	}
	return "no"
}

// labels are the profile of AppArmor or the label of SELinux that a process has, if it
// confines it.
func labels(current string) (profile, label string) {
	if name, enforced := strings.CutSuffix(current, " (enforce)"); enforced {
		return name, ""
	}
	parts := strings.Split(current, ":")
	if len(parts) < 3 || parts[2] == "unconfined_t" || parts[2] == "spc_t" {
		return "", ""
	}
	return "", parts[2]
}

// container is who made the container that the process is in; empty where it is in none.
func (s System) container(mounts map[string]bool) string {
	groups := s.read("proc/1/cgroup")
	docker := s.exists(".dockerenv") || strings.Contains(groups, "docker")
	switch {
	case s.Env("KUBERNETES_SERVICE_HOST") != "", s.exists("var/run/secrets/kubernetes.io"), strings.Contains(groups, "kubepods"):
		return "kubernetes"
	case docker && s.Env("GITHUB_ACTIONS") == "true":
		return "github"
	case docker:
		return "docker"
	case s.exists("run/.containerenv"), s.Env("container") == "podman", strings.Contains(groups, "libpod"):
		return "podman"
	case s.Env("container") != "", mounts["/proc/sys"] && mounts["/proc/kcore"]: // as runtimes of the OCI's cover them
		return "a runtime that has no name here"
	}
	return ""
}
