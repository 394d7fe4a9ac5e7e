package nomenclature

import (
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPack(t *testing.T) {
	t.Parallel()
	system := []Line{
		{"01", []string{"Animals"}},
		{"0101", []string{"Horses", "Asses"}},
		{"010121", []string{"Horses", "Asses", "Other"}},
		{"010129", []string{"Horses", "Asses", "Other"}},
		{"0102", []string{"Horses"}},
		{"0201", []string{"Meat"}},
	}
	national := []Line{
		{"01012100", []string{"Horses", "Pure-bred"}},
		{"98010000", []string{"Provisions"}},
	}
	packer, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	data, err := Pack(func(b []byte) ([]byte, error) { return packer.EncodeAll(b, nil), nil }, system, national)
	require.NoError(t, err)
	index, err := chapters(data)
	require.NoError(t, err)
	for i, lines := range [][]Line{system, national} {
		var back []Line
		for _, chapter := range []string{"01", "02", "98"} {
			some, err := unpack(index[chapter], i)
			require.NoError(t, err)
			back = append(back, some...)
		}
		assert.Equal(t, lines, back)
	}
	_, err = unpack(index["01"], 2)
	require.EqualError(t, err, "it has 2 tables")
	for n := 1; n < len(data); n++ {
		if _, err := chapters(data[:n]); err == nil && n != 6+len(index["01"]) && n != 12+len(index["01"])+len(index["02"]) {
			t.Errorf("a table cut after %d bytes is read", n)
		}
	}
}

// BenchmarkFirstLookup is what the first code of a chapter costs: the chapter is
// unpacked. HTS has the longest in 29 and 84; 61 is that of T-shirts.
func BenchmarkFirstLookup(b *testing.B) {
	for _, chapter := range []string{"61", "29"} {
		b.Run(chapter, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				fresh := packed("HTS 2026", 10, 1)
				if len(fresh.Under(chapter)) == 0 {
					b.Fatal("nothing there")
				}
			}
		})
	}
}

// BenchmarkLegal is a code of a chapter that was asked for before.
func BenchmarkLegal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := (*Schedules)(nil).Legal("US", "6109100012"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart is what a program pays that never asks for a code.
func BenchmarkStart(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		packed("HTS 2026", 10, 1)
	}
}
