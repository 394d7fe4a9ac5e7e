package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReleaseBuildsWhatIsChecked compares the systems and the flags of a release
// with those of the Makefile.
func TestReleaseBuildsWhatIsChecked(t *testing.T) {
	text, err := os.ReadFile("../../.goreleaser.yaml")
	require.NoError(t, err)
	var release struct {
		Builds []struct {
			Main           string
			Env            []string
			Flags, Ldflags []string
			Goos, Goarch   []string
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &release))
	require.Len(t, release.Builds, 1)
	build := release.Builds[0]
	assert.Equal(t, []string{"CGO_ENABLED=0"}, build.Env)
	var systems []string
	for _, system := range build.Goos {
		for _, arch := range build.Goarch {
			systems = append(systems, system+"/"+arch)
		}
	}

	makefile, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^SYSTEMS = (.*)$`).FindSubmatch(makefile)
	require.NotNil(t, m)
	assert.Equal(t, strings.Fields(string(m[1])), systems)
	assert.Contains(t, string(makefile), "CGO_ENABLED=0 GOOS=$${system%/*}")
	flags := strings.Join(build.Flags, " ") + " -ldflags '" + strings.Join(build.Ldflags, " ") + "'"
	assert.Contains(t, string(makefile), "\nRELEASE = "+flags+"\n")
	assert.Contains(t, string(makefile), "$(GO) build $(RELEASE) -o dist/$$system/ "+build.Main)
	assert.NotRegexp(t, `\$\(GO\) build -`, string(makefile), "no program is built with other flags")
	action, err := os.ReadFile("../../ci/action/build.sh")
	require.NoError(t, err)
	assert.Contains(t, string(action), " build "+flags+" ")
}

// TestDockerfile checks what can be without an engine: every setting is the twin
// of a flag, and every command exists.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	require.NoError(t, err)
	file := string(text)
	assert.Regexp(t, `(?m)^FROM gcr\.io/distroless/static\S*:nonroot$`, file, "no shell, no root")
	assert.NotRegexp(t, `(?m)^USER `, file)

	root := (&program{lookupEnv: func(string) (string, bool) { return "", false }}).rootCommand()
	serve, _, err := root.Find([]string{"serve"})
	require.NoError(t, err)
	twins := map[string]*pflag.Flag{}
	serve.Flags().VisitAll(func(f *pflag.Flag) {
		twins["HSHARNESS_"+strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))] = f
	})
	settings := regexp.MustCompile(`\b(HSHARNESS_[A-Z_]+)=(\S+)`).FindAllStringSubmatch(file, -1)
	require.Len(t, settings, 4)
	for _, s := range settings {
		require.Contains(t, twins, s[1])
		assert.NoError(t, twins[s[1]].Value.Set(s[2]), s[1])
	}
	commands := regexp.MustCompile(`(?m)\bCMD (\[.*\])$`).FindAllStringSubmatch(file, -1)
	require.Len(t, commands, 2, "the health check and the default command")
	for _, c := range commands {
		var args []string
		require.NoError(t, json.Unmarshal([]byte(c[1]), &args))
		if args[0] == "hsharness" { // CMD goes on from ENTRYPOINT, HEALTHCHECK does not
			args = args[1:]
		}
		assert.NoError(t, checkCall(args), c[0])
	}
}

// TestReleaseBringsTerms: whatever a release hands out has the terms of all that is in it,
// and each program its list of parts, which make sbom writes.
func TestReleaseBringsTerms(t *testing.T) {
	type image struct {
		ExtraFiles []string `yaml:"extra_files"`
	}
	var release struct {
		Archives []struct{ Files []string }
		SBOMs    []struct {
			Artifacts, Cmd string
			Documents      []string
			Args           []string
		} `yaml:"sboms"`
		Images []image `yaml:"dockers_v2"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, ".goreleaser.yaml")), &release))
	terms := []string{"LICENSE", "THIRD_PARTY_NOTICES"}
	require.Len(t, release.Archives, 1)
	assert.Subset(t, release.Archives[0].Files, terms)
	require.Len(t, release.Images, 1)
	assert.Equal(t, terms, release.Images[0].ExtraFiles)
	assert.Regexp(t, `(?m)^COPY LICENSE THIRD_PARTY_NOTICES /usr/share/doc/hsharness/$`, readFile(t, "Dockerfile"))
	assert.Contains(t, readFile(t, ".nfpm.yaml"), "src: THIRD_PARTY_NOTICES, dst: /usr/share/doc/hsharness/THIRD_PARTY_NOTICES")

	require.Len(t, release.SBOMs, 1)
	sbom := release.SBOMs[0]
	assert.Equal(t, "binary", sbom.Artifacts)
	assert.Equal(t, []string{"{{ .ProjectName }}_{{ .Version }}_{{ .Os }}_{{ .Arch }}.cdx.json"}, sbom.Documents)
	assert.Equal(t, "make -C .. sbom BINARY=dist/$artifact SBOM=dist/$document", strings.Join(append([]string{sbom.Cmd}, sbom.Args...), " "))
	assert.Contains(t, readFile(t, "Makefile"), "\nsbom: ")
}

// TestReleasePackagesWhatIsInstalled compares the files of a release's deb and rpm with
// those of make packages, which make installs installs.
func TestReleasePackagesWhatIsInstalled(t *testing.T) {
	type file struct {
		Src, Dst, Type, Packager string
		Expand                   bool
		FileInfo                 struct{ Mode int } `yaml:"file_info"`
	}
	type packages struct {
		Formats                                             []string
		Maintainer, Description, Homepage, License, Section string
		Contents                                            []file
	}
	var release struct {
		Before struct{ Hooks []string }
		Nfpms  []packages
	}
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, ".goreleaser.yaml")), &release))
	var own packages
	require.NoError(t, yaml.Unmarshal([]byte(readFile(t, ".nfpm.yaml")), &own))
	require.Len(t, release.Nfpms, 1)
	assert.Equal(t, []string{"make completion"}, release.Before.Hooks)
	assert.Equal(t, []string{"deb", "rpm"}, release.Nfpms[0].Formats)
	assert.Equal(t, "/usr/bin/hsharness", own.Contents[0].Dst, "which a release puts there by itself")
	own.Formats, own.Contents = release.Nfpms[0].Formats, own.Contents[1:]
	assert.Equal(t, own, release.Nfpms[0])
}
