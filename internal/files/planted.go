package files

import (
	"crypto/rand"
	"fmt"
)

// PlantedError is a link that leads who follows it where somebody else wants.
type PlantedError struct {
	// Link is the link, which need not be the last part of the name.
	Link string
	// User is who put it there.
	User int
}

// Error says whose it is.
func (e *PlantedError) Error() string {
	return fmt.Sprintf("%s is a link that user %d put into a folder where others can write: it is not followed", e.Link, e.User)
}

// random is a part of a name that nobody can have taken.
func random() string { return rand.Text() }
