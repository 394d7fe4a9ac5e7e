package dataset_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/dataset"
)

// places writes a set as it was read: each row's place and its values as JSON.
func places(t *testing.T, s *dataset.Set) []string {
	t.Helper()
	var out []string
	for _, r := range s.Rows {
		text, err := json.Marshal(r.Values)
		require.NoError(t, err)
		out = append(out, strconv.Itoa(r.Line)+":"+strconv.Itoa(r.Column)+" "+string(text))
	}
	return out
}

// gzipped is a text as gzip.
func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text) // into memory
	_ = w.Close()
	return b.String()
}

func TestRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name, text string
		want       []string
	}{
		"csv": {"t.csv", "title,code\nwool scarf,6214\n\"a, \"\"b\"\"\nc\",0901\n\nlast,1\n",
			[]string{`2:1 {"code":"6214","title":"wool scarf"}`, `3:1 {"code":"0901","title":"a, \"b\"\nc"}`, `6:1 {"code":"1","title":"last"}`}},
		"a byte order mark and CRLF":        {"t.csv", "\ufefftitle,code\r\nscarf,6214\r\n", []string{`2:1 {"code":"6214","title":"scarf"}`}},
		"without a line break at its end":   {"T.CSV", "a\nb", []string{`2:1 {"a":"b"}`}},
		"semicolons":                        {"t.csv", "title;code\na,b;1\n", []string{`2:1 {"code":"1","title":"a,b"}`}},
		"a semicolon in a cell":             {"t.csv", "title,code\na;b,1\n", []string{`2:1 {"code":"1","title":"a;b"}`}},
		"tabs":                              {"t.tsv", "title\tcode\na, b\t1\n", []string{`2:1 {"code":"1","title":"a, b"}`}},
		"spaces are kept, and empty cells":  {"t.csv", "a,b\n x ,\n", []string{`2:1 {"a":" x ","b":""}`}},
		"json":                              {"t.json", "[\n {\"a\": 1, \"b\": [true, null]},\n\n {\"b\": [], \"a\": 1.50}, {\"a\": 2, \"b\": [{\"x\": \"y\"}]}\n]", []string{`2:2 {"a":1,"b":[true,null]}`, `4:2 {"a":1.50,"b":[]}`, `4:24 {"a":2,"b":[{"x":"y"}]}`}},
		"null goes with any kind":           {"t.json", `[{"a":null},{"a":"x"},{"a":null}]`, []string{`1:2 {"a":null}`, `1:13 {"a":"x"}`, `1:23 {"a":null}`}},
		"a line each":                       {"t.jsonl", "{\"a\":1}\n\n  {\"a\":2}\r\n", []string{`1:1 {"a":1}`, `3:1 {"a":2}`}},
		"by its other name":                 {"t.ndjson", "{\"a\":1}", []string{`1:1 {"a":1}`}},
		"columns count characters":          {"t.json", `[{"é":"ß"}, {"é":"ü"}]`, []string{`1:2 {"é":"ß"}`, `1:13 {"é":"ü"}`}},
		"compressed":                        {"t.csv.gz", gzipped("a\n1\n"), []string{`2:1 {"a":"1"}`}},
		"compressed, in two parts":          {"t.tsv.GZ", gzipped("a\n1\n") + gzipped("2\n"), []string{`2:1 {"a":"1"}`, `3:1 {"a":"2"}`}},
		"compressed json":                   {"t.json.gz", gzipped(`[{"a":"1"}]`), []string{`1:2 {"a":"1"}`}},
		"a small file that packs very well": {"t.csv.gz", gzipped("a\n" + strings.Repeat("x\n", 90_000)), nil},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, err := dataset.Read(tt.name, strings.NewReader(tt.text))
			require.NoError(t, err)
			assert.Len(t, s.Digest, 64)
			if tt.want != nil {
				assert.Equal(t, tt.want, places(t, s))
			}
		})
	}
}

func TestWrong(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ name, text, want string }{
		"a cell too many":        {"t.csv", "title,code\na,1\nb, c,2\n", `t.csv:3:6: the row has 3 cells, and the first line names 2 columns (title, code): a text that holds commas is written in "…"`},
		"a cell too few":         {"t.csv", "title,code\na\n", `t.csv:2:1: the row has 1 cell, and the first line names 2 columns (title, code)`},
		"two bad rows":           {"t.csv", "a,b\n1\n1,2\n1,2,3\n", "t.csv:2:1: the row has 1 cell, and the first line names 2 columns (a, b)\nt.csv:4:5: the row has 3 cells, and the first line names 2 columns (a, b): a text that holds commas is written in \"…\""},
		"a quote in a cell":      {"t.csv", "a,b\né,15\" x\n", `t.csv:2:5: a quote within a cell: write the cell as "…", with each quote in it twice`},
		"after a quote":          {"t.csv", "a,b\n\"x\" y,1\n", `t.csv:2:3: after the quote that closes a cell comes the next one: a quote within a cell is written twice`},
		"an open quote":          {"t.csv", "a,b\n1,2\n\"x,1\n2,3\n", `t.csv:3:1: a quote is opened in this row and never closed`},
		"two columns alike":      {"t.csv", "a,b,a\n1,2,3\n", `t.csv:1:5: two columns are called a: the other one is column 1`},
		"a column without name":  {"t.csv", "a,,b\n1,2,3\n", `t.csv:1:3: column 2 has no name`},
		"a space in a name":      {"t.csv", "a, b\n1,2\n", `t.csv:1:3: the name of column 2 begins or ends with a space: " b"`},
		"a line break in a name": {"t.csv", "a,\"b\nc\"\n1,2\n", `t.csv:1:3: the name of column 2 holds a control character: "b\nc"`},
		"line ends of old Macs":  {"t.csv", "a,b\r1,2\r", `t.csv:1:3: the name of column 2 holds a control character: "b\r1"`},
		"no UTF-8":               {"t.csv", "title\nfine\nca\xe9\n", `t.csv:3:3: the byte 0xe9 is no UTF-8: save the file as UTF-8`},
		"UTF-16":                 {"t.csv", "\xff\xfea\x00", `t.csv:1:1: the file is UTF-16: save it as UTF-8`},
		"a zero byte":            {"t.csv", "a\nx\x00\n", `t.csv:2:2: the file holds a zero byte: it is no text`},
		"nothing":                {"t.csv", "", `t.csv:1:1: the file is empty: its first line names the columns`},
		"no row":                 {"t.csv", "a,b\n", `t.csv:2:1: there is no row in it`},
		"an empty array":         {"t.json", "[]", `t.json:1:3: there is no row in it`},
		"an empty json":          {"t.json", " \n", `t.json:1:1: the file is empty: it holds an array of objects, [ { … }, … ]`},
		"an object":              {"t.json", "{\"a\": []}", `t.json:1:1: the file holds an object, and a table is an array of objects, [ { … }, … ]`},
		"no json":                {"t.json", "[\n {\"a\": 1},\n {\"a\": oops}\n]", `t.json:3:8: no JSON: invalid character 'o' looking for beginning of value`},
		"json that ends":         {"t.json", "[{\"a\":1}", `t.json:1:9: no JSON: unexpected end of JSON input`},
		"a row that is a text":   {"t.json", "[\n{\"a\":1},\n\"x\"]", `t.json:3:1: row 2 is a text, and a row is an object, { … }`},
		"a row without columns":  {"t.json", "[{}]", `t.json:1:2: the first row has no columns`},
		"a column less":          {"t.jsonl", "{\"a\":1,\"b\":2}\n{\"a\":1}\n", `t.jsonl:2:1: the row has no "b", which the first one has: write null where it has no value`},
		"a column more":          {"t.jsonl", "{\"a\":1}\n{\"a\":1, \"c\":2}\n", `t.jsonl:2:9: the row has "c", which the first one has not: its columns are a`},
		"a column twice":         {"t.jsonl", "{\"a\":1}\n{\"a\":1,\"a\":2}\n", `t.jsonl:2:8: "a" is there twice in this row`},
		"twice further in":       {"t.jsonl", "{\"a\":{\"x\":1,\"x\":2}}\n", `t.jsonl:1:13: "x" is there twice in an object`},
		"another kind":           {"t.jsonl", "{\"code\":\"0901\"}\n{\"code\":901}\n", `t.jsonl:2:9: code is a number here, and a text in line 1`},
		"two in a line":          {"t.jsonl", "{\"a\":1} {\"a\":2}\n", `t.jsonl:1:9: no JSON: invalid character '{' after top-level value`},
		"no format":              {"deep/t.xlsx", "", `deep/t.xlsx:1:1: t.xlsx is no table that can be read: want .csv, .tsv, .json, .jsonl or .ndjson, or one of these with .gz`},
		"no gzip":                {"t.csv.gz", "a\n1\n", `t.csv.gz:1:1: the compressed data is damaged after 4 bytes: unexpected EOF`},
	}
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			_, err := dataset.Read(tt.name, strings.NewReader(tt.text))
			var errs dataset.Errors
			require.ErrorAs(t, err, &errs)
			assert.EqualError(t, err, tt.want)
			for _, e := range errs {
				if len(tt.text) > 0 && tt.name[len(tt.name)-1] != 'z' && e.Line <= strings.Count(tt.text, "\n") {
					line := strings.Split(strings.ToValidUTF8(strings.TrimPrefix(tt.text, "\ufeff"), "\ufffd"), "\n")[e.Line-1]
					assert.Equal(t, strings.TrimSuffix(line, "\r"), e.Source)
				}
			}
		})
	}
}

// A file that is cut or changed on its way is refused, wherever that is.
func TestDamagedGzip(t *testing.T) {
	t.Parallel()
	whole := gzipped("a,b\n1,2\n3,4\n")
	for i := range len(whole) {
		_, err := dataset.Read("t.csv.gz", strings.NewReader(whole[:i]))
		require.ErrorContains(t, err, "the compressed data is damaged after "+strconv.Itoa(i)+" bytes", "cut at %d", i)
	}
	for i := 10; i < len(whole); i++ { // behind a header whose time and system say nothing
		changed := []byte(whole)
		changed[i] ^= 0x10
		_, err := dataset.Read("t.csv.gz", bytes.NewReader(changed))
		require.Error(t, err, "changed at %d", i)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	read := func(l dataset.Limits, name, text string) error {
		_, err := l.Read(name, strings.NewReader(text))
		return err
	}
	rows := "a\n" + strings.Repeat("x\n", 10)
	require.NoError(t, read(dataset.Limits{Rows: 10, Bytes: int64(len(rows))}, "t.csv", rows))
	require.EqualError(t, read(dataset.Limits{Rows: 9}, "t.csv", rows), "t.csv:11:1: the file has more than 9 rows, and no more are read: cut it into several files")
	require.EqualError(t, read(dataset.Limits{Rows: 1}, "t.json", `[{"a":1},{"a":2}]`), "t.json:1:10: the file has more than 1 rows, and no more are read: cut it into several files")
	require.EqualError(t, read(dataset.Limits{Rows: 1}, "t.jsonl", "{\"a\":1}\n{\"a\":2}\n"), "t.jsonl:2:1: the file has more than 1 rows, and no more are read: cut it into several files")
	require.EqualError(t, read(dataset.Limits{Bytes: 21}, "t.csv", rows), "t.csv:1:1: the file has more than 21 bytes, and no more are read of a table: cut it into several files")
	require.EqualError(t, read(dataset.Limits{Bytes: 21}, "t.csv.gz", gzipped(rows)), "t.csv.gz:1:1: the file has more than 21 bytes, and no more are read of a table: cut it into several files")

	bomb := gzipped("a\n" + strings.Repeat("x\n", dataset.MinPacked))
	require.Less(t, len(bomb)*dataset.MaxRatio, 2*dataset.MinPacked)
	require.ErrorContains(t, read(dataset.Limits{}, "t.csv.gz", bomb), ", more than 100 times as many: no table packs like that")

	var all []string
	for range 30 {
		all = append(all, "1,2,3")
	}
	err := read(dataset.Limits{}, "t.csv", "a,b\n"+strings.Join(all, "\n"))
	var errs dataset.Errors
	require.ErrorAs(t, err, &errs)
	require.Len(t, errs, 21)
	assert.Equal(t, "and perhaps more: the rest was not looked at, after 20 bad rows", errs[20].Msg)
}

// What is wrong in one row is told as often as what is wrong in many, and a row has an
// end: a file of some megabytes took minutes and all memory.
func TestOneRowHasAnEnd(t *testing.T) {
	t.Parallel()
	many := func(n int, text string) string { return strings.Repeat(text, n) }
	read := func(l dataset.Limits, name, text string) (errs dataset.Errors) {
		_, err := l.Read(name, strings.NewReader(text))
		require.ErrorAs(t, err, &errs)
		return errs
	}
	wide := "the row has more than 1000 columns, and no more are read: keep those that are used"
	var members []string
	for i := range 1001 {
		members = append(members, strconv.Quote("c"+strconv.Itoa(i))+":1")
	}
	for name, text := range map[string]string{
		"t.csv": "a" + many(1_000_000, ","), "u.csv": "a;b" + many(1000, ";"), "t.tsv": "a\tb\n" + many(1000, "\t"),
		"t.json": "[{" + strings.Join(members, ",") + "}]", "t.jsonl": "{" + strings.Join(members, ",") + "}",
	} {
		errs := read(dataset.Limits{}, name, text)
		require.Len(t, errs, 1, name)
		assert.Equal(t, wide, errs[0].Msg, name)
	}
	_, err := dataset.Read("t.csv", strings.NewReader("a,b\n\""+many(5000, ",")+"\",1\n"))
	require.NoError(t, err, "commas within a cell")
	for name, text := range map[string]string{"t.csv": "a" + many(900, ","), "t.json": `[{"a":1},{` + strings.Join(members[:900], ",") + `}]`, "u.json": `[{"a":{"x":1` + many(900, `,"x":1`) + `}}]`} {
		errs := read(dataset.Limits{}, name, text)
		require.Len(t, errs, 21, name)
		assert.Equal(t, "and perhaps more: the rest was not looked at, after 20 bad rows", errs[20].Msg, name)
	}
	assert.Equal(t, "t.csv:4:1: the file has more than 3 cells, and no more are read: keep the columns that are used, or cut it into several files",
		read(dataset.Limits{Cells: 3}, "t.csv", "a,b\n1,2\n3,4\n5,6\n").Error())
	assert.Contains(t, read(dataset.Limits{Cells: 1}, "t.jsonl", "{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n").Error(), "t.jsonl:1:12: the file has more than 1 cells")
	assert.Contains(t, read(dataset.Limits{Cells: 5}, "t.json", `[{"a":[1,[2],{"x":3}]}]`).Error(), "t.json:1:19: the file has more than 5 cells", "what is within a value counts, too")
	deep := many(101, "[") + many(101, "]")
	assert.Equal(t, `t.jsonl:1:106: the value is nested more than 100 deep, and no more is read`, read(dataset.Limits{}, "t.jsonl", `{"a":`+deep+"}").Error())
	assert.Len(t, read(dataset.Limits{}, "t.jsonl", many(9, `{"a":`+deep+"}\n")), 9, "of that line")
	_, err = dataset.Read("t.jsonl", strings.NewReader(`{"a":`+deep[1:201]+"}"))
	require.NoError(t, err)
}

// A table of 100,000 rows in one line is read in one go: by looking for the end of the line
// at each row it took minutes.
func TestManyRowsInOneLine(t *testing.T) {
	t.Parallel()
	s, err := dataset.Read("t.json", strings.NewReader(`[{"é":"`+strings.Repeat("x", 200)+`"}`+strings.Repeat(`,{"é":"`+strings.Repeat("y", 200)+`"}`, dataset.MaxRows-1)+`]`))
	require.NoError(t, err)
	require.Len(t, s.Rows, dataset.MaxRows)
	last := s.Rows[dataset.MaxRows-1]
	assert.Equal(t, [2]int{1, 2 + (dataset.MaxRows-1)*209}, [2]int{last.Line, last.Column})
}

// Who can't be read is told as it is: it is no fault of the table.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for _, name := range []string{"t.csv", "t.csv.gz"} {
		_, err := dataset.Read(name, io.MultiReader(strings.NewReader(gzipped("a\n1\n")[:12]), failing{broken}))
		assert.ErrorIs(t, err, broken, name)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
