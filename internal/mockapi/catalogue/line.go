package catalogue

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

// branches are the lines that were chosen among, read once: branchKey → *branch.
var branches sync.Map

type branchKey struct {
	schedule *nomenclature.Table
	hs6      string
}

// Choose returns the line of a schedule under six digits that a text fits best, and
// false where the schedule has none. The text's words are looked for in each step of a
// line's description that tells it from its neighbours: a step that is hit speaks for
// the line, one that says something else against it, "Other" neither. Of two as good it
// is the later. That the service's choice is like it is assumed.
func Choose(schedule *nomenclature.Table, hs6, text string) (nomenclature.Line, bool) {
	if len(hs6) < 6 {
		return nomenclature.Line{}, false
	}
	key := branchKey{schedule, hs6}
	known, ok := branches.Load(key)
	if !ok {
		lines := schedule.Under(hs6)
		if len(lines) == 0 { // whoever makes codes up fills no memory
			return nomenclature.Line{}, false
		}
		known, _ = branches.LoadOrStore(key, newBranch(lines))
	}
	b := known.(*branch) //nolint:forcetypeassert // it holds nothing else
	if len(b.lines) == 1 {
		return b.lines[0], true
	}
	return b.lines[b.best(saidOf(text))], true
}

// branch is the lines under six digits, read for comparison.
type branch struct {
	lines  []nomenclature.Line
	steps  [][]step // of each line: the steps that not all lines have
	weight map[string]float64
}

// step is one step of a description.
type step struct {
	other bool     // says no more than Other
	says  []string // words for what is meant
	not   []string // words for what is not
	// persons tells that it says for whom, and nothing else.
	persons bool
}

func newBranch(lines []nomenclature.Line) *branch {
	b := &branch{lines: lines, weight: make(map[string]float64)}
	shared := sharedSteps(lines)
	common := make(map[string]bool) // words of the steps that all lines have
	for _, text := range lines[0].Path[:shared] {
		for w := range lineWords(text) {
			common[w.stem] = true
		}
	}
	for _, l := range lines {
		var steps []step
		seen := make(map[string]bool)
		for _, text := range l.Path[min(shared, len(l.Path)):] {
			s := stepOf(text)
			for _, w := range s.says {
				if !seen[w] {
					seen[w] = true
					b.weight[w]++
				}
			}
			steps = append(steps, s)
		}
		b.steps = append(b.steps, steps)
	}
	for w, n := range b.weight {
		b.weight[w] = math.Log(1 + float64(len(lines))/n)
		if common[w] { // most texts have them, whichever the line is
			b.weight[w] *= ofHeading
		}
	}
	return b
}

// sharedSteps is how many steps all descriptions begin with.
func sharedSteps(lines []nomenclature.Line) int {
	for i := 0; ; i++ {
		for _, l := range lines {
			if i >= len(l.Path) || l.Path[i] != lines[0].Path[i] {
				return i
			}
		}
	}
}

// negations begin what the goods of a line are not.
var negations = map[string]bool{"except": true, "excluding": true, "not": true, "without": true, "than": true, "nor": true}

func stepOf(text string) step {
	var s step
	denied := false
	for w := range lineWords(text) {
		switch {
		case negations[w.raw]:
			denied = true
		case w.stem == "":
			denied = denied && !w.first
		case denied && !w.first:
			s.not = append(s.not, w.stem)
		default:
			denied = false
			s.says = append(s.says, w.stem)
		}
	}
	s.persons = len(s.says) > 0 && !slices.ContainsFunc(s.says, func(w string) bool { return persons[w] == "" })
	s.other = strings.HasPrefix(text, "Other") && len(s.says) == 0
	return s
}

// What a step weighs against a line that says something the text does not, in weights
// of a word, and one that is for somebody else; and what share of its weight a word keeps
// that the heading has, too. They were chosen on the shop titles of
// this package's tests, where a customs expert's line is known.
const (
	unsaid    = 1.5
	someone   = 3
	ofHeading = 0.5
)

// best is the line with the most for it; of two as good it is the later, where the
// schedules put what is not named.
func (b *branch) best(said saying) int {
	best, most := 0, math.Inf(-1)
	for i, steps := range b.steps {
		score := 0.0
		for _, s := range steps {
			score += b.judge(s, said)
		}
		if score > most-1e-9 {
			best, most = i, score
		}
	}
	return best
}

func (b *branch) judge(s step, said saying) float64 {
	if s.other {
		return 0
	}
	hit, all := 0.0, 0.0
	for i, w := range s.says {
		weight := b.weight[w]
		if slices.Contains(s.says[:i], w) {
			continue
		}
		all += weight
		hit += said.words[w] * weight
	}
	score := -float64(unsaid)
	if hit > 0 {
		share := hit / all
		score = hit*share - unsaid*(1-share)
	}
	for _, w := range s.not {
		if n, ok := said.words[w]; ok {
			score -= n
		}
	}
	switch {
	case said.against(s.says):
		score -= someone
	case hit == 0 && s.persons:
		score = 0 // for grown people, where nobody is named
	}
	return score
}
