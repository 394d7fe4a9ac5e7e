package learn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hsharness/hsharness/internal/mockapi/shape"
	"github.com/hsharness/hsharness/internal/secret"
)

// id is a text that is another in each answer, of one form.
func (b *builder) id(place string, all []sight, constant bool) (shape.Value, bool) {
	var texts []string
	exchanges := map[*exchange]bool{}
	for _, s := range all {
		text := s.v.Text
		if strings.ContainsAny(text, " \t\r\n") || len(text) > 200 || len(text) != len(all[0].v.Text) || !strings.ContainsAny(text, "0123456789") || secret.IsMark(text) {
			return shape.Value{}, false
		}
		exchanges[s.e] = true
		texts = append(texts, text)
	}
	texts = distinct(texts)
	named := idName.MatchString(leafName(place))
	if constant && (len(exchanges) > 1 || !named) || !named && len(texts) < len(exchanges) {
		return shape.Value{}, false
	}
	form, ok := idForm(texts)
	return shape.Of("$id " + form), ok
}

// idForm is the form of texts that are equally long.
func idForm(texts []string) (string, bool) {
	literal := make([]bool, len(texts[0]))
	for i := range literal {
		same := true
		for _, t := range texts {
			if t[i] < ' ' || t[i] > '~' {
				return "", false
			}
			same = same && t[i] == texts[0][i]
		}
		alnum := isDigit(texts[0][i]) || isLetter(texts[0][i])
		if !alnum && !same {
			return "", false
		}
		literal[i] = !alnum || same && len(texts) >= 4
	}
	if len(texts) < 4 { // what letters it begins with, up to the first other character
		for i := 0; i < len(literal) && isLetter(texts[0][i]); i++ {
			if i+1 < len(literal) && !isLetter(texts[0][i+1]) && !isDigit(texts[0][i+1]) {
				for j := range i + 1 {
					literal[j] = slices.IndexFunc(texts, func(t string) bool { return t[j] != texts[0][j] }) < 0
				}
			}
		}
	}
	var form strings.Builder
	for i := 0; i < len(literal); {
		j := i
		for j < len(literal) && literal[j] == literal[i] {
			j++
		}
		if literal[i] {
			form.WriteString("'" + strings.ReplaceAll(texts[0][i:j], "'", "''") + "'")
		} else {
			form.WriteString(strings.Repeat(string(class(texts, i, j)), j-i))
		}
		i = j
	}
	return form.String(), true
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// class is what characters stand at a stretch of ids; see the package shape.
func class(texts []string, from, to int) byte {
	var digit, low, high, notHex bool
	for _, t := range texts {
		for _, c := range []byte(t[from:to]) {
			switch {
			case isDigit(c):
				digit = true
			case c >= 'a':
				low, notHex = true, notHex || c > 'f'
			default:
				high, notHex = true, notHex || c > 'F'
			}
		}
	}
	switch {
	case low && high:
		return 'z'
	case !low && !high:
		return '9'
	case !notHex && digit && low:
		return 'h'
	case !notHex && digit && high:
		return 'H'
	case digit && low:
		return 'x'
	case digit && high:
		return 'X'
	case low:
		return 'a'
	}
	return 'A'
}

// sequence is a number that is higher in each later answer.
func (b *builder) sequence(place string, all []sight) (shape.Value, bool) {
	if !idName.MatchString(leafName(place)) {
		return shape.Value{}, false
	}
	ordered := slices.SortedStableFunc(slices.Values(all), func(a, c sight) int { return a.e.at.Compare(c.e.at) })
	last := int64(-1)
	for i, s := range ordered {
		n, err := strconv.ParseInt(s.v.Text, 10, 53)
		if err != nil || n < 0 || i > 0 && n <= last {
			return shape.Value{}, false
		}
		last = n
	}
	return shape.Of(fmt.Sprintf("$sequence %d", last+1)), true
}
