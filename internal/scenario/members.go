package scenario

import "strings"

// maxMembers is how many keys an object may have: the library takes time for those of one
// that is not in braces by their square, 25,000 took most of a minute.
const maxMembers = 4000

// tooMany finds an object of too many keys before the library sees it. It reads no
// quotes: a text of so many lines with a colon is refused as well.
func tooMany(lines []string) (Pos, bool) {
	type level struct{ indent, keys int } // of lines that stand at one indent
	var levels []level
	for i, line := range lines {
		rest := strings.TrimLeft(line, " ")
		if rest == "" || rest[0] == '#' {
			continue
		}
		indent := len(line) - len(rest)
		for len(levels) > 0 && levels[len(levels)-1].indent > indent {
			levels = levels[:len(levels)-1]
		}
		if len(levels) == 0 || levels[len(levels)-1].indent < indent {
			levels = append(levels, level{indent: indent})
		}
		last := &levels[len(levels)-1]
		switch {
		case strings.HasPrefix(rest, "- "):
			last.keys = 0 // an item of a list, which may be long
		case strings.Contains(rest, ":"):
			last.keys++
		}
		if last.keys > maxMembers {
			return Pos{i + 1, indent + 1}, true
		}
	}
	return Pos{}, false
}
