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

// npm takes a package.json that begins with a byte order mark, as editors on Windows write it.
func TestPackageWithAByteOrderMark(t *testing.T) {
	t.Parallel()
	done, err := starter.Write(folder(t, "package.json: \ufeff{\"devDependencies\":{\"jest\":\"30\"}}"), nil, clone)
	require.NoError(t, err)
	assert.Contains(t, done.Next, []string{"npx", "jest", "test/hsharness.test.js"})
}
