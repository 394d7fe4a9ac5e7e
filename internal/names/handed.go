package names

import (
	"encoding/json"
	"fmt"
)

// handed holds the variables of an exec for those that run inside: each caller there
// has services of its own, and fills the same texts with its own URLs.
const handed = reserved + "EXEC_ENV"

// hand is the list as a JSON object of texts.
func (l List) hand() string {
	texts := map[string]string{}
	for _, v := range l {
		texts[v.Name] = v.Text
	}
	data, _ := json.Marshal(texts) // texts only
	return string(data)
}

// Handed is the list of the exec around this process, nil without one.
func Handed(getenv func(string) string) (List, error) {
	text := getenv(handed)
	if text == "" {
		return nil, nil
	}
	var texts map[string]string
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return nil, fmt.Errorf("%s was not written by an exec around this process: %w", handed, err)
	}
	l := FromMap(texts)
	for _, v := range l {
		if _, err := Parse(v.Name + "=" + v.Text); err != nil {
			return nil, fmt.Errorf("%s was not written by an exec around this process: %w", handed, err)
		}
	}
	return l, nil
}
