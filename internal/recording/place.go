package recording

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Place says where a recording is kept. Whatever the place, nothing is bought
// again; the guard hands out no answer that is in [Quarantine].
type Place string

const (
	// Shared is the recordings folder, made to be committed.
	Shared Place = "recordings"
	// Quarantine has answers that still held a secret after redaction. It is
	// .hsharness/quarantine, on this machine alone.
	Quarantine Place = "quarantine"
	// Emergency has answers that could not be written where they belong, on this
	// machine alone. It is .hsharness/emergency, or a folder for temporary files
	// where that can't be written either. [Store.Recover] brings them home.
	Emergency Place = "emergency"
)

// root is a folder of one place; files are in a folder below it for each
// operation.
type root struct {
	place Place
	dir   string
	// ours tells whether what is there is this user's own. Nil means that it is,
	// because dir is in the project.
	ours func() bool
}

// roots are all folders of a store, the shared one first; home is that without links.
func roots(dir, home, private string) []root {
	temp := tempRoot(home)
	all := []root{
		{place: Shared, dir: dir},
		{place: Quarantine, dir: filepath.Join(private, "quarantine")},
		{place: Emergency, dir: filepath.Join(private, "emergency")},
		{place: Emergency, dir: temp, ours: func() bool { return ownFolder(filepath.Dir(temp)) }},
	}
	// What is beside the link answers too: it was the place before the folder became a link.
	if beside := filepath.Join(filepath.Dir(dir), ".hsharness"); beside != private {
		all = append(all, root{place: Quarantine, dir: filepath.Join(beside, "quarantine")},
			root{place: Emergency, dir: filepath.Join(beside, "emergency")})
	}
	return all
}

// tempRoot is where copies go when the project can't be written at all. Other
// users can write beside it, and other projects of this user have their own.
func tempRoot(dir string) string {
	user := ""
	if uid := os.Getuid(); uid >= 0 {
		user = fmt.Sprintf("-%d", uid)
	}
	return filepath.Join(os.TempDir(), "hsharness"+user, "emergency-"+digest([]byte(dir))[:shortLen])
}

// readable tells whether a place has anything that may be believed.
func (r root) readable() bool { return r.ours == nil || r.ours() }

// place is where a file is; a file of none of them is shared by somebody.
func (s *Store) place(file string) Place {
	for _, r := range s.roots {
		if within(r.dir, file) {
			return r.place
		}
	}
	return Shared
}

// get puts together what all places have for one key. What is wrong in one place
// counts unless another has an answer: it was paid for.
func (s *Store) get(k Key, sum string) (*Recording, error) {
	var found *Recording
	var wrong error
	operation := k.folder()
	// The shared one last: a copy that is brought home meanwhile is seen there.
	for _, r := range slices.Backward(s.roots) {
		// Most projects have nothing but the shared folder, and a question to the system
		// is most of what an answer from it costs.
		if r.place != Shared && absent(r.dir) {
			continue
		}
		var recs []*Recording
		var rec *Recording
		var err error
		if r.place == Emergency {
			recs, err = s.copies(r, sum)
		} else if rec, err = s.find(r, operation, sum); rec != nil {
			found = Merge(rec, found)
		}
		if err != nil {
			wrong = err
		}
		for _, rec := range recs {
			found = Merge(rec, found)
		}
	}
	if wrong != nil && (found == nil || found.Answer() == nil) {
		return nil, wrong
	}
	if found == nil {
		return nil, ErrMiss
	}
	return found, nil
}

// Merge puts together what two files have for one key: the takes of both, by time.
// The rest is a's. Neither is changed; b may be nil.
func Merge(a, b *Recording) *Recording {
	if b == nil {
		return a
	}
	out := *a
	out.Takes = mergeTakes(a.Takes, b.Takes)
	return &out
}

// mergeTakes keeps the order of each list. What is in both, because somebody was
// stopped between writing one and removing the other, comes once.
func mergeTakes(a, b []Take) []Take {
	known := make(map[purchase]bool, len(a))
	for _, t := range a {
		known[t.purchase()] = true
	}
	b = slices.DeleteFunc(slices.Clone(b), func(t Take) bool { return known[t.purchase()] })
	out := make([]Take, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if b[0].RecordedAt.Before(a[0].RecordedAt) {
			out, b = append(out, b[0]), b[1:]
		} else {
			out, a = append(out, a[0]), a[1:]
		}
	}
	return append(append(out, a...), b...)
}

// purchase is what tells the takes of one purchase from those of others.
type purchase struct {
	second, elapsed    int64
	nanosecond, status int
	entry              string
	body               [sha256.Size]byte
}

func (t Take) purchase() purchase {
	return purchase{
		second: t.RecordedAt.Unix(), nanosecond: t.RecordedAt.Nanosecond(), elapsed: t.ElapsedMS,
		status: t.Response.Status, entry: t.Entry, body: sha256.Sum256(t.Response.Body),
	}
}

// same tells whether two takes are of one purchase.
func (t Take) same(other Take) bool { return t.purchase() == other.purchase() }

// find looks for a key in the folder of its operation first, then in the others:
// an operation that was renamed keeps its recordings. Nil is none.
func (s *Store) find(r root, operation, sum string) (*Recording, error) {
	own := filepath.Join(r.dir, operation)
	rec, err := s.in(r, own, sum)
	if rec != nil {
		return rec, nil
	}
	if err := cmp.Or(lookFolder(r.dir), lookFolder(own), err); err != nil {
		return nil, err
	}
	folders, err := s.folders(r)
	if err != nil {
		return nil, err
	}
	for _, f := range folders {
		if f == own {
			continue
		}
		if rec, err := s.in(r, f, sum); rec != nil || err != nil {
			return rec, err
		}
	}
	return nil, nil
}

// in looks for a key in one folder; nil is none. Two keys that begin alike are
// told apart by the key in the file: the second one's file is named by its whole
// key.
func (s *Store) in(r root, folder, sum string) (*Recording, error) {
	for _, name := range []string{sum[:shortLen], sum} {
		rec, err := s.named(r, below(folder, name+".json"))
		switch {
		case errors.Is(err, os.ErrNotExist):
			// A second one may outlive the first.
		case err != nil:
			return nil, err
		case rec.Key == sum:
			return rec, nil
		}
	}
	return nil, nil
}

// copies reads the emergency copies of one key. Each has a name of its own: who
// writes one may not be able to lock.
func (s *Store) copies(r root, sum string) ([]*Recording, error) {
	files, wrong := s.filesIn(r)
	var all []*Recording
	for _, file := range files {
		if !strings.Contains(filepath.Base(file), sum[:shortLen]) {
			continue
		}
		rec, err := s.named(r, file)
		switch {
		case errors.Is(err, os.ErrNotExist): // brought home meanwhile
		case err != nil:
			wrong = cmp.Or(wrong, err)
		case rec.Key == sum:
			all = append(all, rec)
		}
	}
	return all, wrong
}

// folders names the folders of a place, links to folders too, sorted. The error
// is that of the first one that is none: what is in it can't be known.
func (s *Store) folders(r root) ([]string, error) {
	if err := lookFolder(r.dir); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(r.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, &FileError{File: r.dir, Err: unnamed(err)}
	}
	var all []string
	for _, e := range entries {
		name := filepath.Join(r.dir, e.Name())
		switch {
		case e.IsDir():
			all = append(all, name)
		case e.Type()&os.ModeSymlink != 0:
			info, err := os.Stat(name)
			switch {
			case err != nil:
				return all, cmp.Or(lookFolder(name), err)
			case info.IsDir():
				all = append(all, name)
			case !info.Mode().IsRegular():
				return all, lookFolder(name)
			}
		case !e.Type().IsRegular(): // a FIFO in the place of a folder
			return all, lookFolder(name)
		}
	}
	return all, nil
}

// filesIn names the recording files of a place, sorted by folder, whatever they
// are. Nothing is where there is no folder, or not one of this user's own.
func (s *Store) filesIn(r root) ([]string, error) {
	if !r.readable() {
		return nil, nil
	}
	folders, wrong := s.folders(r)
	var files []string
	if r.place == Emergency { // earlier versions had no folders here
		folders = append([]string{r.dir}, folders...)
	}
	for _, folder := range folders {
		in, err := inFolder(folder)
		files, wrong = append(files, in...), cmp.Or(wrong, err)
	}
	return files, wrong
}

// inFolder names the recording files of one folder, whatever they are, sorted. What a
// crash left begins with a dot and is none.
func inFolder(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, &FileError{File: folder, Err: unnamed(err)}
	}
	var files []string
	for _, e := range entries {
		if name := e.Name(); !strings.HasPrefix(name, ".") && strings.EqualFold(filepath.Ext(name), ".json") {
			files = append(files, filepath.Join(folder, name))
		}
	}
	return files, nil
}
