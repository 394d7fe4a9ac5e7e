package project

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ShareLedger is what recordings.share says where machines share the answers in the ledger.
const ShareLedger = "ledger"

// Shares tells whether answers are kept in the ledger's database besides the folder.
func (r Recordings) Shares() bool { return r.Share == ShareLedger }

// KeepFor is how long an answer is shared, 0 for ever.
func (r Recordings) KeepFor() time.Duration {
	age, _ := ParseAge(r.Keep) // checked when the project was read; none is 0
	return age
}

// MostBytes is how many bytes of answers are shared at most, 0 for no limit.
func (r Recordings) MostBytes() int64 {
	size, _ := ParseSize(r.MaxSize) // checked when the project was read; none is 0
	return size
}

// sizes are the units of a size, decimal as disks are sold.
var sizes = []struct {
	unit  string
	bytes int64
}{{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}

// ParseSize reads a size such as 512MB. The empty text is an error with the size 0.
func ParseSize(text string) (int64, error) {
	for _, s := range sizes {
		digits, ok := strings.CutSuffix(text, s.unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 1 || n > 1_000_000 || digits != strconv.FormatInt(n, 10) {
			return 0, fmt.Errorf("%q is no size, want 1 to 1000000 and KB, MB or GB", text)
		}
		return n * s.bytes, nil
	}
	return 0, fmt.Errorf("%q is no size such as 512MB", text)
}

// Wrong is an error about a setting of the file which only those can find who use it, with
// file:line:column.
func (p *Project) Wrong(path, format string, args ...any) error {
	f, err := Settings().Read(p.File, p.data)
	if err != nil {
		return err
	}
	f.Complain(path, format, args...)
	return f.Err()
}
