package strictjson

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// object reads the members of a struct, whose brace was at a byte.
func (r *reader) object(p *path, at int, t reflect.Type) error {
	fields := fieldsOf(t)
	seen := map[string]bool{}
	err := r.members(p, func(name string) (reflect.Type, bool) {
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
			return &Error{at, p.member(f.name).String(), "is missing"}
		}
	}
	return nil
}

// members reads the members of an object up to its end.
func (r *reader) members(p *path, typeOf func(name string) (reflect.Type, bool)) error {
	seen := map[string]bool{}
	for r.dec.More() {
		token, at, err := r.token(p)
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder takes nothing else for a name
		member := p.member(name)
		if seen[name] {
			return &Error{at, member.String(), "is there twice"}
		}
		seen[name] = true
		t, ok := typeOf(name)
		if !ok {
			return &Error{at, member.String(), "is unknown"}
		}
		if err := r.value(member, t); err != nil {
			return err
		}
	}
	_, _, err := r.token(p)
	return err
}

func (r *reader) list(p *path, t reflect.Type) error {
	for item := p.items(); r.dec.More(); item.item++ {
		if err := r.value(item, t); err != nil {
			return err
		}
	}
	_, _, err := r.token(p)
	return err
}

// anything reads the rest of a value that is free, and looks for members that are
// there twice.
func (r *reader) anything(p *path, begun json.Token) error {
	free := reflect.TypeFor[any]()
	switch begun {
	case json.Delim('{'):
		return r.members(p, func(string) (reflect.Type, bool) { return free, true })
	case json.Delim('['):
		return r.list(p, free)
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
