package typed

import (
	"errors"
	"math"
	"strings"
	"time"
)

// ParseRate reads N/TIME.
func ParseRate(s string) (limit int, window time.Duration, err error) {
	number, rest, _ := strings.Cut(s, "/")
	n, err := ParseNumber(number, 1, math.MaxInt32)
	window, err2 := ParseSpan(rest)
	if err != nil || err2 != nil || window < 1 {
		return 0, 0, errors.New("want N/TIME with both above zero, such as 20/1m or 5/1s")
	}
	return int(n), window, nil
}

// CheckRate takes what [ParseRate] takes.
func CheckRate(s string) error {
	_, _, err := ParseRate(s)
	return err
}
