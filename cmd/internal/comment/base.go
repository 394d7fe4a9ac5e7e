package comment

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hsharness/hsharness/internal/pattern"
)

// commitName is a whole commit. What comes from a job's environment is no option of
// git then.
var commitName = pattern.New(`^[0-9a-f]{40,64}$`)

// largest is how many bytes of recordings are taken from a commit.
const largest = 1 << 30

// Base writes the recordings that a commit has in folder, a folder of this clone, into
// another one. A clone that does not go so deep fetches the commit first. Without such
// a folder there it writes nothing.
func Base(ctx context.Context, folder, commit, to string) error {
	if !commitName.MatchString(commit) {
		return fmt.Errorf("%q is no commit", commit)
	}
	there, below, err := standing(folder)
	if err != nil {
		return err
	}
	top, err := git(ctx, there, "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	if top, err = filepath.EvalSymlinks(top); err != nil {
		return err
	}
	if below, err = filepath.Rel(top, filepath.Join(there, below)); err != nil {
		return err
	}
	if _, err := git(ctx, top, "cat-file", "-e", commit+"^{commit}"); err != nil {
		if _, err := git(ctx, top, "fetch", "-q", "--no-tags", "--depth=1", "origin", commit); err != nil {
			return err
		}
	}
	tree := commit + ":"
	if below != "." {
		listed, err := git(ctx, top, "ls-tree", "-d", "--name-only", commit, "--", filepath.ToSlash(below))
		if err != nil || listed == "" {
			return err
		}
		tree += filepath.ToSlash(below)
	}
	return unpack(ctx, top, tree, to)
}

// standing is the folder that is there, of a path whose end may not be yet, without
// links, and the rest of the path.
func standing(folder string) (there, below string, err error) {
	if folder, err = filepath.Abs(folder); err != nil {
		return "", "", err
	}
	for {
		there, err = filepath.EvalSymlinks(folder)
		if info, statErr := os.Stat(there); err == nil && statErr == nil && info.IsDir() {
			return there, below, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) || folder == filepath.Dir(folder) {
			return "", "", err
		}
		folder, below = filepath.Dir(folder), filepath.Join(filepath.Base(folder), below)
	}
}

// command is git in a folder that may be another user's, with nobody there to type a
// password.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.directory=*", "-C", dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0")
	return cmd
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := command(ctx, dir, args...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(failed.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

// unpack writes the files of a folder of a commit, whose tree is asked for by itself: then the
// attributes above it, such as export-ignore for tests, leave nothing out. Only plain files
// are taken, and none outside of the folder.
func unpack(ctx context.Context, top, tree, to string) error {
	cmd := command(ctx, top, "archive", "--format=tar", tree)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	failed := extract(io.LimitReader(out, largest), to)
	_, _ = io.Copy(io.Discard, out) // or git waits for ever
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("git archive: %s", strings.TrimSpace(said.String()))
	}
	return failed
}

func extract(from io.Reader, to string) error {
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // nothing was written through it itself
	for archive := tar.NewReader(from); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("git archive: %w", err)
		}
		name := filepath.FromSlash(header.Name)
		if header.Typeflag != tar.TypeReg || !filepath.IsLocal(name) {
			continue
		}
		if err := write(root, name, archive); err != nil {
			return err
		}
	}
}

func write(root *os.Root, name string, from io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}
