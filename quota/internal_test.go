package quota

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func mark(c string) string { return strings.Repeat(c, markLength) }

func entry(seq int64, c string) line { return line{word: wordEntry, seq: seq, mark: mark(c)} }

func TestHighWaterLine(t *testing.T) {
	t.Parallel()
	for _, l := range []line{
		entry(12, "a"),
		{word: wordBegin, seq: 13, mark: mark("b"), after: 345},
		{word: wordBegin, seq: 1, mark: mark("b")},
		{word: wordAccept, seq: 14, mark: mark("c")},
	} {
		text := strings.Trim(l.text(), "\n")
		got, ok := parseLine(text)
		assert.True(t, ok, text)
		assert.Equal(t, l, got)
		for i := range text {
			_, ok := parseLine(text[:i])
			assert.False(t, ok, "cut short: %q", text[:i])
			_, ok = parseLine(text[:i] + "\x00" + text[i+1:])
			assert.False(t, ok, "spoilt at %d: %q", i, text)
		}
	}
	for _, text := range []string{"", " ", "\x00\x00\x00", "12", "12 ", "x " + mark("a"), "0 " + mark("a"), "-1 " + mark("a"), "12 " + mark("x"), "12 aa", "reset 12", "entry 12 " + mark("a")} {
		_, ok := parseLine(text)
		assert.False(t, ok, "%q", text)
	}
}

// What is left half written, by a full disk or a power cut, is not read together
// with what is written after it: 12 and 10 are no 1210.
func TestTornHighWaterLine(t *testing.T) {
	t.Parallel()
	whole := entry(12, "a").text()
	for i := range whole {
		p := parseLines(whole[:i]+entry(10, "b").text(), 0)
		require.NotEmpty(t, p.lines, "%q", whole[:i])
		for _, l := range p.lines {
			l.start = 0
			assert.Contains(t, []line{entry(12, "a"), entry(10, "b")}, l, "%q", whole[:i])
		}
	}
	p := parseLines("\n12"+entry(10, "b").text(), 0)
	assert.Len(t, p.lines, 1)
	assert.True(t, p.wrong)
	p = parseLines(entry(10, "b").text()+"\n12", 0)
	assert.Len(t, p.lines, 1)
	assert.EqualValues(t, len(entry(10, "b").text())+1, p.end, "the rest is read again when it is whole")
	assert.False(t, p.wrong)
}

func TestUnprovedHighWaterLines(t *testing.T) {
	t.Parallel()
	begin := func(seq, after int64) line { return line{word: wordBegin, seq: seq, mark: mark("b"), after: after} }
	accept := func(seq int64) line { return line{word: wordAccept, seq: seq, mark: mark("c")} }
	for name, row := range map[string]struct {
		lines []line
		want  []int64
	}{
		"none":                      {nil, nil},
		"all without a begin":       {[]line{entry(1, "a"), entry(3, "a"), entry(2, "a")}, []int64{1, 3, 2}},
		"a begin proves the rest":   {[]line{entry(1, "a"), entry(2, "a"), begin(5, 2), entry(4, "a"), entry(6, "a")}, []int64{5, 4, 6}},
		"not what came between":     {[]line{entry(1, "a"), entry(4, "a"), begin(5, 1), entry(6, "a")}, []int64{4, 5, 6}},
		"the last begin counts":     {[]line{begin(2, 0), entry(3, "a"), begin(5, 2), entry(6, "a")}, []int64{5, 6}},
		"an old begin is looked up": {[]line{entry(1, "a"), begin(2, 0), entry(3, "a")}, []int64{1, 2, 3}},
		"nothing before an accept":  {[]line{entry(9, "a"), begin(9, 0), accept(4), entry(5, "a")}, []int64{4, 5}},
		"an accept after a begin":   {[]line{entry(9, "a"), accept(4), begin(6, 0), entry(7, "a")}, []int64{4, 6, 7}},
	} {
		for i := range row.lines {
			row.lines[i].start = int64(i)
		}
		var got []int64
		for _, l := range unproved(row.lines) {
			got = append(got, l.seq)
		}
		assert.Equal(t, row.want, got, name)
	}
}

// A file of an earlier version counts as it did.
func TestHighWaterOfEarlierVersion(t *testing.T) {
	t.Parallel()
	p := parseLines("3 "+mark("a")+"\n9 "+mark("a")+"\nreset 4 "+mark("b")+"\n5 "+mark("c")+"\n6 cc\n7 "+mark("d"), 0)
	assert.True(t, p.wrong, "the torn one")
	var got []line
	for _, l := range unproved(p.lines) {
		l.start = 0
		got = append(got, l)
	}
	assert.Equal(t, []line{{word: wordAccept, seq: 4, mark: mark("b")}, entry(5, "c")}, got)
	// And one of this version follows what was torn.
	p = parseLines("3 "+mark("a")+"\n12"+entry(4, "b").text(), 0)
	assert.Len(t, p.lines, 2)
	assert.EqualValues(t, 4, p.lines[1].seq)
}

func FuzzParseHighWater(f *testing.F) {
	f.Add("3 aaaaaaaaaaaaaaaa\nreset 2 bbbbbbbbbbbbbbbb\n")
	f.Add(line{word: wordBegin, seq: 3, mark: mark("a"), after: 7}.text())
	f.Add("00000000\n") // the sum of nothing
	f.Add("00000000")
	f.Add("3 aaaaaaaaaaaaaaaa\n00000000\n")
	f.Fuzz(func(t *testing.T, text string) {
		before := parseLines(text, 0)
		for _, l := range before.lines {
			if l.seq < 1 || len(l.mark) != markLength || l.after < 0 {
				t.Errorf("parseLines(%q) has %+v", text, l)
			}
		}
		// What is written after it is read whatever stands before, and takes
		// nothing away.
		after := parseLines(text+entry(7, "c").text(), 0)
		if n := len(after.lines); n <= len(before.lines) || after.lines[n-1].seq != 7 {
			t.Errorf("%q: %+v after %+v", text, after.lines, before.lines)
		}
	})
}
