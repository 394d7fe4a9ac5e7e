package mockapi

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"text/template"

	"github.com/hsharness/hsharness/internal/mockapi/catalogue"
)

// builtInTemplates are the assumed shapes of the /hscode operations.
//
//go:embed templates
var builtInTemplates embed.FS

// requestFile says under which names a request carries what it says; the others
// are the answers.
const (
	requestFile  = "request.json"
	classifyFile = "classify.json"
	enhancedFile = "enhanced.json"
	hintsFile    = "hints.json"
	fromHS6File  = "classify_from_hs6.json"
)

var answerFiles = []string{classifyFile, enhancedFile, hintsFile, fromHS6File}

// templates are the shapes of the /hscode operations.
type templates struct {
	names  requestNames
	answer *template.Template // one for each of answerFiles
}

// requestNames are the names of members, the better first. They match whatever
// their case, with or without _ and -.
type requestNames struct {
	Description []string `json:"description"`
	More        []string `json:"more"` // texts that count less
	Material    []string `json:"material"`
	Country     []string `json:"country"`
	HS6         []string `json:"hs6"`
	Inside      []string `json:"inside"` // objects that may hold the others
	Items       []string `json:"items"`  // the array of a batch
}

// answerData is what a template sees.
type answerData struct {
	Text       string  // what the request calls the goods
	HS6        string  // the six digits that a batch's item gives
	Country    *string // nil where the request names none
	Found      []match // best first
	Resolution string  // why Found is empty
	Items      []answerData
}

// match is a code that was found.
type match struct {
	Code       string // as long as the country's codes
	Title      string
	Confidence float64
}

// assumedTemplates are the built-in ones, read at the first call.
var assumedTemplates = sync.OnceValues(func() (*templates, error) { return readTemplates(nil) })

// loadTemplates reads a Config's templates.
func loadTemplates(own fs.FS) (*templates, error) {
	if own == nil {
		return assumedTemplates()
	}
	return readTemplates(own)
}

// readTemplates takes each file from own where it is there, else the built-in
// one, and tries all of them: what makes no JSON is known at the start.
func readTemplates(own fs.FS) (*templates, error) {
	if err := knownFiles(own); err != nil {
		return nil, err
	}
	t := &templates{answer: template.New("").Option("missingkey=error").Funcs(template.FuncMap{"json": encoded})}
	data, err := templateFile(own, requestFile)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	err = dec.Decode(&t.names)
	offset := dec.InputOffset()
	if more := bytes.TrimLeft(data[offset:], " \t\r\n"); err == nil && len(more) > 0 {
		offset, err = int64(len(data)-len(more)), errors.New("more follows after its end")
	}
	if err != nil {
		var bad *json.SyntaxError
		if errors.As(err, &bad) {
			offset = bad.Offset - 1
		}
		line, column := position(data, offset)
		return nil, fmt.Errorf("%s:%d:%d: %w", requestFile, line, column, err)
	}
	for _, list := range []*[]string{
		&t.names.Description, &t.names.More, &t.names.Material, &t.names.Country, &t.names.HS6, &t.names.Inside, &t.names.Items,
	} {
		for i, name := range *list {
			(*list)[i] = plainName(name)
		}
	}
	for _, name := range answerFiles {
		data, err := templateFile(own, name)
		if err != nil {
			return nil, err
		}
		if _, err := t.answer.New(name).Parse(string(data)); err != nil {
			return nil, errors.New(strings.TrimPrefix(err.Error(), "template: ")) // name:line: …
		}
	}
	if err := bound(t.answer); err != nil {
		return nil, err
	}
	for _, name := range answerFiles {
		for _, sample := range samples() {
			if _, err := t.render(name, sample); err != nil {
				return nil, fmt.Errorf("%w, with %d found", err, len(sample.Found))
			}
		}
	}
	return t, nil
}

// knownFiles refuses a file whose name is a slip.
func knownFiles(own fs.FS) error {
	if own == nil {
		return nil
	}
	entries, err := fs.ReadDir(own, ".")
	if err != nil {
		return err
	}
	known := append([]string{requestFile}, answerFiles...)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(known, e.Name()) {
			return fmt.Errorf("template %s is none of %s", e.Name(), strings.Join(known, ", "))
		}
	}
	return nil
}

func templateFile(own fs.FS, name string) ([]byte, error) {
	if own != nil {
		if data, err := fs.ReadFile(own, name); !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	return builtInTemplates.ReadFile("templates/" + name)
}

// samples are what templates are tried with: a product that is found, and one
// that is not, without a country.
func samples() []answerData {
	country := "US"
	found := answerData{
		Text: `T-shirt, "M" <cotton>`, HS6: "610910", Country: &country,
		Found: []match{{"6109100000", "T-shirt", 0.9}, {"6109900000", "T-shirt of another fibre", 0.4}},
	}
	found.Items = []answerData{found, found}
	return []answerData{found, {Text: "thing", Resolution: catalogue.NotEnough}}
}

// render makes an answer.
func (t *templates) render(name string, data answerData) (json.RawMessage, error) {
	out := answerText{name: name}
	var compact bytes.Buffer
	if err := t.answer.ExecuteTemplate(&out, name, data); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "template: "))
	}
	if err := json.Compact(&compact, out.made.Bytes()); err != nil {
		return nil, fmt.Errorf("%s makes an answer that is no JSON: %w", name, err)
	}
	return compact.Bytes(), nil
}

// maxAnswerText is how long an answer may be that a template makes, in bytes: as long as the
// guard takes one from the service. A template may have loops.
const maxAnswerText = 16 << 20

// answerText is what a template made so far.
type answerText struct {
	name  string // of the template
	made  bytes.Buffer
	turns int // see countTurns
}

// Write implements [io.Writer].
func (a *answerText) Write(p []byte) (int, error) {
	if len(p) == 0 {
		if a.turns++; a.turns > maxTurns {
			return 0, fmt.Errorf("%s %w", a.name, errTurns)
		}
	}
	if a.made.Len()+len(p) > maxAnswerText {
		return 0, fmt.Errorf("%s makes an answer of more than %d MB", a.name, maxAnswerText>>20)
	}
	return a.made.Write(p)
}

// encoded is a value as JSON, for templates.
func encoded(v any) (string, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// position is where a byte of a text stands, from 1.
func position(text []byte, offset int64) (line, column int) {
	before := text[:min(offset, int64(len(text)))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}
