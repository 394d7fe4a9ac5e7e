package recording

import "strconv"

// redacting writes what it reads without white space and secrets.
type redacting struct {
	reader
	find *redactor
	out  []byte
	way  []step // where the value that is read stands
	tell func(at string)
	told int
}

// step is a member by its name, as it is spelled, or an element by its place.
type step struct {
	name []byte
	at   int
}

// json redacts a text that is JSON, and tells where within it there was anything: dotted,
// such as .items.0.name; the value itself is empty.
func (r *redactor) json(text []byte, tell func(at string)) []byte {
	w := redacting{reader: reader{rest: text}, find: r, out: make([]byte, 0, len(text)), tell: tell}
	w.value()
	return w.out
}

func (w *redacting) value() {
	at := len(w.way)
	switch kind := w.next(); kind {
	case '{':
		w.take(1)
		w.out = append(w.out, '{')
		w.way = append(w.way, step{})
		for i := 0; w.next() != '}'; i++ {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			name, here := w.find.literal(w.quoted(), '"')
			w.way[at].name = name
			if here {
				w.found()
			}
			w.out = append(append(w.out, name...), ':')
			w.value()
		}
		w.take(1)
		w.out = append(w.out, '}')
	case '[':
		w.take(1)
		w.out = append(w.out, '[')
		w.way = append(w.way, step{})
		for i := 0; w.next() != ']'; i++ {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			w.way[at].at = i
			w.value()
		}
		w.take(1)
		w.out = append(w.out, ']')
	default:
		text := w.reader.value().text
		if kind == '"' || isNumber(kind) {
			var here bool
			if text, here = w.find.literal(text, kind); here {
				w.found()
			}
		}
		w.out = append(w.out, text...)
	}
	w.way = w.way[:at]
}

// where is the place of the value that is read.
func (w *redacting) where() string {
	var at []byte
	for _, s := range w.way {
		at = append(at, '.')
		switch {
		case len(s.name) > longestPlace:
			at = append(at, s.name[1:longestPlace+1]...) // as it is spelled: no more than its beginning is shown
		case s.name != nil:
			at = append(at, unquote(s.name)...)
		default:
			at = strconv.AppendInt(at, int64(s.at), 10)
		}
		if len(at) > longestPlace {
			return shownPlace(at)
		}
	}
	return string(at)
}
