package project

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/quota"
)

// validator compiles the schema with a library that is not ours.
func validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Settings().Schema()))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("project.json", doc))
	s, err := c.Compile("project.json")
	require.NoError(t, err)
	return s
}

func validate(t *testing.T, schema *jsonschema.Schema, content string) error {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(content))
	require.NoError(t, err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return schema.Validate(v)
}

func TestSchemaAgreesWithReader(t *testing.T) {
	schema := validator(t)
	for _, right := range []string{
		wholeProject, "version: 1\npolicy: { ci: record }\n", "version: 1\npolicy: { ci: [ { branch: [a, b], mode: live } ] }\n",
		"version: 1\nrecordings: { max_age: 36h }\n", "version: 1\nallowance: { warn_at: 100% }\n",
		"version: 1\nexec: { env: { A: \"{{}} {token_url}{client_id}\", _b1: \"\" } }\n",
		"version: 1\nschedules: { GB: gb.csv, EU: /data/taric.csv }\n", "version: 1\nrate: [ 20/1m, 25/1s, 99999/24h ]\n",
	} {
		assert.NoError(t, validate(t, schema, right), right)
		_, err := read(t, right, nil)
		assert.NoError(t, err, right)
	}
	for _, wrong := range []string{
		"version: 1\nrate: 20/1m\n", "version: 1\nrate: [ 0/1m ]\n", "version: 1\nrate: [ 20/1d ]\n", "version: 1\nrate: [ 020/1m ]\n",
		"ledger: sqlite:x\n", "version: 2\n", "version: 1\nper_run: -1\n", "version: 1\nper_run: 0\n", "version: 1\nallowance: { granted: -1 }\n", "version: 1\nper_run: many\n",
		"version: 1\npolicy: { mode: fast }\n", "version: 1\npolicy: { ci: fast }\n", "version: 1\npolicy: { ci: [ { mode: fast } ] }\n",
		"version: 1\npolicy: { ci_ledger: mine }\n", "version: 1\npolicy: { on_blocked: wait }\n", "version: 1\npolicy: { loopback: real }\n", "version: 1\npolicy: { unasked: no }\n", "version: 1\npolicy: { sealed: yes }\n", "version: 1\nrecordings: { max_age: old }\n",
		"version: 1\nallowance: { warn_at: 0% }\n", "version: 1\nallowance: { warn_at: 101% }\n", "version: 1\noperations: [ { match: hints, cost: 1 } ]\n",
		"version: 1\npolicy: { on_block: fail }\n", "version: 1\nbudgets: [ { match: { sweet: x } } ]\n", "version: 1\noperations: [ { match: POST /a } ]\n",
		"version: 1\nexec: { env: { 1A: a } }\n", "version: 1\nexec: { env: { A: 1 } }\n", "version: 1\nexec: { env: { A: \"{x}\" } }\n", "version: 1\nschedules: { gb: gb.csv }\n", "version: 1\nschedules: { GB: 1 }\n", "version: 1\nexec: { env: { A: \"}\" } }\n",
	} {
		assert.Error(t, validate(t, schema, wrong), wrong)
		_, err := read(t, wrong, nil)
		assert.Error(t, err, wrong)
	}
}

// fields are the paths of all settings that the type knows.
func fields(t reflect.Type, prefix string) []string {
	switch {
	case t == reflect.TypeFor[Globs](): // written as one or as a list
		return nil
	case t.Kind() == reflect.Slice:
		return fields(t.Elem(), strings.TrimSuffix(prefix, ".")+"[].")
	case t.Kind() != reflect.Struct:
		return nil
	}
	var all []string
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		all = append(all, prefix+name)
		all = append(all, fields(field.Type, prefix+name+".")...)
	}
	return all
}

func TestTheTableHasEverySetting(t *testing.T) {
	rows := []string{"version"}
	for _, s := range Settings().Settings {
		if strings.HasSuffix(s.Path, "[]") {
			continue
		}
		rows = append(rows, s.Path)
		assert.NotEmpty(t, s.Doc, s.Path)
	}
	assert.ElementsMatch(t, fields(reflect.TypeFor[Project](), ""), rows)
}

// The defaults that the table names are those that are used.
func TestDefaults(t *testing.T) {
	for _, s := range Settings().Settings {
		if s.Path == "policy.ci" {
			mode, _ := CIPolicy(nil).Mode(quota.Attribution{Event: "push", Branch: "main", Trusted: "main"})
			assert.Equal(t, mode.String(), s.Default)
		}
	}
}
