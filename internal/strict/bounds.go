package strict

import (
	"bytes"
	"fmt"
)

// What a file may be at most. The library takes minutes for some that are larger,
// and no file of settings is.
const (
	maxFileSize = 1 << 20 // bytes
	maxLineSize = 16 << 10
	maxDepth    = 100  // levels
	maxMembers  = 2000 // lines in a row of one object
)

// maxTold is how many of the problems of a file are told.
const maxTold = 20

// bounds finds what is too large in a file before the library sees it. It reads no
// quotes: a text with so many open brackets is refused as well.
func bounds(name string, data []byte) error {
	wrong := func(line, column int, format string, args ...any) error {
		return fmt.Errorf("%s:%d:%d: %s", name, line, column, fmt.Sprintf(format, args...))
	}
	if len(data) > maxFileSize {
		return wrong(1, 1, "the file has %d bytes, and may have %d", len(data), maxFileSize)
	}
	brackets, number := 0, 0
	var levels []level
	for line := range bytes.Lines(data) {
		number++
		if len(line) > maxLineSize {
			return wrong(number, maxLineSize, "the line has %d bytes, and may have %d", len(line), maxLineSize)
		}
		indent, dashes := 0, 0
		for i, c := range line {
			switch c {
			case '[', '{':
				brackets++
			case ']', '}':
				brackets = max(brackets-1, 0)
			}
			if i == indent+2*dashes && c == '-' && i+1 < len(line) && line[i+1] == ' ' {
				dashes++
			}
			if i == indent && c == ' ' {
				indent++
			}
			if brackets > maxDepth || dashes > maxDepth {
				return wrong(number, i+1, "nested more than %d levels deep", maxDepth)
			}
		}
		rest := bytes.TrimSpace(line)
		if len(rest) == 0 || rest[0] == '#' {
			continue
		}
		for len(levels) > 0 && levels[len(levels)-1].indent > indent {
			levels = levels[:len(levels)-1]
		}
		if len(levels) == 0 || levels[len(levels)-1].indent < indent {
			levels = append(levels, level{indent: indent})
		}
		last := &levels[len(levels)-1]
		if last.lines++; dashes > 0 {
			last.lines = 0 // an item of a list, which may be long
		}
		switch {
		case len(levels) > maxDepth:
			return wrong(number, indent+1, "nested more than %d levels deep", maxDepth)
		case last.lines > maxMembers:
			return wrong(number, indent+1, "more than %d lines of one object or text: nothing here has so many", maxMembers)
		}
	}
	return nil
}

// level is how many lines in a row have an indent.
type level struct{ indent, lines int }
