package process

import (
	"bytes"
	"cmp"
	"io"
	"sync"

	"github.com/hsharness/hsharness/internal/secret"
)

// Masked is a way out of this program that lets no secret through: none of
// those that its finder finds. As long as there is none it passes
// everything on at once. From then on it does so line by line.
type Masked struct {
	to   io.Writer
	find func() *secret.Finder

	mu   sync.Mutex
	rest []byte // of a line that has not ended
	lost error  // why something could not be passed on, the first time
}

// NewMasked guards a way out. Find returns what is to be found now; nil is nothing.
func NewMasked(to io.Writer, find func() *secret.Finder) *Masked {
	return &Masked{to: to, find: find}
}

// Write passes text on. It says that all of it was written, also where that is
// to happen with the rest of its line.
func (m *Masked) Write(text []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	find := m.find()
	if find == nil && len(m.rest) == 0 {
		n, err := m.to.Write(text)
		m.lost = cmp.Or(m.lost, err)
		return n, err
	}
	m.rest = append(m.rest, text...)
	whole := bytes.LastIndexByte(m.rest, '\n') + 1
	err := m.pass(find, m.rest[:whole])
	// What could not be passed on is lost: kept, it would grow for as long as nobody reads, and
	// be searched again with each line.
	m.rest = append(m.rest[:0], m.rest[whole:]...)
	if err != nil {
		return 0, err
	}
	return len(text), nil
}

func (m *Masked) pass(find *secret.Finder, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := io.WriteString(m.to, find.Mask(string(text)))
	m.lost = cmp.Or(m.lost, err)
	return err
}

// Flush passes a last line on that has no end. The error is the first one of all that was
// written: what fails once may seem to go well later, and nobody has the whole.
func (m *Masked) Flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.pass(m.find(), m.rest) // lost knows it
	m.rest = nil
	return m.lost
}

// Unmasked is what a command, or a terminal, gets directly.
func Unmasked(w io.Writer) io.Writer {
	if m, ok := w.(*Masked); ok {
		return m.to
	}
	return w
}
