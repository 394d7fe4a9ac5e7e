package quota

import (
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// gitHead reads branch and commit of the repository that dir is in from its
// files (gitrepository-layout(5)): no git is needed, and none is run. Both are
// empty without a repository; the branch is empty on a detached head.
func gitHead(dir string) (branch, commit string) {
	git := gitDir(dir)
	if git == "" {
		return "", ""
	}
	head := readLine(filepath.Join(git, "HEAD"))
	ref, symbolic := strings.CutPrefix(head, "ref: ")
	if !symbolic {
		return "", commitID(head)
	}
	if !strings.HasPrefix(ref, "refs/") || !filepath.IsLocal(filepath.FromSlash(ref)) {
		return "", "" // git has no such branch
	}
	// A linked worktree has its own HEAD, but shares the branches.
	common := git
	if c := readLine(filepath.Join(git, "commondir")); c != "" {
		common = absolute(git, c)
	}
	commit = readLine(filepath.Join(common, filepath.FromSlash(ref)))
	if commit == "" {
		commit = packedRef(common, ref)
	}
	return strings.TrimPrefix(ref, "refs/heads/"), commitID(commit)
}

// commitID is a text that is the hash of a commit, SHA-1 or SHA-256, and empty for another one: a .git that
// somebody else left in a folder above, or a link in it, may lead to a file whose first line
// is nobody's to read in a ledger or a report.
func commitID(text string) string {
	if sum, err := hex.DecodeString(text); err == nil && (len(sum) == 20 || len(sum) == 32) {
		return text
	}
	return ""
}

// gitDir finds the .git of dir or of one of its parents. In a linked worktree
// it is a file that names the folder.
func gitDir(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for {
		git := filepath.Join(dir, ".git")
		if info, err := os.Stat(git); err == nil {
			if info.IsDir() {
				return git
			}
			if link, ok := strings.CutPrefix(readLine(git), "gitdir: "); ok {
				return absolute(dir, link)
			}
			return ""
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

func absolute(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// mostLine is how long the first line of a file of git may be, in bytes: a path, and more.
const mostLine = 8 << 10

// readLine is the first line of a file, empty when there is none, or a longer one.
func readLine(path string) string {
	data, err := readUpTo(path, mostLine+1)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if len(line) > mostLine {
		return ""
	}
	return strings.TrimSpace(line)
}

// packedRef finds a ref that has no file of its own.
func packedRef(git, ref string) string {
	text, err := readSmall(filepath.Join(git, "packed-refs"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if commit, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == ref {
			return commit
		}
	}
	return ""
}

// readSmall reads a file of others, 64 MiB of it at most.
func readSmall(path string) ([]byte, error) { return readUpTo(path, 64<<20) }

// readUpTo reads so many bytes of a file of others at most. It waits for no writer of a
// FIFO, and reads no device.
func readUpTo(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrInvalid}
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(f, most))
}
