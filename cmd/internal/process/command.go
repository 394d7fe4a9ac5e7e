package process

import (
	"errors"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/term"
	"io"
	"os"
)

// Command runs other programs. What they get is as this program has it: signals
// that are sent to it go to them as well.
type Command struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Dir is the command's folder, empty for this program's own.
	Dir string
}

// Run runs a command on this program's own standard files and passes signals
// on to it. The code is its exit code, or 128+n when signal n ended it.
func (c Command) Run(args, environ []string) (code int, err error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir = environ, c.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := Start(cmd.Start); err != nil {
		return 2, err
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case s := <-signals:
				// A terminal sends its signals to the command itself too.
				if (s == syscall.SIGINT || s == syscall.SIGQUIT) && c.onTerminal() {
					continue
				}
				_ = cmd.Process.Signal(s)
			case <-done:
				return
			}
		}
	}()
	err = cmd.Wait()
	var exited *exec.ExitError
	if errors.As(err, &exited) {
		if status, ok := exited.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal()), nil
		}
		return exited.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

func (c Command) onTerminal() bool {
	f, ok := c.Stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
