package support

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/hsharness/hsharness/internal/hint"
)

// The settings that forbid namespaces, and a number of them that is enough for all.
const (
	forRoot    = "kernel.unprivileged_userns_clone"
	restricted = "kernel.apparmor_restrict_unprivileged_userns"
	enough     = 15000
)

// limits are the namespaces of a seal, by the settings that limit them.
var limits = []string{"user.max_user_namespaces", "user.max_pid_namespaces", "user.max_net_namespaces", "user.max_mnt_namespaces"}

// cause finds what forbids a step. The order is from what the system says for certain to
// what only fits.
func (s System) cause(step string, err error) *Error {
	if s.OS != "linux" {
		return &Error{Cause: NotLinux, What: "that needs Linux's namespaces, and this is " + s.OS, Mend: hint.SealedLinux}
	}
	p := s.process()
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EUSERS):
		return s.limit(p)
	case p.kernel != nil:
		return p.kernel
	case step == Namespaces && p.chroot && refused(err):
		return &Error{Cause: Chroot, What: "this process is in a chroot, in which the kernel makes no user namespace", Mend: hint.Unchrooted}
	case step == Namespaces && (errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSYS)):
		return &Error{Cause: OldKernel, What: "this kernel, " + p.release + ", has not all namespaces that a seal needs", Mend: hint.NewerKernel}
	case !refused(err):
		return p.unknown()
	case step == Namespaces || step == IdentityMap:
		return s.creation(p)
	}
	return s.inside(step, p)
}

// refused tells whether an error says that something is forbidden.
func refused(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES)
}

// limit is the cause where there may be no further namespace.
func (s System) limit(p process) *Error {
	for _, name := range limits {
		if s.setting(name) == "0" {
			return &Error{Cause: Limit, What: name + " is 0: nobody may make such a namespace here", Mend: hint.Sysctl(name, enough, p.container != "")}
		}
	}
	return &Error{
		Cause: Limit,
		What:  fmt.Sprintf("no further namespace fits: they are nested 32 deep, or %s is reached, which is %s", limits[0], s.setting(limits[0])),
		Mend:  hint.Unnested,
	}
}

// creation is the cause where no user namespace may be made.
func (s System) creation(p process) *Error {
	switch {
	case p.unmapped:
		return &Error{Cause: Unmapped, What: "the namespace around this process does not have its user, who has no number there", Mend: hint.Mapped}
	case !p.admin && s.setting(forRoot) == "0":
		return &Error{Cause: ForRoot, What: forRoot + " is 0: root alone may make namespaces here", Mend: hint.Sysctl(forRoot, 1, p.container != "")}
	case p.filtered:
		return p.seccomp("namespaces")
	case !p.admin && s.setting(restricted) == "1":
		return s.restriction(p)
	case p.profile != "":
		return p.confined()
	case p.label != "":
		return p.selinux()
	}
	return p.unknown()
}

// inside is the cause where there are namespaces, and one of them may not be set up.
func (s System) inside(step string, p process) *Error {
	switch {
	case !p.admin && s.setting(restricted) == "1", strings.HasPrefix(p.profile, "unprivileged_userns"):
		return s.restriction(p)
	case p.profile != "":
		return p.confined()
	case step != Privileges && step != Loopback && p.masked:
		return &Error{
			Cause: MaskedProc, What: "parts of /proc are covered, as containers have it, and then the kernel mounts no /proc for a namespace",
			Mend: p.containment(hint.Containment{Proc: true}),
		}
	case p.filtered:
		return p.seccomp(step)
	case p.label != "":
		return p.selinux()
	}
	return p.unknown()
}

func (s System) restriction(p process) *Error {
	mend := hint.SealProfile(s.Program)
	if p.container != "" { // whose programs are none of its host's profiles
		mend = hint.Sysctl(restricted, 0, true)
	}
	return &Error{Cause: Restricted, What: restricted + " is 1: the namespaces of a program without a profile of AppArmor's have no rights here", Mend: mend}
}

func (p process) confined() *Error {
	return &Error{Cause: Confined, What: "AppArmor's profile " + p.profile + " of this process forbids it", Mend: p.containment(hint.Containment{AppArmor: true})}
}

func (p process) selinux() *Error {
	mend := hint.SELinuxRules
	if p.container != "" {
		mend = p.containment(hint.Containment{SELinux: true})
	}
	return &Error{Cause: SELinux, What: "SELinux forbids it to " + p.label + ", which this process is", Mend: mend}
}

func (p process) seccomp(what string) *Error {
	e := &Error{Cause: Seccomp, What: "a seccomp filter of this process forbids " + what, Mend: hint.Unfiltered}
	switch {
	case p.container != "":
		e.What = "the seccomp profile of the container, by " + p.container + ", forbids " + what
		e.Mend = p.containment(hint.Containment{Seccomp: true})
	case p.service:
		e.What = "the seccomp filter of a service of systemd forbids " + what
		e.Mend = hint.UnitOpened
	}
	return e
}

// containment is how to start the container without what is in the way now, and without
// what would be in the way next.
func (p process) containment(c hint.Containment) hint.Advice {
	c.By = p.container
	c.Seccomp = c.Seccomp || p.filtered
	c.AppArmor = c.AppArmor || p.profile != ""
	c.SELinux = c.SELinux || p.label != ""
	c.Proc = c.Proc || p.masked
	return c.Advice()
}

func (p process) unknown() *Error {
	yes := func(on bool) string {
		if on {
			return "yes"
		}
		return "no"
	}
	or := func(text string) string {
		if text == "" {
			return "none"
		}
		return text
	}
	return &Error{Cause: Unknown, What: fmt.Sprintf("the system does not say what forbids it: kernel %s, rights of root %s, seccomp filter %s, AppArmor's profile %s, SELinux's label %s, container %s",
		or(p.release), yes(p.admin), yes(p.filtered), or(p.profile), or(p.label), or(p.container))}
}
