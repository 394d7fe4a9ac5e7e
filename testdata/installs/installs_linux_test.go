// Package installs_test builds the deb and the rpm of this clone, has dpkg and rpm
// install them below a folder, runs what is there, and has them removed again. make
// installs runs it. Below a folder dpkg and rpm want to be root: sudo makes them so
// where the tests are not.
package installs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const version = "9.8.7"

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CI=") // somebody looks around in a folder that is no project's
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), out)
	return string(out)
}

func asRoot(t *testing.T, name string, args ...string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return run(t, "sudo", append([]string{"-n", name}, args...)...)
	}
	return run(t, name, args...)
}

func TestInstalls(t *testing.T) {
	clone, err := filepath.Abs("../..")
	require.NoError(t, err)
	run(t, "make", "-C", clone, "packages-linux", "ARCHES="+runtime.GOARCH, "VERSION="+version)
	built := filepath.Join(clone, "dist", "linux")

	t.Run("deb", func(t *testing.T) {
		deb := filepath.Join(built, "hsharness_"+version+"_"+runtime.GOARCH+".deb")
		root := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg/info"), 0o755))
		require.NoError(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg/updates"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
		asRoot(t, "dpkg", "--root="+root, "--log=/dev/null", "-i", deb)
		assert.Contains(t, run(t, "dpkg", "--root="+root, "-s", "hsharness"), "Version: "+version+"\n")
		works(t, root, "/usr/share/zsh/vendor-completions/_hsharness")
		asRoot(t, "dpkg", "--root="+root, "--log=/dev/null", "-P", "hsharness")
		gone(t, root)
	})

	t.Run("rpm", func(t *testing.T) {
		machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
		rpm := filepath.Join(built, "hsharness-"+version+"-1."+machine+".rpm")
		root := t.TempDir()
		// Debian's rpm knows no package of the system that it is on.
		asRoot(t, "rpm", "--root", root, "--nodeps", "--ignoreos", "-i", rpm)
		assert.Contains(t, asRoot(t, "rpm", "--root", root, "-q", "hsharness"), "hsharness-"+version+"-1."+machine)
		works(t, root, "/usr/share/zsh/site-functions/_hsharness")
		asRoot(t, "rpm", "--root", root, "--nodeps", "-e", "hsharness")
		gone(t, root)
	})
}

// works looks at what was installed: the program runs, and shells complete its words.
func works(t *testing.T, root, zsh string) {
	t.Helper()
	program := filepath.Join(root, "usr/bin/hsharness")
	assert.Contains(t, run(t, program, "version"), "hsharness ")
	info, err := os.Stat(program)
	require.NoError(t, err)
	assert.EqualValues(t, 0o755, info.Mode().Perm())
	assert.Contains(t, run(t, program, "run", "--tags", "smoke"), "all passed")

	// bash calls the function as it does where somebody types "hsharness quot" and a tab.
	// What bash-completion has for it is written here in short.
	completed := run(t, "bash", "-euc", `
		_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]}; prev=${COMP_WORDS[COMP_CWORD-1]}; words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
		__ltrim_colon_completions() { :; }
		compopt() { :; }
		. "$1/usr/share/bash-completion/completions/hsharness"
		[[ $(complete -p hsharness) == *__start_hsharness* ]]
		PATH=$1/usr/bin:$PATH
		set +eu
		COMP_WORDS=(hsharness quot) COMP_CWORD=1 COMP_LINE="hsharness quot" COMP_POINT=14
		__start_hsharness hsharness quot hsharness
		printf '%s\n' "${COMPREPLY[@]}"`, "bash", root)
	assert.Equal(t, "quota", strings.TrimSpace(completed))

	for file, begins := range map[string]string{
		zsh: "#compdef hsharness\n", "/usr/share/fish/vendor_completions.d/hsharness.fish": "# fish completion for hsharness",
		"/usr/share/doc/hsharness/copyright": "", "/usr/share/doc/hsharness/README.md": "# hsharness\n",
		"/usr/share/doc/hsharness/THIRD_PARTY_NOTICES": "What hsharness is made of",
	} {
		text, err := os.ReadFile(filepath.Join(root, file))
		require.NoError(t, err)
		assert.NotEmpty(t, text, file)
		assert.True(t, bytes.HasPrefix(text, []byte(begins)), file)
	}
}

// gone looks whether anything stayed.
func gone(t *testing.T, root string) {
	t.Helper()
	for _, place := range []string{"usr/bin/hsharness", "usr/share/doc/hsharness", "usr/share/bash-completion/completions/hsharness"} {
		assert.NoFileExists(t, filepath.Join(root, place))
		assert.NoDirExists(t, filepath.Join(root, place))
	}
}
