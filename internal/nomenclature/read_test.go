package nomenclature_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/nomenclature"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"code,description\n6109100090,Other\n0101.21.00.00,Horses\n6109100010,T-shirts\n",
		"\ufeffDescription;Code;Duty\r\nOther;6109100090;12%\r\nT-shirts;6109 10 00 10;12%\r\nHorses;0101210000;0\r\n",
	} {
		table, err := nomenclature.Read("tariff/gb.csv", strings.NewReader(text))
		require.NoError(t, err)
		assert.Equal(t, 10, table.Digits())
		assert.Equal(t, "gb.csv", table.Edition())
		under := table.Under("610910")
		require.Len(t, under, 2)
		assert.Equal(t, nomenclature.Line{Code: "6109100010", Path: []string{"T-shirts"}}, under[0])
		own := nomenclature.NewSchedules(map[string]*nomenclature.Table{"GB": table})
		require.NoError(t, own.Legal("gb", "0101210000"))
		require.EqualError(t, own.Legal("GB", "6109100000"), "6109100000 is no line of gb.csv: under 610910 there are 2, from 6109100010 to 6109100090")
		require.NoError(t, own.Legal("US", "6109100012"), "the others are as they were")
	}
	table, err := nomenclature.Read("x.csv", strings.NewReader("code,edition\n6109100090,UK 2026\n"))
	require.NoError(t, err)
	assert.Equal(t, "UK 2026", table.Edition())
}

// A file of a user's that can't be right is pointed at.
func TestReadSaysWhere(t *testing.T) {
	t.Parallel()
	const good = "6109100010,T-shirts\n6109900000,Others\n"
	for name, tt := range map[string]struct{ text, wrong string }{
		"nothing":         {"", "gb.csv:1:1: the file is empty"},
		"a head alone":    {"code,description\n", "gb.csv:1:1: there is no line in it"},
		"other columns":   {"goods,duty\n6109100010,12\n", "gb.csv:1:1: there is no column code among goods, duty: the first row names the columns: code,description"},
		"no head":         {good, "gb.csv:1:1: there is no column code among 6109100010, T-shirts: the first row names the columns: code,description"},
		"a cell too many": {"code,description\n" + good + "6109100090,Other,12\n", "gb.csv:4:1: the row has 3 cells, the first has 2"},
		"a quote":         {"code,description\n" + good + "6109100090,Oth\"er\n", `gb.csv:4:15: bare " in non-quoted-field`},
		"a short code":    {"code,description\n" + good + "610910,T-shirts\n", "gb.csv:4:1: 610910 has 6 digits: a schedule has the whole code, 7 digits or more"},
		"six digits":      {"description,code\nT-shirts,610910\n", "gb.csv:2:10: 610910 has 6 digits: a schedule has the whole code, 7 digits or more"},
		"another length":  {"code,description\n" + good + "61091000,T-shirts\n", "gb.csv:4:1: 61091000 has 8 digits, most lines have 10"},
		"too long":        {"code\n610910001000000\n", "gb.csv:2:1: 610910001000000 has 15 digits: the longest code has 14"},
		"letters":         {"code,description\n" + good + "6109A00090,Other\n", `gb.csv:4:1: "6109A00090" is no code: a code is digits, which dots or spaces may part`},
		"a lost zero":     {"code,description\n" + good + "101210000,Horses\n", "gb.csv:4:1: 101210000 has lost the zero that it begins with (0101210000), as spreadsheets do: format the column as text before the codes are put in"},
		"all zeros lost":  {"code\n1012100\n1012900\n", "gb.csv:2:1: 1012100 has lost the zero that it begins with (01012100), as spreadsheets do: format the column as text before the codes are put in"},
		"a number":        {"code,description\n" + good + "6.10910E+09,Other\n", "gb.csv:4:1: 6.10910E+09 is a number that a spreadsheet rounded: format the column as text before the codes are put in"},
		"twice":           {"code,description\n" + good + "6109.10.00.10,Again\n", "gb.csv:4:1: 6109100010 stands on line 2, too"},
		"two editions":    {"code,description,edition\n6109100010,T-shirts,2026\n6109900000,Others,2025\n", `gb.csv:3:19: two editions are mixed: this line is of "2025", the first of "2026"`},
		"too many cells":  {"code\n" + strings.Repeat(";", 2_000_000) + "\n" + strings.Repeat(",", 3_000_000), "gb.csv:3:2999999: the file has more than 3000000 cells, and no schedule does"},
		"too many lines":  {"code;description\n" + strings.Repeat("\n", 3_000_000), "gb.csv:3000000:1: the file has more than 3000000 cells, and no schedule does"},
		"an older line":   {"code,description\n" + good + "8517120000,Telephones\n", "gb.csv:4:1: 8517120000 is of another edition: HS 2022 has no subheading 851712"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := nomenclature.Read("gb.csv", strings.NewReader(tt.text))
			assert.EqualError(t, err, tt.wrong)
		})
	}
}

// Whatever is in a file, it is read or it is pointed at; and what was read can be asked.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"code,description\n6109100010,T-shirts\n", "code;edition\n0101.21.00;2026\n", "code\n\"", "code\n1012100\n", "a,b\n,\n", "code,description\n101210000,x\n", "code\n902100000\n0902100000\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		table, err := nomenclature.Read("x.csv", strings.NewReader(text))
		if err != nil {
			assert.Regexp(t, `^x\.csv:\d+:\d+: `, err.Error())
			return
		}
		assert.Greater(t, table.Digits(), 6)
		table.Under("61")
	})
}
