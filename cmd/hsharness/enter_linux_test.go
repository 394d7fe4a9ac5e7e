package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts run the program for Windows where WINE_ENTER names what make wine has:
// its enter, the folder of its system, and the one with the programs; WINE_FOLDERS is
// for enter.
const enterBy, folders = "WINE_ENTER", "WINE_FOLDERS"

// inWine tells a script what this process knows of Wine.
func inWine(env *testscript.Env) {
	if by := os.Getenv(enterBy); by != "" {
		env.Setenv(enterBy, by)
		env.Setenv(folders, os.Getenv(folders))
	}
}

// wine tells whether the program is that for Windows.
func wine() bool { return os.Getenv(enterBy) != "" }

// orInWine is a main, or the same program for Windows. The process becomes Wine's, so
// that a signal for the one is one for the other.
func orInWine(main func()) func() {
	return func() {
		by := filepath.SplitList(os.Getenv(enterBy))
		if len(by) != 3 {
			main()
			return
		}
		args := []string{by[0], by[1], "."}
		for _, variable := range os.Environ() {
			switch name, value, _ := strings.Cut(variable, "="); name {
			case "XDG_STATE_HOME": // a path of no drive says nothing there
				args = append(args, name+"="+onZ(value))
			case "PATH", "HOME", "TMPDIR", "PWD", "USERPROFILE", enterBy, folders: // Wine has its own
			default:
				args = append(args, variable)
			}
		}
		args = append(args, "WINEPATH="+onZ(by[2]), "wine64", filepath.Join(by[2], filepath.Base(os.Args[0])+".exe"))
		fmt.Fprintln(os.Stderr, syscall.Exec(by[0], append(args, os.Args[1:]...), os.Environ()))
		os.Exit(125)
	}
}

// onZ is a path of this machine as Windows has it.
func onZ(path string) string { return `Z:` + strings.ReplaceAll(path, "/", `\`) }
