package strictjson

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// object reads the members of a struct, whose brace was at a byte.
func (r *reader) object(path string, at int, t reflect.Type) error {
	fields := fieldsOf(t)
	seen := map[string]bool{}
	err := r.members(path, func(name string) (reflect.Type, bool) {
		seen[name] = true
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if i < 0 {
			return nil, false
		}
		return fields[i].t, true
	})
	if err != nil {
		return err
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			return &Error{at, join(path, f.name), "is missing"}
		}
	}
	return nil
}

// members reads the members of an object up to its end.
func (r *reader) members(path string, typeOf func(name string) (reflect.Type, bool)) error {
	seen := map[string]bool{}
	for r.dec.More() {
		token, at, err := r.token(path)
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder takes nothing else for a name
		member := join(path, name)
		if seen[name] {
			return &Error{at, member, "is there twice"}
		}
		seen[name] = true
		t, ok := typeOf(name)
		if !ok {
			return &Error{at, member, "is unknown"}
		}
		if err := r.value(member, t); err != nil {
			return err
		}
	}
	_, _, err := r.token(path)
	return err
}

func (r *reader) list(path string, t reflect.Type) error {
	for i := 0; r.dec.More(); i++ {
		if err := r.value(fmt.Sprintf("%s[%d]", path, i), t); err != nil {
			return err
		}
	}
	_, _, err := r.token(path)
	return err
}

// anything reads the rest of a value that is free, and looks for members that are
// there twice.
func (r *reader) anything(path string, begun json.Token) error {
	free := reflect.TypeFor[any]()
	switch begun {
	case json.Delim('{'):
		return r.members(path, func(string) (reflect.Type, bool) { return free, true })
	case json.Delim('['):
		return r.list(path, free)
	}
	return nil
}

// field is a member of a struct.
type field struct {
	name     string
	t        reflect.Type
	required bool
}

// fieldsOf are the members of a struct, those of embedded ones included.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "" && f.Type.Kind() == reflect.Struct:
			all = append(all, fieldsOf(f.Type)...)
		case tag == "-" || !f.IsExported():
		default:
			if tag == "" {
				tag = f.Name
			}
			all = append(all, field{tag, f.Type, !strings.Contains(options, "omit")})
		}
	}
	return all
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }
