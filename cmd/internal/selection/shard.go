package selection

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/hsharness/hsharness/cmd/internal/typed"
)

// shard is one of several parts that a selection is divided into, so that each
// machine of several runs one. It implements pflag.Value.
type shard struct{ index, of int }

func (s *shard) String() string {
	if s.of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.index, s.of)
}

// Type implements pflag.Value.
func (s *shard) Type() string { return "i/n" }

// Set reads i/n, where i counts from 1.
func (s *shard) Set(text string) error {
	i, n, _ := strings.Cut(text, "/")
	of, err := typed.ParseNumber(n, 1, math.MaxInt32)
	index, err2 := typed.ParseNumber(i, 1, of)
	if err != nil || err2 != nil {
		return errors.New("want i/n with i from 1 to n, such as 2/3")
	}
	s.index, s.of = int(index), int(of)
	return nil
}

// takes tells whether the shard has the scenario at a place of the selection.
// Neighbours go to different shards: they are often alike in what they take.
func (s *shard) takes(place int) bool { return s.of == 0 || place%s.of == s.index-1 }
