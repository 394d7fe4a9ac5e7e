package dataset_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/dataset"
)

// BenchmarkRead is a table of 100,000 rows of six columns, in each format. JSON is one line.
func BenchmarkRead(b *testing.B) {
	columns := []string{"title", "code", "country", "brand", "material", "note"}
	var csv, lines strings.Builder
	var objects []string
	csv.WriteString(strings.Join(columns, ",") + "\n")
	for i := range dataset.MaxRows {
		row := map[string]string{"title": fmt.Sprintf("cotton shirt, model %d", i), "code": fmt.Sprintf("0901%06d", i), "country": "US", "brand": "none", "material": "cotton", "note": ""}
		fmt.Fprintf(&csv, "\"%s\",%s,US,none,cotton,\n", row["title"], row["code"])
		text, err := json.Marshal(row)
		require.NoError(b, err)
		lines.Write(append(text, '\n'))
		objects = append(objects, string(text))
	}
	for name, text := range map[string]string{"t.csv": csv.String(), "t.json": "[" + strings.Join(objects, ",") + "]", "t.jsonl": lines.String(), "t.jsonl.gz": gzipped(lines.String())} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := dataset.Read(name, strings.NewReader(text))
				require.NoError(b, err)
				require.Len(b, s.Rows, dataset.MaxRows)
			}
		})
	}
}
