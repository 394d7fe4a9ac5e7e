package selection

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/scenarios"
)

// Folder holds the scenarios of a project, beside its file.
const Folder = "scenarios"

// Place is where a command takes scenarios from. The zero Place is the folder that it
// runs in.
type Place struct {
	// Config is the project file, empty for the nearest one, and Paths are the files
	// and folders that were given.
	Config string
	Paths  []string
	// Meant says why nobody would run here but for a project's own scenarios, such as
	// "CI is set". Empty is somebody who may just be looking around.
	Meant string
}

// NoScenariosError refuses a folder that is probably the wrong one: nothing is there
// to be taken, and what hsharness ships is not what is meant.
type NoScenariosError struct {
	// File is the project file, empty where there is none.
	File string
	// Meant is what says that a project is meant, where there is no file.
	Meant string
}

func (e *NoScenariosError) Error() string {
	if e.File == "" {
		return "there is no " + project.Name + " here or above, and no folder " + Folder + ", but " + e.Meant
	}
	return "there is no folder " + Folder + " beside " + filepath.ToSlash(e.File)
}

// Advice is what to type instead.
func (e *NoScenariosError) Advice() hint.Advice { return hint.FirstScenarios(e.File) }

// own is the folder of the scenarios that are meant where nothing was given: beside
// the project file or, without one, here. Empty is none, and file the project's.
func (p Place) own() (file, folder string, err error) {
	file = cmp.Or(p.Config, project.Find())
	if file != "" {
		if _, err := os.Stat(file); err != nil {
			return file, "", err
		}
	}
	folder = filepath.Join(filepath.Dir(file), Folder)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return file, "", nil
	}
	if file == "" && !holdsScenarios(folder) { // it may be anything's
		return file, "", nil
	}
	return file, folder, nil
}

func holdsScenarios(folder string) bool {
	entries, _ := os.ReadDir(folder) // one that can't be read holds none that could be run
	for _, e := range entries {
		if !e.IsDir() && isScenario(e.Name()) {
			return true
		}
	}
	return false
}

// Shipped tells whether the scenarios are those that hsharness ships: nothing was
// given, and nothing here is a project's.
func (p Place) Shipped() bool {
	if len(p.Paths) > 0 {
		return false
	}
	file, folder, err := p.own()
	return err == nil && file == "" && folder == ""
}

// Note is the first line of what is said about scenarios that nobody chose: those that
// hsharness ships, and why. It is empty for all others.
func (p Place) Note() string {
	if !p.Shipped() {
		return ""
	}
	return "there is no " + project.Name + " here or above: these are the scenarios that hsharness ships\n"
}

// Sources reads the files under the given paths; without any, the project's own;
// without a project, those that hsharness ships, unless a project is meant.
func (p Place) Sources() ([]Source, error) {
	paths := p.Paths
	if len(paths) == 0 {
		file, folder, err := p.own()
		switch {
		case err != nil:
			return nil, err
		case folder != "":
			paths = []string{folder}
		case file != "":
			return nil, &NoScenariosError{File: file}
		default:
			return shipped(p.Meant)
		}
	}
	var out []Source
	for _, root := range paths {
		before := len(out)
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || (name != root && !isScenario(name)) {
				return err
			}
			data, err := files.Read(name, files.Text)
			out = append(out, Source{filepath.ToSlash(name), data})
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file or folder %s", root)
		}
		if err != nil {
			return nil, err
		}
		if len(out) == before {
			return nil, fmt.Errorf("%s holds no scenario file (*.yaml)", root)
		}
	}
	return out, nil
}

// shipped reads the embedded scenarios, where nothing says that others are meant.
func shipped(meant string) ([]Source, error) {
	for _, left := range []string{".hsharness", "recordings"} { // by a project that was here
		if _, err := os.Lstat(left); err == nil && meant == "" {
			meant = "there is " + left
		}
	}
	if meant != "" {
		return nil, &NoScenariosError{Meant: meant}
	}
	names, err := fs.Glob(scenarios.FS, "*.yaml")
	if err != nil {
		return nil, err
	}
	var out []Source
	for _, name := range names {
		data, err := fs.ReadFile(scenarios.FS, name)
		if err != nil {
			return nil, err
		}
		out = append(out, Source{path.Join(Folder, name), data})
	}
	return out, nil
}
