package recording

import (
	"cmp"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// nearby knows what the requests of recordings have, so that a miss can be compared with
// thousands of them. A file is read again when it has changed.
type nearby struct {
	mu    sync.Mutex
	known map[string]*likeness // by file; nil is one that has no request to compare with
	ids   map[traitKey]int32
	often []int32 // in how many requests each is
	// folders are when each was changed last, as of when its files were looked at.
	folders map[string]time.Time
}

// likeness is one recording's.
type likeness struct {
	file   string
	is     seen
	inputs Inputs
	has    [traitKinds][]had // by id
}

// had is a trait of a request.
type had struct {
	id     int32
	weight float32
}

// peeked is the part of a file that a request is in.
type peeked struct {
	Inputs Inputs `json:"key_inputs"`
	Takes  []struct {
		Request Message `json:"request"`
	} `json:"takes"`
}

// scored is a file, and how near its request is to another.
type scored struct {
	file  string
	apart int     // in method, environment, API and path
	like  float64 // in what it asks, from 0 to 1
}

// as tells whether two are as near: their differences tell them apart, field by field.
func (a scored) as(b scored) bool { return a.apart == b.apart && math.Abs(a.like-b.like) < 1e-6 }

// nearest are the files of those that are most like a request, the nearest first: of the
// same method, environment, API and path, and of them those with the most in common.
func (s *Store) nearest(files []string, k Key) []scored {
	a := &s.nearby
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.learn(s, files)
	rare := a.rarity()
	asked := &likeness{inputs: k.Inputs}
	for _, t := range s.traitsOf(k.Inputs, k.request.Body) {
		id, ok := a.ids[traitKey{t.kind, t.text}]
		if !ok { // in none of them
			id = -1
		}
		asked.has[t.kind] = append(asked.has[t.kind], had{id, t.weight})
	}
	asked.sort()
	best := make([]scored, len(all))
	for i, l := range all {
		best[i] = scored{l.file, l.inputs.apart(k.Inputs), asked.like(l, rare)}
	}
	slices.SortStableFunc(best, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.apart, b.apart), cmp.Compare(b.like, a.like))
	})
	return best[:min(len(best), mostCompared)]
}

// mostCompared bounds how many files are read for their differences.
const mostCompared = 32

// apart counts what tells two requests apart before their bodies do.
func (in Inputs) apart(other Inputs) int {
	n := 0
	for _, differ := range []bool{in.Method != other.Method, in.Environment != other.Environment, in.API != other.API, in.Path != other.Path} {
		if differ {
			n++
		}
	}
	return n
}

// learn gives what is known of the files, read where that is not what they are now.
func (a *nearby) learn(s *Store, files []string) []*likeness {
	if a.known == nil {
		a.known, a.ids, a.folders = map[string]*likeness{}, map[traitKey]int32{}, map[string]time.Time{}
	}
	same := a.unchanged(files)
	all := make([]*likeness, len(files))
	traits := make([][]trait, len(files))
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 1+len(files)/64) {
		readers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return
				}
				before := a.known[files[i]]
				if before != nil && same[filepath.Dir(files[i])] {
					all[i] = before
					continue
				}
				all[i], traits[i] = s.peek(files[i], before)
			}
		})
	}
	readers.Wait()
	for i, l := range all {
		if l != nil && traits[i] != nil {
			a.forget(files[i])
			a.keep(l, traits[i])
		}
	}
	return slices.DeleteFunc(all, func(l *likeness) bool { return l == nil })
}

// unchanged tells in which folders no file was written since they were looked at: writers
// replace files. One that was changed just now may be changed again at the same time, as
// the clock of its disk has it.
func (a *nearby) unchanged(files []string) map[string]bool {
	same := map[string]bool{}
	for _, file := range files {
		folder := filepath.Dir(file)
		if _, ok := same[folder]; ok {
			continue
		}
		info, err := os.Stat(folder)
		if err != nil {
			same[folder] = false
			continue
		}
		before, ok := a.folders[folder]
		same[folder] = ok && info.ModTime().Equal(before)
		if time.Since(info.ModTime()) > time.Second {
			a.folders[folder] = info.ModTime()
		} else {
			delete(a.folders, folder)
		}
	}
	return same
}

// peek reads the request of a recording: before where the file is still the same. It is
// nil where none can be read.
func (s *Store) peek(file string, before *likeness) (*likeness, []trait) {
	is, err := look(file)
	if err != nil {
		return nil, nil
	}
	if before != nil && before.is.same(&is) {
		return before, nil
	}
	raw, err := readFile(file)
	var part peeked
	if err != nil || json.Unmarshal(raw, &part) != nil || len(part.Takes) == 0 {
		return nil, nil
	}
	return &likeness{file: file, is: is, inputs: part.Inputs}, s.traitsOf(part.Inputs, part.Takes[len(part.Takes)-1].Request.Body)
}

// keep takes a recording in.
func (a *nearby) keep(l *likeness, traits []trait) {
	for _, t := range traits {
		key := traitKey{t.kind, t.text}
		id, ok := a.ids[key]
		if !ok {
			id = int32(len(a.often))
			a.ids[key] = id
			a.often = append(a.often, 0)
		}
		a.often[id]++
		l.has[t.kind] = append(l.has[t.kind], had{id, t.weight})
	}
	l.sort()
	a.known[l.file] = l
}

// forget leaves a recording out that is another now.
func (a *nearby) forget(file string) {
	old := a.known[file]
	if old == nil {
		return
	}
	for _, list := range old.has {
		for _, h := range list {
			a.often[h.id]--
		}
	}
}

// rarity is how much each trait counts: what all have says nothing.
func (a *nearby) rarity() func(int32) float64 {
	n := float64(len(a.known))
	rare := make([]float64, len(a.often))
	for id, often := range a.often {
		rare[id] = math.Log(1 + (n+1)/(float64(often)+0.5))
	}
	unknown := math.Log(1 + (n+1)/0.5)
	return func(id int32) float64 {
		if id < 0 {
			return unknown
		}
		return rare[id]
	}
}

func (l *likeness) sort() {
	for kind := range l.has {
		slices.SortFunc(l.has[kind], func(a, b had) int { return cmp.Compare(a.id, b.id) })
	}
}

// like is how much two requests have in common, from 0 to 1: of each class the cosine of
// both, by its share.
func (l *likeness) like(other *likeness, rare func(int32) float64) float64 {
	total := 0.0
	for kind, share := range shares {
		total += share * cosine(l.has[kind], other.has[kind], rare)
	}
	return total
}

// cosine compares two lists in the order of their ids.
func cosine(a, b []had, rare func(int32) float64) float64 {
	var both, ofA, ofB float64
	for _, h := range a {
		w := float64(h.weight) * rare(h.id)
		ofA += w * w
	}
	i := 0
	for _, h := range b {
		w := float64(h.weight) * rare(h.id)
		ofB += w * w
		for i < len(a) && a[i].id < h.id {
			i++
		}
		if i < len(a) && a[i].id == h.id {
			both += w * float64(a[i].weight) * rare(h.id)
		}
	}
	if both == 0 {
		return 0
	}
	return both / math.Sqrt(ofA*ofB)
}
