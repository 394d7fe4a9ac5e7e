package main

import (
	"bytes"
	"io"
	"log"
	"sync"

	"github.com/hsharness/hsharness/internal/secret"
)

// masking is a way out of this program that lets no secret through: none of
// those that it has read, see [program.watch]. As long as there is none it passes
// everything on at once. From then on it does so line by line.
type masking struct {
	to   io.Writer
	find func() *secret.Finder

	mu   sync.Mutex
	rest []byte // of a line that has not ended
}

// masking guards a file.
func (p *program) masking(to io.Writer) *masking { return &masking{to: to, find: p.hidden.Load} }

// Write passes text on. It says that all of it was written, also where that is
// to happen with the rest of its line.
func (m *masking) Write(text []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	find := m.find()
	if find == nil && len(m.rest) == 0 {
		return m.to.Write(text)
	}
	m.rest = append(m.rest, text...)
	whole := bytes.LastIndexByte(m.rest, '\n') + 1
	if err := m.pass(find, m.rest[:whole]); err != nil {
		return 0, err
	}
	m.rest = append(m.rest[:0], m.rest[whole:]...)
	return len(text), nil
}

func (m *masking) pass(find *secret.Finder, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := io.WriteString(m.to, find.Mask(string(text)))
	return err
}

// flush passes a last line on that has no end.
func (m *masking) flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.pass(m.find(), m.rest)
	m.rest = nil
	return err
}

// unmasked is what a command, or a terminal, gets directly.
func unmasked(w io.Writer) io.Writer {
	if m, ok := w.(*masking); ok {
		return m.to
	}
	return w
}

// mask guards what this program prints until end is called. Where the process is
// its own, what the standard library says of a handler that panicked goes the
// same way.
func (p *program) mask() (end func()) {
	stdout, stderr := p.masking(p.stdout), p.masking(p.stderr)
	p.stdout, p.stderr = stdout, stderr
	if p.forget != nil {
		log.SetOutput(stderr)
	}
	return func() {
		_, _ = stdout.flush(), stderr.flush() // there is nobody left to tell
		p.stdout, p.stderr = stdout.to, stderr.to
	}
}
