package reach

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/guard"
	"github.com/hsharness/hsharness/internal/names"
	"github.com/hsharness/hsharness/internal/pattern"
	"github.com/hsharness/hsharness/internal/services"
)

// EnvFile is where a server writes the variables of its callers, as NAME=value, for an
// editor, docker --env-file or a shell. Empty is nowhere.
type EnvFile string

// head is the first line of each such file: what begins with another is somebody's own.
const head = "# Written by hsharness serve at each start: changes are lost.\n"

// mostEnv bounds what is read of a file that is there, in bytes.
const mostEnv = 1 << 20

// Clear removes the file of an earlier start, which would lead its reader to the wrong
// ports. A file that was not written so is not ours to replace.
func (f EnvFile) Clear() error {
	if f == "" {
		return nil
	}
	if err := files.PartOfLedger(string(f)); err != nil {
		return fmt.Errorf("--env-file: %w", err)
	}
	text, err := files.Read(string(f), mostEnv)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(text) > 0 && !bytes.HasPrefix(text, []byte(head)):
		return fmt.Errorf("--env-file %s is a file that hsharness did not write, and it would be lost: name another, or remove it", f)
	}
	return files.Remove(string(f))
}

// Write writes the variables of the sandbox's callers, and those by names of their own,
// for this user's eyes only.
func (f EnvFile) Write(at services.Endpoints, own names.List) error {
	if f == "" {
		return nil
	}
	environ := append(at.Environ(avalara.Sandbox), "HSHARNESS_MODE="+guard.Offline.String())
	text, err := envText(append(environ, own.Fill(environ)...))
	if err != nil {
		return fmt.Errorf("--env-file %s: %w", f, err)
	}
	return files.Replace(string(f), text)
}

// plainValue is a value that means the same to every reader without quotes.
var plainValue = pattern.New(`^[A-Za-z0-9_./:@%+,=?-]*$`)

// envText is an environment as such a file. A value that has to be quoted is in single
// quotes, which shells and dotenv take off; docker has no quotes at all.
func envText(environ []string) ([]byte, error) {
	slices.Sort(environ)
	b := []byte(head)
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		switch {
		case plainValue.MatchString(value):
		case strings.ContainsFunc(value, func(c rune) bool { return c == '\'' || c < ' ' || c == 0x7f }):
			return nil, fmt.Errorf("%s has a quote, a line break or another character that shells, dotenv and docker read in ways of their own", name)
		default:
			value = "'" + value + "'"
		}
		b = append(append(b, name+"="+value...), '\n')
	}
	return b, nil
}
