package hint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/session"
)

// What helps where the system seals no run, or may not.
const (
	Unnested     Advice = "run it outside of the namespaces that are around it"
	Unchrooted   Advice = "run it outside of the chroot, or have what makes it take pivot_root(2) instead"
	Mapped       Advice = "run it as a user that the namespace around it has, or outside of that namespace"
	Unfiltered   Advice = "run it outside of what filters its system calls"
	UnitOpened   Advice = "write into the service's unit: RestrictNamespaces=no; and let its SystemCallFilter= have @mount"
	SELinuxRules Advice = "see which rule it was, and have one allow it: sudo ausearch -m avc -ts recent"
	NewerKernel  Advice = "run it on a Linux with namespaces: kernel 4.9 or later"
	WSL2         Advice = "change over to WSL 2, in PowerShell: wsl --set-version DISTRIBUTION 2"
	OtherRuntime Advice = "run the container by another runtime than gVisor, such as runc"
	SealAround   Advice = "repeat the command that is around it with --sealed: hsharness exec --sealed -- CMD"
	SealedLinux  Advice = "run it on Linux, or in a container of Linux"
)

// intercept is what there is where nothing can be sealed.
const intercept = "hsharness exec --intercept -- CMD"

// OrIntercept is what helps, or what there is instead.
func OrIntercept(mend Advice) Advice {
	if mend == "" {
		return "this is help, and no seal: " + intercept
	}
	return mend + "; or, which is help and no seal: " + intercept
}

// Sysctl sets a setting of the kernel until the next boot; where a container is around,
// that is done outside of it.
func Sysctl(name string, value int, contained bool) Advice {
	line := fmt.Sprintf("sudo sysctl -w %s=%d", name, value)
	if contained {
		line = "on the container's host: " + line
	}
	return Advice(line)
}

// SealProfile gives the program the AppArmor profile by which Ubuntu, from 23.10 on, lets
// it make namespaces.
func SealProfile(program string) Advice {
	attached := profileGlobs.Replace(program)
	return Advice("give it a profile: " + Line("printf", `%s\n`, "abi <abi/4.0>,", "include <tunables/global>",
		`profile hsharness "`+attached+`" flags=(unconfined) { userns, }`) +
		" | sudo tee " + profile + "; sudo apparmor_parser -r " + profile + "; or for all programs: " +
		string(Sysctl("kernel.apparmor_restrict_unprivileged_userns", 0, false)))
}

// profile is where AppArmor finds it when the system starts.
const profile = "/etc/apparmor.d/hsharness"

// profileGlobs are the characters that mean something in a path of a profile:
// apparmor.d(5), globbing.
var profileGlobs = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`, `^`, `\^`, `@`, `\@`)

// Containment is what of a container's confinement is in the way.
type Containment struct {
	// By is what made the container: docker, podman, kubernetes or github, whose
	// jobs may run in one. Any other value is a container of something else.
	By string
	// Seccomp, AppArmor and SELinux forbid what a seal needs; Proc has parts of
	// /proc covered, so that no other one may be mounted.
	Seccomp, AppArmor, SELinux, Proc bool
}

// Advice is how to start the container without it.
func (c Containment) Advice() Advice {
	switch c.By {
	case "docker":
		return Advice("start the container with docker run " + strings.Join(c.options("systempaths=unconfined"), " "))
	case "podman":
		return Advice("start the container with podman run " + strings.Join(c.options("unmask=ALL"), " "))
	case "github":
		return Advice("write into the job: container: { image: IMAGE, options: " + strings.Join(c.options("systempaths=unconfined"), " ") + " }")
	case "kubernetes":
		return Advice("write hostUsers: false into the pod, and into its container securityContext: { " + strings.Join(c.context(), ", ") + " }")
	}
	return "run it outside of the container, or in one that forbids neither namespaces nor mounts in them"
}

func (c Containment) options(proc string) (all []string) {
	for _, o := range []struct {
		on   bool
		text string
	}{{c.Seccomp, "seccomp=unconfined"}, {c.AppArmor, "apparmor=unconfined"}, {c.SELinux, "label=disable"}, {c.Proc, proc}} {
		if o.on {
			all = append(all, "--security-opt "+o.text)
		}
	}
	return all
}

func (c Containment) context() (all []string) {
	for _, o := range []struct {
		on   bool
		text string
	}{
		{c.Seccomp, "seccompProfile: { type: Unconfined }"},
		{c.AppArmor, "appArmorProfile: { type: Unconfined }"},
		{c.SELinux, "seLinuxOptions: { type: spc_t }"},
		{c.Proc, "procMount: Unmasked"},
	} {
		if o.on {
			all = append(all, o.text)
		}
	}
	return all
}

// Sealable is an error of a run that a sealed exec could have: of a command, with the
// flags without which it would be another run. Where a seal is missing, the advice is the
// whole line. Nil stays nil.
func Sealable(err error, flags []string, command ...string) error {
	if err == nil {
		return nil
	}
	return &sealable{err, flags, command}
}

type sealable struct {
	error
	flags, command []string
}

func (e *sealable) Unwrap() error { return e.error }

// inSeal is how to run in a seal what a project refuses without one.
func inSeal(err error, e *session.UnsealedError) string {
	most := "N"
	if e.Max > 0 {
		most = fmt.Sprint(e.Max)
	}
	words := []string{"hsharness", "exec", "--sealed", "--mode", e.Mode.String(), "--max-spend", most}
	run := &sealable{command: []string{"CMD"}}
	errors.As(err, &run)
	return Line(slices.Concat(words, run.flags, []string{"--"}, run.command)...)
}
