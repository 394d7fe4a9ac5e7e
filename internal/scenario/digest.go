package scenario

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Digest tells whether the file, or the data of its cases, is another one: a SHA-256 of
// both.
func (s *Scenario) Digest() (string, error) {
	sum := sha256.New()
	enc := json.NewEncoder(sum)
	if err := enc.Encode(strings.Join(s.source, "\n")); err != nil {
		return "", err
	}
	for _, c := range s.Cases() {
		if err := enc.Encode([]any{c.Name, c.Values, c.Row}); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
