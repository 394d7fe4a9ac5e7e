package sqlite

import "os"

// gate is the side file whose lock lets one process write at a time. The lock
// belongs to the open file, so the kernel drops it with the process.
type gate struct{ f *os.File }

func openGate(path string) (*gate, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return &gate{f}, nil
}

func (g *gate) close() error {
	if g == nil {
		return nil
	}
	return g.f.Close()
}
