package main

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/harness/guard"
	"github.com/hsharness/hsharness/internal/avalara"
)

// projectValidator compiles the schema with a library that is not ours.
func projectValidator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(projectSchema))
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

func TestProjectSchemaAgreesWithParser(t *testing.T) {
	schema := projectValidator(t)
	starter, err := starter.ReadFile("starter/hsharness.yaml")
	require.NoError(t, err)
	for _, right := range []string{
		wholeProject, string(starter), "version: 1\npolicy: { ci: record }\n", "version: 1\npolicy: { ci: [ { branch: [a, b], mode: live } ] }\n",
		"version: 1\nrecordings: { max_age: 36h }\n", "version: 1\nallowance: { warn_at: 100% }\n",
	} {
		assert.NoError(t, validate(t, schema, right), right)
		_, err := read(t, right, nil)
		assert.NoError(t, err, right)
	}
	for _, wrong := range []string{
		"ledger: sqlite:x\n", "version: 2\n", "version: 1\nper_run: -1\n", "version: 1\nallowance: { granted: -1 }\n", "version: 1\nper_run: many\n",
		"version: 1\npolicy: { mode: fast }\n", "version: 1\npolicy: { ci: fast }\n", "version: 1\npolicy: { ci: [ { mode: fast } ] }\n",
		"version: 1\npolicy: { ci_ledger: mine }\n", "version: 1\npolicy: { on_blocked: wait }\n", "version: 1\nrecordings: { max_age: old }\n",
		"version: 1\nallowance: { warn_at: 0% }\n", "version: 1\nallowance: { warn_at: 101% }\n", "version: 1\noperations: [ { match: hints, cost: 1 } ]\n",
		"version: 1\npolicy: { on_block: fail }\n", "version: 1\nbudgets: [ { match: { sweet: x } } ]\n",
	} {
		assert.Error(t, validate(t, schema, wrong), wrong)
		_, err := read(t, wrong, nil)
		assert.Error(t, err, wrong)
	}
}

// settings are the paths of all settings that the parser knows, such as
// policy.ci[].mode.
func settings(t reflect.Type, prefix string) []string {
	switch {
	case t == reflect.TypeFor[oneOrMany](): // written as one or as a list
		return nil
	case t.Kind() == reflect.Slice:
		return settings(t.Elem(), strings.TrimSuffix(prefix, ".")+"[].")
	case t.Kind() != reflect.Struct:
		return nil
	}
	var all []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		all = append(all, prefix+name)
		all = append(all, settings(field.Type, prefix+name+".")...)
	}
	return all
}

// setting is one of them as the schema describes it.
type setting struct{ path, fallback, description string }

// schemaSettings are the schema's properties in its own order.
func schemaSettings(t *testing.T) []setting {
	t.Helper()
	var root yaml.MapSlice
	require.NoError(t, yaml.UnmarshalWithOptions(projectSchema, &root, yaml.UseOrderedMap())) // JSON is YAML
	var all []setting
	var walk func(node yaml.MapSlice, prefix string)
	walk = func(node yaml.MapSlice, prefix string) {
		for _, item := range node {
			switch item.Key {
			case "properties":
				for _, property := range item.Value.(yaml.MapSlice) {
					path, schema := prefix+property.Key.(string), property.Value.(yaml.MapSlice)
					s := setting{path: path}
					for _, about := range schema {
						switch about.Key {
						case "description":
							s.description = about.Value.(string)
						case "default":
							s.fallback = shown(about.Value)
						}
					}
					all = append(all, s)
					walk(schema, path+".")
				}
			case "items":
				walk(item.Value.(yaml.MapSlice), strings.TrimSuffix(prefix, ".")+"[].")
			case "oneOf":
				for _, one := range item.Value.([]any) {
					walk(one.(yaml.MapSlice), prefix)
				}
			}
		}
	}
	walk(root, "")
	return all
}

// shown is a default as one would write it into the file.
func shown(value any) string {
	switch v := value.(type) {
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = shown(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case yaml.MapSlice:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = fmt.Sprintf("%v: %s", item.Key, shown(item.Value))
		}
		return "{ " + strings.Join(items, ", ") + " }"
	}
	return fmt.Sprint(value)
}

func TestProjectSchemaKnowsEverySetting(t *testing.T) {
	var got []string
	for _, s := range schemaSettings(t) {
		got = append(got, s.path)
		assert.NotEmpty(t, s.description, s.path)
	}
	assert.ElementsMatch(t, settings(reflect.TypeFor[project](), ""), got)
}

// The defaults that the schema names are those that are used.
func TestProjectSchemaDefaults(t *testing.T) {
	real := guard.RealSandbox()
	for path, want := range map[string]string{
		"ledger":                               defaultLedger,
		"recordings.dir":                       defaultRecordings,
		"environments.sandbox.identity_url":    real.Identity,
		"environments.sandbox.api_url":         real.APIs[avalara.Current],
		"environments.sandbox.legacy_api_url":  real.APIs[avalara.Legacy],
		"environments.sandbox.managed_api_url": real.APIs[avalara.Managed],
		"policy.ci":                            ciPolicy(nil).mode("push", "main"),
		"policy.exhausted":                     fmt.Sprintf("[{ number: %d }, { status: %d }]", guard.DefaultExhausted()[0].Number, guard.DefaultExhausted()[1].Status),
	} {
		all := schemaSettings(t)
		i := slices.IndexFunc(all, func(s setting) bool { return s.path == path })
		require.GreaterOrEqual(t, i, 0, path)
		assert.Equal(t, want, all[i].fallback, path)
	}
}

// TestProjectFilePage writes the table of the page, and has the parser read its
// example, in which every setting has to be.
func TestProjectFilePage(t *testing.T) {
	const name, begin, end = "../../docs/project-file.md", "<!-- settings: made from the schema by TestProjectFilePage -->\n", "<!-- end of settings -->\n"
	var table strings.Builder
	table.WriteString("| setting | default | meaning |\n|---|---|---|\n")
	for _, s := range schemaSettings(t) {
		fallback := ""
		if s.fallback != "" {
			fallback = "`" + s.fallback + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", s.path, fallback, s.description)
	}
	generatedPart(t, name, begin, end, table.String())

	p := readPage(t, "docs/project-file.md")
	require.Len(t, p.yaml, 1)
	_, err := read(t, p.yaml[0], nil)
	require.NoError(t, err)
	assert.NoError(t, validate(t, projectValidator(t), p.yaml[0]))
	var written map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(p.yaml[0]), &written))
	for _, s := range schemaSettings(t) {
		assert.True(t, has(written, strings.Split(s.path, ".")), "%s is not in the example", s.path)
	}
}

// has tells whether a path is written in a file, in one item of its lists at
// least.
func has(node any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	name, list := strings.CutSuffix(path[0], "[]")
	m, ok := node.(map[string]any)
	if !ok {
		return false
	}
	value, ok := m[name]
	if !ok || !list {
		return ok && has(value, path[1:])
	}
	items, _ := value.([]any)
	return slices.ContainsFunc(items, func(item any) bool { return has(item, path[1:]) })
}
