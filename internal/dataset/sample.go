package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
)

// Sample draws n rows, or takes all where there are no more, and keeps their order. The
// same seed draws the same rows, wherever they stand in the file; a row that is added
// takes the place of one at most.
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
	for i, r := range rows {
		text, err := json.Marshal(r.Values) // with its members in order
		if err != nil {
			panic("dataset: " + err.Error()) // a value that was read as JSON, or a text
		}
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
