package starter_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/starter"
	"github.com/hsharness/hsharness/internal/hint"
)

// What is typed next is typed in the folder that was named: a go.mod elsewhere is another
// project's.
func TestNextIsTypedInTheFolder(t *testing.T) {
	t.Parallel()
	dir := folder(t, "go.mod: module example.com/shop\n")
	done, err := starter.Write(dir, nil, clone)
	require.NoError(t, err)
	assert.Equal(t, dir, done.Folder)
	for _, fetching := range []bool{false, true} {
		var out strings.Builder
		require.NoError(t, done.Print(&out, false, fetching))
		assert.Contains(t, out.String(), "\nnext:\n  cd "+hint.Line(dir)+"\n  ")
	}
	var out strings.Builder
	require.NoError(t, starter.Done{Next: [][]string{{"hsharness", "run"}}}.Print(&out, false, false))
	assert.Equal(t, "\nnext:\n  hsharness run\n", out.String(), "here is where one is")
}

// A line of .gitignore that tells of the folder keeps nothing out of git.
func TestACommentIgnoresNothing(t *testing.T) {
	t.Parallel()
	for text, added := range map[string]bool{
		"# .hsharness/ is kept\n": true, "# see .hsharness/\r\nbin\r\n": true, "!.hsharness/\n": true, "doc/ .hsharness/": true,
		".hsharness/": false, "bin\r\n.hsharness/\r\n": false, "bin\n.hsharness/ \n": false,
	} {
		dir := folder(t, ".gitignore: "+text)
		done, err := starter.Write(dir, nil, clone)
		require.NoError(t, err)
		assert.Equal(t, added, len(done.Added) == 1, "%q", text)
		is, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
		require.NoError(t, err)
		assert.Equal(t, added, strings.HasSuffix(string(is), "\n.hsharness/\n") && string(is) != text, "%q", text)
	}
}

// A linked .gitignore that has the line needs no other, and is not written.
func TestALinkedGitignoreThatSaysItStays(t *testing.T) {
	t.Parallel()
	elsewhere, dir := filepath.Join(t.TempDir(), "ignore"), t.TempDir()
	require.NoError(t, os.WriteFile(elsewhere, []byte(".hsharness/\n"), 0o600))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, ".gitignore")))
	done, err := starter.Write(dir, nil, clone)
	require.NoError(t, err)
	assert.Contains(t, done.Kept, ".gitignore")
}

// npm takes a package.json that begins with a byte order mark, as editors on Windows write it.
func TestPackageWithAByteOrderMark(t *testing.T) {
	t.Parallel()
	done, err := starter.Write(folder(t, "package.json: \ufeff{\"devDependencies\":{\"jest\":\"30\"}}"), nil, clone)
	require.NoError(t, err)
	assert.Contains(t, done.Next, []string{"npx", "jest", "test/hsharness.test.js"})
}

// A repository of somebody else may have links: they have nothing written elsewhere, nor anything
// there changed.
func TestStarterFollowsNoLinkOutOfTheRepository(t *testing.T) {
	t.Parallel()
	for link, to := range map[string]string{
		"hsharness.yaml": "gone", "scenarios": "folder", ".hsharness": "folder/gone", ".gitignore": "file",
		".hsharness/hsharness.schema.json": "file", "../.github": "folder",
	} {
		t.Run(link, func(t *testing.T) {
			t.Parallel()
			elsewhere := folder(t, "file: mine\n", "folder/a: b")
			dir := filepath.Join(folder(t, ".git/config", "shop/README"), "shop")
			link := filepath.Join(dir, filepath.FromSlash(link))
			require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
			require.NoError(t, os.Symlink(filepath.Join(elsewhere, filepath.FromSlash(to)), link))
			_, err := starter.Write(dir, nil, clone)
			require.ErrorContains(t, err, "is elsewhere or git's own, and is not written: remove the link "+link)
			now, err := os.ReadDir(elsewhere)
			require.NoError(t, err)
			assert.Len(t, now, 2)
			now, err = os.ReadDir(filepath.Join(elsewhere, "folder"))
			require.NoError(t, err)
			assert.Len(t, now, 1)
			mine, err := os.ReadFile(filepath.Join(elsewhere, "file"))
			require.NoError(t, err)
			assert.Equal(t, "mine\n", string(mine))
		})
	}
	for link, to := range map[string]string{".gitignore": ".git/config", "scenarios": ".git/hooks"} {
		dir := folder(t, ".git/config: [core]\n", ".git/hooks/a")
		require.NoError(t, os.Symlink(to, filepath.Join(dir, link)))
		_, err := starter.Write(dir, nil, clone)
		require.ErrorContains(t, err, "git's own, and is not written")
		assert.True(t, strings.HasSuffix(err.Error(), ": remove the link "+filepath.Join(dir, link)), "%v", err)
	}
	whole := folder(t, ".git/config", "shared/b: c", "shop/README")
	require.NoError(t, os.Symlink("../shared", filepath.Join(whole, "shop", "scenarios")))
	done, err := starter.Write(filepath.Join(whole, "shop"), nil, clone)
	require.NoError(t, err, "a link within the repository is its own")
	assert.Contains(t, done.Written, "scenarios/classify.yaml")
}
