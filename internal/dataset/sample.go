package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
)

// Sample draws n rows, or takes all where there are no more, and keeps their order. The
// same seed draws the same rows, wherever they stand in the file, on every machine; a row
// that is added takes the place of one at most.
func Sample(rows []Row, n int, seed uint64) []Row {
	if n >= len(rows) {
		return rows
	}
	type lot struct {
		draw [sha256.Size]byte
		row  int
	}
	lots := make([]lot, len(rows))
	alike := make(map[[sha256.Size]byte]uint64) // rows that say the same are drawn apart
	var text []byte
	for i, r := range rows {
		text = spelt(text[:0], r.Values)
		what := sha256.Sum256(text)
		salt := binary.BigEndian.AppendUint64(nil, seed)
		salt = binary.BigEndian.AppendUint64(salt, alike[what])
		alike[what]++
		lots[i] = lot{sha256.Sum256(append(salt, what[:]...)), i}
	}
	slices.SortFunc(lots, func(a, b lot) int { return bytes.Compare(a.draw[:], b.draw[:]) })
	lots = lots[:n]
	slices.SortFunc(lots, func(a, b lot) int { return a.row - b.row })
	out := make([]Row, n)
	for i, l := range lots {
		out[i] = rows[l.row]
	}
	return out
}

// spelt appends a value as bytes that only an equal one has. How texts are escaped in JSON
// is up to the version of Go that a program was built with; this is not.
func spelt(b []byte, v any) []byte {
	text := func(kind byte, s string) []byte {
		return append(binary.AppendUvarint(append(b, kind), uint64(len(s))), s...)
	}
	switch v := v.(type) {
	case string:
		return text('t', v)
	case []any:
		b = binary.AppendUvarint(append(b, 'a'), uint64(len(v)))
		for _, item := range v {
			b = spelt(b, item)
		}
		return b
	case map[string]any:
		b = binary.AppendUvarint(append(b, 'o'), uint64(len(v)))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b = text('n', name)
			b = spelt(b, v[name])
		}
		return b
	default: // null, true, false, and a number as it is written
		s, err := json.Marshal(v)
		if err != nil {
			panic("dataset: " + err.Error()) // a value that was read as JSON, or a text
		}
		return text('v', string(s))
	}
}
