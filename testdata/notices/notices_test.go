package main

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const top = "../.."

// built is the program as a release has it, and what Go wrote into it.
func built(t *testing.T) (string, *buildinfo.BuildInfo) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "hsharness")
	build := exec.Command("go", "build", "-trimpath", "-tags=nopgxregisterdefaulttypes", "-ldflags", "-s -w", "-o", program, command)
	build.Dir, build.Env = top, append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	info, err := buildinfo.ReadFile(program)
	require.NoError(t, err)
	require.Greater(t, len(info.Deps), 15)
	return program, info
}

// TestNoticesAndSBOM compares both with what Go itself wrote into the program, which is
// neither read by the one nor made by the other.
func TestNoticesAndSBOM(t *testing.T) {
	program, info := built(t)
	notices, err := os.ReadFile(filepath.Join(top, file))
	require.NoError(t, err)

	bom := filepath.Join(t.TempDir(), "sbom.json")
	out, err := exec.Command("make", "-C", top, "sbom", "BINARY="+program, "SBOM="+bom).CombinedOutput()
	require.NoError(t, err, "%s", out)
	data, err := os.ReadFile(bom)
	require.NoError(t, err)
	var said struct {
		BOMFormat   string
		SpecVersion string
		Components  []struct{ Name, Version, PURL string }
	}
	require.NoError(t, json.Unmarshal(data, &said))
	assert.Equal(t, "CycloneDX", said.BOMFormat)
	assert.NotEmpty(t, said.SpecVersion)
	has := map[string]string{}
	for _, c := range said.Components {
		has[c.Name] = c.Version
		assert.True(t, strings.HasPrefix(c.PURL, "pkg:golang/"), c.PURL)
	}
	assert.Equal(t, info.GoVersion, has["std"])
	for _, m := range info.Deps {
		assert.Contains(t, has, m.Path)
		if m.Path == ours || strings.HasPrefix(m.Path, ours+"/") {
			continue
		}
		assert.Equal(t, m.Version, has[m.Path])
		assert.Contains(t, string(notices), "\n"+m.Path+" "+m.Version+": ")
	}
}

// TestTermsAreFound: those of a module, and those of a folder of it that is linked, and
// no others.
func TestTermsAreFound(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"LICENSE": "of all\r\n", "Notice.md": "be told", "licence_test.go": "package x", "README.md": "read",
		"inside/COPYING": "of a part", "inside/deeper/x.go": "package x", "aside/LICENSE": "not linked",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	p := part{path: "example.com/x", version: "v1.0.0", dir: dir, folders: map[string]bool{filepath.Join(dir, "inside", "deeper"): true}}
	require.NoError(t, p.read())
	assert.ElementsMatch(t, []licence{{"LICENSE", "of all"}, {"Notice.md", "be told"}, {"inside/COPYING", "of a part"}}, p.licences)

	assert.NoError(t, complete([]part{p}))
	p.licences = nil
	assert.EqualError(t, complete([]part{p}), "example.com/x v1.0.0 is linked, and has no file that says under which terms")
}

func TestTheFirstDifferentLine(t *testing.T) {
	assert.Zero(t, differ([]byte("a\nb\n"), []byte("a\nb\n")))
	assert.Equal(t, 2, differ([]byte("a\nb\n"), []byte("a\nc\n")))
	assert.Equal(t, 2, differ([]byte("a"), []byte("a\nc\n")), "one ends sooner")
}
