package strict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// member is a member of a JSON object whose order matters.
type member struct {
	name  string
	value any
}

// object is a JSON object in order.
type object []member

// MarshalJSON keeps the order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(append(append(name, ':'), value...))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshal leaves < and > as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// Schema is the table as a JSON Schema (draft 2020-12).
func (t Table) Schema() []byte {
	root := t.root().schema()
	head := object{{"$schema", "https://json-schema.org/draft/2020-12/schema"}}
	if t.ID != "" {
		head = append(head, member{"$id", t.ID})
	}
	text, err := marshal(append(append(head, member{"title", t.Title}), root...))
	if err != nil {
		panic(err) // strings and numbers only
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", " "); err != nil {
		panic(err) // it was made by package json
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// schema is a node as a schema, its description and default included.
func (n *node) schema() object {
	var s object
	switch n.Kind {
	case Object:
		s = n.objectSchema()
	case List:
		s = object{{"type", "array"}, {"items", n.itemSchema()}}
	case Integer:
		if n.Min == n.Max {
			s = object{{"const", n.Min}}
			break
		}
		s = object{{"type", "integer"}, {"minimum", n.Min}, {"maximum", n.Max}}
	case Decimal:
		s = object{{"type", "number"}, {"minimum", n.Min}, {"maximum", n.Max}}
	case Boolean:
		s = object{{"type", "boolean"}}
	case Text:
		s = n.textSchema()
	case Texts:
		s = object{{"oneOf", []any{n.textSchema(), object{{"type", "array"}, {"items", n.textSchema()}}}}}
	case TextOrList:
		s = object{{"oneOf", []any{n.textSchema(), object{{"type", "array"}, {"items", n.itemSchema()}}}}}
	case TextOrObject:
		s = object{{"oneOf", []any{n.textSchema(), n.objectSchema()}}}
	case TextOrInteger:
		s = object{{"oneOf", []any{n.textSchema(), object{{"type", "integer"}, {"minimum", n.Min}, {"maximum", n.Max}}}}}
	case Map:
		s = object{{"type", "object"}, {"propertyNames", object{{"pattern", n.NameForm}}}, {"additionalProperties", object{{"type", "string"}, {"pattern", n.Form}}}}
	case Anything:
	}
	if n.Default != "" {
		var value any
		if err := yaml.Unmarshal([]byte(n.Default), &value); err != nil {
			panic(fmt.Sprintf("strict: the default of %s: %v", n.Path, err))
		}
		s = append(s, member{"default", value})
	}
	if n.Doc != "" {
		s = append(s, member{"description", n.Doc})
	}
	return s
}

func (n *node) objectSchema() object {
	properties, required := object{}, []string{}
	for _, m := range n.members {
		properties = append(properties, member{m.name, m.schema()})
		if m.Required {
			required = append(required, m.name)
		}
	}
	s := object{{"type", "object"}, {"additionalProperties", false}}
	if len(required) > 0 {
		s = append(s, member{"required", required})
	}
	return append(s, member{"properties", properties})
}

func (n *node) itemSchema() object {
	if n.item != nil {
		return n.item.schema()
	}
	return n.objectSchema()
}

func (n *node) textSchema() object {
	if n.Values != nil {
		return object{{"enum", n.Values}}
	}
	s := object{{"type", "string"}, {"minLength", 1}}
	if n.Form != "" {
		s = append(s, member{"pattern", n.Form})
	}
	return s
}

// Markdown is the table for people: a row for each setting, with what it may be.
func (t Table) Markdown() string {
	var b strings.Builder
	b.WriteString("| setting | what | default | meaning |\n|---|---|---|---|\n")
	all := append([]Setting{t.root().members[0].Setting}, t.Settings...)
	for _, s := range all {
		fallback := ""
		if s.Default != "" {
			fallback = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Path, s.describe(), fallback, s.Doc)
	}
	return b.String()
}

// describe says what a setting may be.
func (s Setting) describe() string {
	text := ""
	switch s.Kind {
	case Object:
		return ""
	case List:
		text = "a list"
	case Integer:
		text = fmt.Sprintf("%d to %d", s.Min, s.Max)
		if s.Min == s.Max {
			text = fmt.Sprint(s.Min)
		}
	case Decimal:
		text = fmt.Sprintf("a number from %d to %d", s.Min, s.Max)
	case Boolean:
		text = "true or false"
	case Text, Texts, TextOrList, TextOrObject, TextOrInteger:
		text = "a text"
		if s.Want != "" {
			text = s.Want
		}
		if s.Values != nil {
			text = strings.Join(s.Values, ", ")
		}
		switch s.Kind {
		case Texts:
			text += ", or a list"
		case TextOrList:
			text += ", or a list"
		case TextOrObject:
			text += ", or an object"
		}
	case Anything:
		text = "anything"
	case Map:
		text = s.Want
	}
	if s.Required {
		text += "; required"
	}
	return text
}
