package mockapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/hsharness/hsharness/internal/avalara"
)

// meter counts the units of each account. It only ever counts up. Its memory
// is bounded by the accounts that hold a signed token.
type meter struct {
	allowance *int64
	file      string
	env       avalara.Environment

	mu      sync.Mutex
	served  map[string]int64
	refused int64
}

// state is the state file. It is written whole at each unit: an allowance is
// small, and a file that is either the old or the new one needs no repair.
type state struct {
	Format      int                 `json:"format"`
	Environment avalara.Environment `json:"environment"`
	Served      map[string]int64    `json:"served"`
}

// openMeter reads the state file, and writes it once so that a folder that
// can't be written is known at the start.
func openMeter(file string, env avalara.Environment, allowance *int64) (*meter, error) {
	m := &meter{file: file, env: env, served: make(map[string]int64)}
	if allowance != nil {
		n := *allowance
		m.allowance = &n
	}
	if file == "" {
		return m, nil
	}
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return m, m.save()
	case err != nil:
		return nil, fmt.Errorf("state file: %w", err)
	}
	var st state
	if err := json.Unmarshal(data, &st); err != nil {
		return nil, fmt.Errorf("state file %s is no JSON of this program (%w); restore it, or remove it to count from zero", file, err)
	}
	if st.Format != 1 || st.Environment != env {
		return nil, fmt.Errorf("state file %s has format %d of the %s, not format 1 of the %s", file, st.Format, st.Environment, env)
	}
	for account, n := range st.Served {
		if n < 0 {
			return nil, fmt.Errorf("state file %s has %d units for account %s", file, n, account)
		}
		m.served[account] = n
	}
	return m, m.save()
}

// take counts n units of an account. It counts none when there are fewer left,
// or when the count can't be written.
func (m *meter) take(account string, n int64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.served[account]
	if m.allowance != nil && before+n > *m.allowance {
		m.refused++
		return false, nil
	}
	m.served[account] = before + n
	if m.file == "" {
		return true, nil
	}
	if err := m.save(); err != nil {
		m.served[account] = before
		return false, err
	}
	return true, nil
}

func (m *meter) usage() Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := Usage{Refused: m.refused}
	if m.allowance != nil {
		n := *m.allowance
		u.Granted = &n
	}
	for _, n := range m.served {
		u.Served += n
	}
	return u
}

// save puts the counts on disk: a new file beside the old one, flushed, moved
// over it, and the folder flushed too.
func (m *meter) save() (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("state file: %w", err)
		}
	}()
	data, err := json.Marshal(state{Format: 1, Environment: m.env, Served: m.served})
	if err != nil {
		return err
	}
	dir := filepath.Dir(m.file)
	f, err := os.CreateTemp(dir, filepath.Base(m.file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	_, err = f.Write(append(data, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), m.file); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename durable. Windows knows no such call on a folder.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
