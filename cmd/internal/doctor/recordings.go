package doctor

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/hsharness/hsharness/cmd/internal/show"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
)

// examineRecordings looks for what stops a run that buys: a folder that can't be
// written, and files that can't be read; and for answers that are on this machine
// alone.
func examineRecordings(pr *project.Project) []Diagnosis {
	store, err := pr.OpenRecordings()
	if err != nil {
		return []Diagnosis{wrong("recordings", err.Error(), "correct recordings in "+project.Name)}
	}
	var all []Diagnosis
	count := map[recording.Place]int{}
	recs, evidence, quarantined := 0, 0, ""
	for r := range store.Each(&err) {
		place := store.Place(r)
		recs++
		count[place]++
		if r.Answer() == nil {
			evidence++
		}
		if place == recording.Quarantine && quarantined == "" {
			quarantined = r.File
		}
	}
	if err != nil {
		all = append(all, wrong("recordings", "nothing that these files may answer is bought: "+strings.ReplaceAll(err.Error(), "\n", ", "), MendRecordings(pr)))
	}
	if err := store.Writable(); err != nil && pr.File != "" { // without a project nothing is bought
		all = append(all, wrong("recordings", err.Error(), MendFolder(pr, err)))
	}
	if n := count[recording.Emergency]; n > 0 {
		all = append(all, warning("recordings", fmt.Sprintf("answers that could not be recorded, and answer on this machine alone: %d", n), string(hint.RecoverHome)))
	}
	if n := count[recording.Quarantine]; n > 0 {
		all = append(all, warning("recordings", fmt.Sprintf("answers that hold a secret, and answer on this machine alone: %d, in %s", n, show.Path(quarantined)),
			string(hint.RecoverCleaned)))
	}
	if len(all) > 0 {
		return all
	}
	text := fmt.Sprintf("%d in %s, which can be written", recs, show.Path(pr.RecordingsDir()))
	if evidence > 0 {
		text += fmt.Sprintf("; %d of them hold no answer and are asked again by a record run", evidence)
	}
	return []Diagnosis{fine("recordings", "%s", text)}
}

// MendFolder is what to do about a folder that can't be written.
func MendFolder(pr *project.Project, err error) string {
	dir := show.Path(pr.RecordingsDir())
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on the disk of " + dir
	case errors.Is(err, syscall.EROFS):
		return "mount the disk of " + dir + " writable, or set recordings.dir in " + project.Name + " to another folder"
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return "let this user write there: sudo chown -R \"$(id -un)\" " + dir
	}
	return "make " + dir + " a folder that this user can write"
}

// MendRecordings is what to do about files that can't be read.
func MendRecordings(pr *project.Project) string {
	return "mend the files, or take them from git again: git checkout -- " + show.Path(pr.RecordingsDir())
}
