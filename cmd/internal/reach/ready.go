// Package reach is how servers are reached: the addresses that they listen at, and
// the files that say so. It may touch listeners and package files.
package reach

import (
	"encoding/json"

	"github.com/hsharness/hsharness/internal/files"
)

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
