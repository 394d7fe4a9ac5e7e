package scenario

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strconv"

	"github.com/expr-lang/expr/types"

	"github.com/hsharness/hsharness/internal/dataset"
	"github.com/hsharness/hsharness/internal/files"
)

// maxDataCases is how many cases a matrix with data may have, excluded ones counted.
const maxDataCases = dataset.MaxRows

// Open opens a file of data, by its path with slashes.
type Open func(name string) (io.ReadCloser, error)

// ParseFile is [Parse] for a file on the disk: what matrix.from names is read beside it.
func ParseFile(name string, src []byte) (*Scenario, error) {
	return ParseWith(name, src, func(name string) (io.ReadCloser, error) { return files.Open(name, dataset.MaxBytes) })
}

// Data are rows of a file, each of which is a case. It is never changed after parsing.
type Data struct {
	// From is the file as the scenario names it, and Pos where it does; File is its
	// path, with slashes.
	From string
	Pos  Pos
	File string
	// Columns are the names that row has, nil where the file could not be read, and
	// Texts says that each is a text.
	Columns []string
	Texts   bool
	// Rows are those that where, sample and limit left of All.
	Rows []DataRow
	All  int
	// Digest is the SHA-256 of the file, in hexadecimal digits.
	Digest string
}

// DataRow is one row of a file of data.
type DataRow struct {
	// Name is FILE:LINE as the scenario names the file, and Place as this process opens
	// it. Rows that begin in one line have their column behind it.
	Name, Place string
	Pos         Pos
	// Values are by column.
	Values map[string]any
}

// types are those of row in an expression.
func (data *Data) types() types.Type {
	if data.Columns == nil {
		return types.Any
	}
	out := types.Map{}
	for _, name := range data.Columns {
		out[name] = types.Any
		if data.Texts {
			out[name] = types.String
		}
	}
	return out
}

// data reads matrix.from, and which rows of it are taken. It is nil without one.
func (d *decoder) data(f map[string]entry) *Data {
	from, ok := f["from"]
	if !ok {
		for _, key := range dataKeys[1:] {
			if e, ok := f[key]; ok {
				d.errorf(e.pos, "matrix.%s chooses among the rows of a file: there is no matrix.from", key)
			}
		}
		return nil
	}
	out := &Data{Pos: from.value.at(), From: d.text(from.value, "matrix.from")}
	var rows []dataset.Row
	if out.From != "" {
		rows = d.readData(out)
	}
	d.scope.data = out
	all := rows
	if e, ok := f["where"]; ok {
		where := d.expression(e.value, "matrix.where", inWhere)
		if rows = d.where(out, rows, where); len(all) > 0 && len(rows) == 0 && len(d.errs) == 0 {
			d.errorf(e.value.pos, "where leaves none of the %s of %s", plural(out.All, "row"), out.From)
		}
	}
	sample, sampled := f["sample"]
	if sampled {
		rows = d.sample(sample, rows)
	}
	if e, ok := f["limit"]; ok {
		if limit := d.number(e.value, "matrix.limit", 1); sampled {
			d.errorf(e.pos, "limit takes the first rows and sample any: choose one")
		} else {
			rows = rows[:min(limit, len(rows))]
		}
	}
	out.take(rows, all)
	return out
}

// readData reads the file. It is nil where something is wrong with it.
func (d *decoder) readData(data *Data) []dataset.Row {
	if data.File = data.From; !path.IsAbs(data.From) {
		data.File = path.Join(path.Dir(d.file), data.From)
	}
	if err := dataset.Known(data.From); err != nil {
		d.errorf(data.Pos, "%s", err)
		return nil
	}
	if d.opens == nil {
		d.errorf(data.Pos, "a file of data is read beside a scenario on the disk, and this one is not on it")
		return nil
	}
	file, err := d.opens(data.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.errorf(data.Pos, "there is no file %s", data.File)
		return nil
	case err != nil:
		d.errorf(data.Pos, "%s", err)
		return nil
	}
	defer func() { _ = file.Close() }() // it was read
	set, err := dataset.Read(data.File, file)
	var wrong dataset.Errors
	switch {
	case errors.As(err, &wrong):
		excerpt := &excerpts{}
		for _, e := range wrong {
			d.tell(&Error{File: e.File, Pos: Pos{e.Line, e.Column}, Msg: e.Msg, Source: e.Source, excerpt: excerpt})
		}
		return nil
	case err != nil:
		d.errorf(data.Pos, "%s: %s", data.File, err)
		return nil
	}
	data.Columns, data.Texts, data.All, data.Digest = set.Columns, set.Texts, len(set.Rows), set.Digest
	if !set.Texts {
		for _, r := range set.Rows {
			numbered(r.Values)
		}
	}
	return set.Rows
}

// where keeps the rows of which an expression is true.
func (d *decoder) where(data *Data, rows []dataset.Row, where *Expr) []dataset.Row {
	if where == nil {
		return rows
	}
	var out []dataset.Row
	before, left := len(d.errs), maxAllSteps
	for i, r := range rows {
		ok, err := where.Test(Env{Row: r.Values, left: &left})
		if left < 0 {
			d.errorf(where.Pos, "where takes more than %d steps for %d of %s, the most that it may take for all: ask for less of each", maxAllSteps, i+1, plural(len(rows), "row"))
			return nil
		}
		if err != nil {
			d.tell(&Error{File: data.File, Pos: Pos{r.Line, r.Column}, Msg: "where can't tell of this row: " + err.Error()})
			if len(d.errs)-before >= maxWrongRows {
				break
			}
		}
		if ok {
			out = append(out, r)
		}
	}
	return out
}

// maxWrongRows is how many rows are told of which where can't tell.
const maxWrongRows = 20

// sample reads how many rows are drawn, and draws them.
func (d *decoder) sample(e entry, rows []dataset.Row) []dataset.Row {
	f := d.fields(e.value, "sample")
	if f == nil {
		return rows
	}
	n, ok := f["n"]
	if !ok {
		d.errorf(e.pos, `sample: missing key "n": how many rows`)
		return rows
	}
	count, seed := d.number(n.value, "n", 1), 0
	if s, ok := f["seed"]; ok {
		seed = d.number(s.value, "seed", 0)
	}
	return dataset.Sample(rows, count, uint64(seed)) //nolint:gosec // it was found not to be negative
}

// take makes cases of rows, and gives each its name.
func (data *Data) take(rows, all []dataset.Row) {
	alike := make(map[int]int, len(all)) // rows that begin in a line
	for _, r := range all {
		alike[r.Line]++
	}
	data.Rows = make([]DataRow, len(rows))
	for i, r := range rows {
		at := ":" + strconv.Itoa(r.Line)
		if alike[r.Line] > 1 {
			at += ":" + strconv.Itoa(r.Column)
		}
		data.Rows[i] = DataRow{Name: data.From + at, Place: data.File + at, Pos: Pos{r.Line, r.Column}, Values: r.Values}
	}
}
