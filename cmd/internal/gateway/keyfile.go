package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hsharness/hsharness/internal/files"
)

// AddKey makes a key, as of now, and adds its hash to a file of keys. Its suite is its
// name where it has none. Where out is not empty the key is written into that file,
// which is not there yet and which nobody else may read; before it counts, because one
// that is written nowhere is lost.
func AddKey(file, out string, k Key) (key string, added Key, err error) {
	switch {
	case !KeyName.MatchString(k.Name):
		return "", k, fmt.Errorf("%q is no name of a key: want up to 64 letters, digits, dots, dashes and underscores", k.Name)
	case k.Cap == 0:
		return "", k, errors.New("how much may it draw in all? Give --cap N, 1 or more")
	}
	k.Suite = cmp.Or(k.Suite, k.Name)
	k.Created = time.Now().UTC().Truncate(time.Second)
	if key, k.SHA256, err = NewKey(); err != nil {
		return "", k, err
	}
	if out != "" {
		err := files.New(out, []byte(key+"\n"), 0o600)
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%s is there already, and a key gets a file of its own: name another one", out)
		}
		if err != nil {
			return "", k, err
		}
	}
	err = ChangeKeys(file, func(keys []Key) ([]Key, error) {
		if i, err := FindKey(keys, k.Name); err == nil {
			state := "there is"
			if !keys[i].Revoked.IsZero() {
				state = "there was"
			}
			return nil, fmt.Errorf("%s a key %q already, and what it drew counts under its name: choose another", state, k.Name)
		}
		return append(keys, k), nil
	})
	if err != nil && out != "" {
		err = errors.Join(err, files.Remove(out))
	}
	return key, k, err
}

// Tracked tells whether git would take a file into a repository: it is in one, and
// nothing there says that it is ignored. Without git nobody would.
func Tracked(name string) bool {
	cmd := exec.Command("git", "check-ignore", "-q", "--", filepath.Base(name))
	cmd.Dir = filepath.Dir(name)
	var exited *exec.ExitError
	return errors.As(cmd.Run(), &exited) && exited.ExitCode() == 1
}
