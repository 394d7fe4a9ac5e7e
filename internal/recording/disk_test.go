package recording_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/recording"
)

// TestMain lets the tests start themselves as other processes.
func TestMain(m *testing.M) {
	if dir := os.Getenv("RECORDING_TEST_DIR"); dir != "" {
		if err := child(dir, os.Getenv("RECORDING_TEST_DO")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is what such a process does with the store in dir.
func child(dir, do string) error {
	s, err := recording.Open(recording.Config{Dir: dir})
	if err != nil {
		return err
	}
	ctx := context.Background()
	k := s.Key(classify(`{"a":1}`))
	switch do {
	case "append":
		s.WaitForWriters(time.Minute) // processes do not queue, and a busy machine has slow disks
		for range 5 {
			if err := s.Put(ctx, k, answer(fmt.Sprint(os.Getpid()))); err != nil {
				return err
			}
		}
	case "buy once":
		unlock, err := s.Lock(ctx, k)
		if err != nil {
			return err
		}
		defer unlock()
		if _, err := s.Get(k); !errors.Is(err, recording.ErrMiss) {
			return err
		}
		fmt.Println("bought")
		return s.Put(ctx, k, answer("1"))
	case "die within the write":
		s.FailFill(func(f *os.File, text []byte) error {
			_, _ = f.Write(text[:len(text)/2])
			dieNow()
			return nil
		})
		return s.Put(ctx, k, answer("2"))
	case "die before rename":
		s.FailRename(func(string, string) error { dieNow(); return nil })
		return s.Put(ctx, k, answer("2"))
	case "die after rename":
		s.FailRename(func(from, to string) error { _ = os.Rename(from, to); dieNow(); return nil })
		return s.Put(ctx, k, answer("2"))
	case "keep locked":
		for _, lock := range []func() (func(), error){
			func() (func(), error) { return s.Lock(ctx, k) },
			func() (func(), error) { return s.LockWrite(ctx, k) },
		} {
			if _, err := lock(); err != nil {
				return err
			}
		}
		fmt.Println("kept")
		_, err := os.Stdin.Read(make([]byte, 1))
		return err
	case "die locked":
		if _, err := s.Lock(ctx, k); err != nil {
			return err
		}
		os.Exit(3)
	}
	return nil
}

// dieNow is a kill -9.
func dieNow() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {} // the signal is on its way
}

// process starts one.
func process(t *testing.T, root, do string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "RECORDING_TEST_DIR="+filepath.Join(root, "recordings"), "RECORDING_TEST_DO="+do)
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	return cmd, &out
}

// processes runs n at once and returns what they print.
func processes(t *testing.T, n int, root, do string) string {
	t.Helper()
	type running struct {
		cmd *exec.Cmd
		out *bytes.Buffer
	}
	var all []running
	for range n {
		cmd, out := process(t, root, do)
		all = append(all, running{cmd, out})
	}
	var text strings.Builder
	for _, p := range all {
		assert.NoError(t, p.cmd.Wait(), p.out)
		text.WriteString(p.out.String())
	}
	return text.String()
}

func TestGoroutinesLoseNothing(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	k := s.Key(classify(`{"a":1}`))
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() { assert.NoError(t, s.Put(t.Context(), k, answer(fmt.Sprint(i)))) })
	}
	all.Wait()
	rec, err := s.Get(k)
	require.NoError(t, err)
	seen := make(map[string]bool)
	for _, take := range rec.Takes {
		seen[string(take.Response.Body)] = true
	}
	assert.Len(t, seen, 64)
	assert.Len(t, rec.Takes, 64)
	assert.Len(t, files(t, root), 1)
}

func TestProcessesLoseNothing(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	processes(t, 8, root, "append")
	rec, err := s.Get(s.Key(classify(`{"a":1}`)))
	require.NoError(t, err)
	seen := make(map[string]int)
	for _, take := range rec.Takes {
		seen[string(take.Response.Body)]++
	}
	assert.Len(t, seen, 8)
	for pid, n := range seen {
		assert.Equal(t, 5, n, pid)
	}
	assert.Len(t, files(t, root), 1)
}

func TestProcessesBuyOnce(t *testing.T) {
	t.Parallel()
	_, root := open(t, recording.Config{})
	assert.Equal(t, "bought\n", processes(t, 8, root, "buy once"))
}

func TestGoroutinesBuyOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	k := s.Key(classify(`{"a":1}`))
	var all sync.WaitGroup
	bought := 0 // guarded by the lock under test
	for range 64 {
		all.Go(func() {
			unlock, err := s.Lock(t.Context(), k)
			if !assert.NoError(t, err) {
				return
			}
			defer unlock()
			if _, err := s.Get(k); errors.Is(err, recording.ErrMiss) {
				bought++
				assert.NoError(t, s.Put(t.Context(), k, answer("1")))
			}
		})
	}
	all.Wait()
	assert.Equal(t, 1, bought)
}

// TestLockHasOneHolder lets stores that share nothing but the folder pass a lock
// on as fast as they can: its file is removed and made anew each time.
func TestLockHasOneHolder(t *testing.T) {
	t.Parallel()
	_, root := open(t, recording.Config{})
	var all sync.WaitGroup
	var holders atomic.Int32
	for range 8 {
		all.Go(func() {
			s, err := recording.Open(recording.Config{Dir: filepath.Join(root, "recordings")})
			if !assert.NoError(t, err) {
				return
			}
			k := s.Key(classify(`{"a":1}`))
			for range 200 {
				unlock, err := s.Lock(t.Context(), k)
				if !assert.NoError(t, err) {
					return
				}
				assert.EqualValues(t, 1, holders.Add(1))
				runtime.Gosched()
				holders.Add(-1)
				unlock()
			}
		})
	}
	all.Wait()
}

func TestLockEnds(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	k, other := s.Key(classify(`{"a":1}`)), s.Key(classify(`{"a":2}`))
	unlock, err := s.Lock(t.Context(), k)
	require.NoError(t, err)
	free, err := s.Lock(t.Context(), other)
	require.NoError(t, err, "another key is another lock")
	free()

	stop := errors.New("the run stops")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	_, err = s.Lock(ctx, k)
	require.ErrorIs(t, err, stop)
	second, err := recording.Open(recording.Config{Dir: filepath.Join(root, "recordings")})
	require.NoError(t, err)
	_, err = second.Lock(ctx, k)
	require.ErrorIs(t, err, stop, "another store waits for the file")

	unlock()
	unlock()
	again, err := s.Lock(t.Context(), k)
	require.NoError(t, err)
	again()
	assert.Empty(t, files(t, root))
}

// A lock on a file that is not there any more locks nothing: nobody else finds it.
func TestLockFileThatWasRemovedIsMadeAnew(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	k := s.Key(classify(`{"a":1}`))
	unlock, err := s.Lock(t.Context(), k)
	require.NoError(t, err)
	unlock()
	require.NoError(t, os.RemoveAll(filepath.Join(root, ".hsharness")))
	second, err := recording.Open(recording.Config{Dir: filepath.Join(root, "recordings")})
	require.NoError(t, err)
	unlock, err = second.Lock(t.Context(), k)
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = s.Lock(ctx, k)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestLockOfDeadProcessIsFree(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	cmd, _ := process(t, root, "die locked")
	require.Error(t, cmd.Wait())
	unlock, err := s.Lock(t.Context(), s.Key(classify(`{"a":1}`)))
	require.NoError(t, err)
	unlock()
	assert.Empty(t, files(t, root))
}

// TestKilledWithinAWrite kills the writer of a second take between the steps of
// its write: the file is the old one or the new one, whole, and the next write
// clears up what was left.
func TestKilledWithinAWrite(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		do           string
		takes, files int // afterwards
	}{
		{"die within the write", 1, 2}, // the recording, and half of a temporary file
		{"die before rename", 1, 2},
		{"die after rename", 2, 1},
	} {
		t.Run(row.do, func(t *testing.T) {
			t.Parallel()
			s, root := open(t, recording.Config{})
			k := put(t, s, classify(`{"a":1}`), answer("1"))
			cmd, out := process(t, root, row.do)
			require.Error(t, cmd.Wait(), out)
			require.Len(t, files(t, root), row.files)

			rec, err := s.Get(k)
			require.NoError(t, err)
			assert.Len(t, rec.Takes, row.takes)
			all, err := s.List()
			require.NoError(t, err)
			assert.Len(t, all, 1)
			require.NoError(t, s.Put(t.Context(), k, answer("3")))
			rec, err = s.Get(k)
			require.NoError(t, err)
			assert.Len(t, rec.Takes, row.takes+1)
			assert.Len(t, files(t, root), 1, "what the crash left is gone")
		})
	}
}

// emergency checks that err kept the answer and returns the copy's text.
func emergency(t *testing.T, err error, under string) string {
	t.Helper()
	var failed *recording.WriteError
	require.ErrorAs(t, err, &failed)
	require.NoError(t, failed.CopyErr)
	assert.True(t, strings.HasPrefix(failed.Copy, under), failed.Copy)
	ownersAlone(t, failed.Copy)
	text, err := os.ReadFile(failed.Copy)
	require.NoError(t, err)
	rec, err := recording.Decode(failed.Copy, text)
	require.NoError(t, err, "the copy can be moved into the folder")
	return string(rec.Latest().Response.Body)
}

func TestFailedWriteKeepsTheAnswer(t *testing.T) {
	t.Parallel()
	fails := map[string]func(t *testing.T, s *recording.Store, root string) error{
		"disk full": func(_ *testing.T, s *recording.Store, _ string) error {
			s.FailFill(func(f *os.File, text []byte) error {
				if strings.Contains(f.Name(), "emergency") { // which may be on another disk
					_, err := f.Write(text)
					return err
				}
				_, _ = f.Write(text[:10])
				return syscall.ENOSPC
			})
			return syscall.ENOSPC
		},
		"rename refused": func(_ *testing.T, s *recording.Store, _ string) error {
			s.FailRename(func(from, to string) error {
				if strings.Contains(to, "emergency") {
					return os.Rename(from, to)
				}
				return syscall.EROFS
			})
			return syscall.EROFS
		},
		"no folder": func(t *testing.T, _ *recording.Store, root string) error {
			require.NoError(t, os.WriteFile(filepath.Join(root, "recordings"), nil, 0o644))
			return nil
		},
	}
	for name, fail := range fails {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, root := open(t, recording.Config{Secrets: []recording.Secret{{Name: "k", Value: "sesame"}}})
			want := fail(t, s, root)
			k := s.Key(classify(`{"a":1}`))
			err := s.Put(t.Context(), k, answer(`"open sesame"`))
			if want != nil {
				require.ErrorIs(t, err, want)
			}
			assert.Equal(t, `"open {{secret:k#d0c0}}"`, emergency(t, err, filepath.Join(root, ".hsharness", "emergency")))
			for _, name := range files(t, root) {
				assert.False(t, strings.HasSuffix(name, ".tmp"), name)
			}
		})
	}
}

func TestNoPrivateFolderKeepsTheAnswerInTemp(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	require.NoError(t, os.WriteFile(filepath.Join(root, ".hsharness"), nil, 0o644))
	err := s.Put(t.Context(), s.Key(classify(`{}`)), answer(`"paid"`))
	assert.Equal(t, `"paid"`, emergency(t, err, os.TempDir()))
	var failed *recording.WriteError
	require.ErrorAs(t, err, &failed)
	require.NoError(t, os.Remove(failed.Copy))
}

// TestCancelledPutWrites: a run that stops still keeps what it bought.
func TestCancelledPutWrites(t *testing.T) {
	t.Parallel()
	s, _ := open(t, recording.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	k := s.Key(classify(`{}`))
	require.NoError(t, s.Put(ctx, k, answer(`"paid"`)))
	_, err := s.Get(k)
	require.NoError(t, err)
}

// TestTooManyOpenFilesAreWaitedFor: an answer that was paid for is not lost because the
// process has no file left for a moment.
func TestTooManyOpenFilesAreWaitedFor(t *testing.T) {
	t.Parallel()
	s, root := open(t, recording.Config{})
	tries := 0
	s.FailFill(func(f *os.File, text []byte) error {
		if tries++; tries < 3 {
			return &os.PathError{Op: "open", Path: f.Name(), Err: syscall.EMFILE}
		}
		_, err := f.Write(text)
		return err
	})
	renames := 0
	s.FailRename(func(from, to string) error {
		if renames++; renames == 1 { // it is there, and what comes after it fails
			return errors.Join(os.Rename(from, to), &os.PathError{Op: "open", Path: to, Err: syscall.EMFILE})
		}
		return os.Rename(from, to)
	})
	k := put(t, s, classify(`{"a":1}`), answer(`"paid"`))
	rec, err := s.Get(k)
	require.NoError(t, err)
	assert.Equal(t, []string{`"paid"`}, bodies(rec), "once")
	assert.Equal(t, 2, renames)
	assert.NoDirExists(t, filepath.Join(root, ".hsharness", "emergency"))
}
