package catalogue

import (
	"hash/fnv"
	"maps"
	"slices"
	"strings"
)

// Unseen tells whether an index term belongs to the third that nothing is learned
// from, so that it can judge. A fixed hash of the term says so.
func Unseen(term string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(term))) // a hash takes everything
	return h.Sum32()%3 == 0
}

// sorted is the keys of a map in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
