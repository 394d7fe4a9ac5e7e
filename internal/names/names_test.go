package names

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFill(t *testing.T) {
	t.Parallel()
	given := []string{"HSHARNESS_TOKEN_URL=http://127.0.0.1:1/connect/token", "HSHARNESS_API_URL=http://127.0.0.1:2"}
	for text, want := range map[string]string{
		"":                      "",
		"{token_url}":           "http://127.0.0.1:1/connect/token",
		"{api_url}/x{api_url}":  "http://127.0.0.1:2/xhttp://127.0.0.1:2",
		`{{"a":"{api_url}"}}`:   `{"a":"http://127.0.0.1:2"}`,
		"{{token_url}}":         "{token_url}",
		"{{{token_url}}}":       "{http://127.0.0.1:1/connect/token}",
		"$HOME %s=%d äé\n":      "$HOME %s=%d äé\n",
		"{control_url}":         "",
		"a={client_id}{{}}{{{{": "a={}{{",
	} {
		v, err := Parse("A=" + text)
		require.NoError(t, err, text)
		assert.Equal(t, []string{"A=" + want}, List{v}.Fill(given), text)
	}
}

// The schema takes the texts and names that the reader takes.
func TestFormsAgreeWithChecks(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(TextForm())
	for _, text := range []string{
		"", "a", "{token_url}", "{{", "}}", "{", "}", "{token_url", "token_url}", "{Token_url}", "{ token_url }", "{}", "{{}", "{}}", "{{{", "{{{api_url}",
		"{control_token}", "${HOME}", "{token_url}}", "{{token_url}", "a\nb{",
	} {
		assert.Equal(t, form.MatchString(text), CheckText(text) == nil, "%q", text)
	}
	for name, ok := range map[string]bool{"A": true, "_": true, "a1": true, "": false, "1": false, "A-B": false, "A B": false, "A.B": false, "Ä": false, "A\n": false, "HSHARNESS": true, "XHSHARNESS_A": true, "HSHARNESS_": false, "Hsharness_a": false} {
		assert.Equal(t, ok, CheckName(name) == nil, "%q", name)
	}
}

func TestHandedOn(t *testing.T) {
	t.Parallel()
	l := List{{"B", `{api_url} "'{{ä`}, {"A", ""}}
	environ := l.With([]string{"HSHARNESS_API_URL=x"})
	require.Len(t, environ, 4)
	got, err := Handed(func(name string) string { return find(environ, name) })
	require.NoError(t, err)
	assert.Equal(t, List{{"A", ""}, {"B", `{api_url} "'{{ä`}}, got)
	assert.Equal(t, []string{"x=y"}, List(nil).With([]string{"x=y"}))
	for _, wrong := range []string{"x", "[]", `{"A":1}`, `{"A":"{x}"}`, `{"HSHARNESS_A":"b"}`} {
		_, err := Handed(func(string) string { return wrong })
		assert.ErrorContains(t, err, "HSHARNESS_EXEC_ENV", wrong)
	}
	assert.Equal(t, List{{"A", "1"}, {"B", "2"}}, List{{"A", "1"}}.Over(List{{"A", "2"}, {"B", "2"}}))
}
