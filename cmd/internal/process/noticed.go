package process

import (
	"io"
	"sync"
)

// Noticed is a writer whose first failure somebody is told of, where whoever writes goes
// on without a word, as a log does. It may be used concurrently if To may.
type Noticed struct {
	To   io.Writer
	Tell func(error)

	once sync.Once
}

// Write implements [io.Writer].
func (n *Noticed) Write(text []byte) (int, error) {
	written, err := n.To.Write(text)
	if err != nil {
		n.once.Do(func() { n.Tell(err) })
	}
	return written, err
}
