package control

import (
	"fmt"
	"time"
)

// Duration is a time.Duration that is written "1s" or "66m" in JSON and YAML.
type Duration time.Duration

// MarshalText writes d as [time.Duration.String] does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what [time.ParseDuration] reads, a leading + included.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration such as 1s, 250ms or 66m", text)
	}
	*d = Duration(v)
	return nil
}
