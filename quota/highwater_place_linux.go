package quota

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
)

// nfsMagic is NFS_SUPER_MAGIC of <linux/magic.h>.
const nfsMagic = 0x6969

// sharesLocks says what is wrong with a folder on NFS whose mount keeps locks to
// this machine: other machines may write there too, and see none of them.
func sharesLocks(dir string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || uint32(fs.Type) != nfsMagic {
		return err
	}
	var is syscall.Stat_t
	if err := syscall.Stat(dir, &is); err != nil {
		return err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	if option := ownLocks(string(mounts), is.Dev); option != "" {
		return fmt.Errorf("%s is on NFS, and its mount option %s keeps locks from other machines: mount it without, or set XDG_STATE_HOME to a folder of a local disk", dir, option)
	}
	return nil
}

// ownLocks finds the mount of a device in the text of mountinfo, and the option
// of it that keeps locks to this machine: proc_pid_mountinfo(5), nfs(5).
func ownLocks(mountinfo string, device uint64) string {
	number := fmt.Sprintf("%d:%d", device>>8&0xfff|device>>32&0xfffff000, device&0xff|device>>12&0xffffff00)
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(strings.TrimSpace(line), " - ")
		mount, super := strings.Fields(before), strings.Fields(after)
		if len(mount) < 3 || mount[2] != number || len(super) < 3 {
			continue
		}
		for _, option := range []string{"nolock", "local_lock=all", "local_lock=flock"} {
			if slices.Contains(strings.Split(super[2], ","), option) {
				return option
			}
		}
	}
	return ""
}
