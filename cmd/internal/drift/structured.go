package drift

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// structured is a body that is no JSON value as one: XML, several JSON values, or a table
// whose first line names its columns. Nil is a text.
func structured(body []byte) any {
	for _, read := range []func([]byte) any{values, elements, table} {
		if v := read(body); v != nil {
			return v
		}
	}
	return nil
}

// What is compared value by value at most: as many bytes as the guard takes of an answer,
// for the values of some are twenty times as large, and as many bytes of the places of all
// values, of which one name of a megabyte makes each as long.
const (
	maxCompared = 16 << 20
	maxPlaces   = 32 << 20
)

var errTooLarge = errors.New("too large to be compared by its values")

// hasPlaces tells whether the places of all values in one can be written out.
func hasPlaces(v any) bool {
	left := maxPlaces
	var take func(v any, at int) bool
	take = func(v any, at int) bool {
		if left -= at; left < 0 {
			return false
		}
		switch v := v.(type) {
		case map[string]any:
			for name, below := range v {
				if !take(below, at+len(name)+1) {
					return false
				}
			}
		case []any:
			for _, below := range v {
				if !take(below, at+2) {
					return false
				}
			}
		}
		return true
	}
	return take(v, 0)
}

// values are those of a body with several JSON values.
func values(body []byte) any {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var all []any
	for {
		var v any
		switch err := d.Decode(&v); {
		case errors.Is(err, io.EOF) && len(all) > 1:
			return all
		case err != nil:
			return nil
		}
		all = append(all, v)
	}
}

// maxDepth bounds how deep elements are read.
const maxDepth = 1000

// elements is an XML document: of an element its attributes and elements, each name's as a
// list where there are several, or its text.
func elements(body []byte) any {
	d := xml.NewDecoder(bytes.NewReader(body))
	root := map[string]any{}
	stack := []map[string]any{root}
	text := [][]byte{nil}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(stack) == 1 && len(root) > 0 {
			return root
		}
		if err != nil || len(stack) > maxDepth {
			return nil
		}
		switch token := token.(type) {
		case xml.StartElement:
			of := map[string]any{}
			for _, a := range token.Attr {
				of[a.Name.Local] = a.Value
			}
			stack, text = append(stack, of), append(text, nil)
		case xml.CharData:
			text[len(text)-1] = append(text[len(text)-1], token...)
		case xml.EndElement:
			last := len(stack) - 1
			var v any = stack[last]
			said := strings.TrimSpace(string(text[last]))
			if len(stack[last]) == 0 {
				v = said
			} else if said != "" {
				stack[last][token.Name.Local] = said
			}
			stack, text = stack[:last], text[:last]
			insert(stack[last-1], token.Name.Local, v)
		}
	}
}

// insert puts one more value under a name.
func insert(into map[string]any, name string, v any) {
	switch before, ok := into[name]; {
	case !ok:
		into[name] = v
	default:
		list, isList := before.([]any)
		if !isList {
			list = []any{before}
		}
		into[name] = append(list, v)
	}
}

// table is a text of lines with as many fields each, of which there are two at least, by
// the names in the first; nil for another.
func table(body []byte) any {
	for _, comma := range []rune{',', ';', '\t'} {
		r := csv.NewReader(bytes.NewReader(body))
		r.Comma = comma
		lines, err := r.ReadAll() // which wants as many fields in each
		if err != nil || len(lines) < 2 || len(lines[0]) < 2 {
			continue
		}
		var all []any
		for _, line := range lines[1:] {
			row := map[string]any{}
			for i, field := range line {
				row[lines[0][i]] = field
			}
			all = append(all, row)
		}
		return all
	}
	return nil
}
