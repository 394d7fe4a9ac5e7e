// Package reach is how servers are reached: the addresses that they listen at, and
// the files that say so. It may touch listeners and package files.
package reach

import (
	"encoding/json"
	"fmt"

	"github.com/hsharness/hsharness/internal/files"
)

// ClearReady removes the ready file of an earlier start, which would lead its reader to the
// wrong ports. What no server wrote is not taken away.
func ClearReady(file string) error {
	if file == "" {
		return nil
	}
	if err := files.Like(file, `{"production":`, `{"identity_url":`); err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return files.Remove(file)
}

// Ready is what a server says once it answers, as one line of JSON. It is in the file
// too, where one is named.
func Ready(endpoints any, file string) ([]byte, error) {
	line, err := json.Marshal(endpoints)
	if err != nil {
		return nil, err
	}
	line = append(line, '\n')
	if file == "" {
		return line, nil
	}
	return line, files.Replace(file, line)
}
