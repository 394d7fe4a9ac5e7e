package selection

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/hsharness/hsharness/cmd/internal/typed"
	"github.com/hsharness/hsharness/internal/scenario"
)

// shard is one of several parts that a selection is divided into, so that each
// machine of several runs one. It implements pflag.Value.
type shard struct{ index, n int }

func (s *shard) String() string {
	if s.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.index, s.n)
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
	s.index, s.n = int(index), int(of)
	return nil
}

// of is the shard's part of a selection. A scenario has one place in it, and each row of
// data one of its own: neighbours go to different shards, as they are often alike in what
// they take.
func (s *shard) of(chosen []*scenario.Scenario) []*scenario.Scenario {
	if s.n == 0 {
		return chosen
	}
	place := 0
	takes := func(scenario.Case) bool {
		place++
		return (place-1)%s.n == s.index-1
	}
	var out []*scenario.Scenario
	for _, sc := range chosen {
		if sc.Matrix.Data != nil {
			if sc = sc.Part("shard "+s.String(), takes); len(sc.Cases()) > 0 {
				out = append(out, sc)
			}
		} else if takes(scenario.Case{}) {
			out = append(out, sc)
		}
	}
	return out
}
