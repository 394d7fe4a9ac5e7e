package process

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"golang.org/x/term"
)

// Command runs other programs. What they get is as this program has it: signals
// that are sent to it go to them as well.
type Command struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Dir is the command's folder, empty for this program's own.
	Dir string
	// Inside is where the command runs; nil is beside this program. It has the
	// standard files already.
	Inside Inside
	// Ended is over when a signal ended this program, see [Interruptible]; nil is never.
	Ended context.Context
}

// Inside is a place where one command runs.
type Inside interface {
	Start(path string, args, environ []string, dir string) error
	Signal(os.Signal) error
	// Wait gives the exit code, or 128+n of a command that signal n ended.
	Wait() (code int, err error)
}

// beside is the place beside this program.
type beside struct{ *exec.Cmd }

func (b beside) Start(string, []string, []string, string) error { return Start(b.Cmd.Start) }

func (b beside) Signal(s os.Signal) error { return b.Process.Signal(s) }

func (b beside) Wait() (code int, err error) {
	err = b.Cmd.Wait()
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

// Run runs a command on this program's own standard files and passes signals
// on to it. The code is its exit code, or 128+n when signal n ended it. Where this program
// was told to end before, it is not started, and the error is the [Interrupt].
func (c Command) Run(args, environ []string) (code int, err error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Dir = environ, c.Dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	if cmd.Err != nil {
		return 2, cmd.Err
	}
	at := c.Inside
	if at == nil {
		at = beside{cmd}
	}
	signals := make(chan os.Signal, 8)
	notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	// A hangup for the whole group may come here when the command has ended by it: it ends no
	// program that has a run to end. SIGINT and SIGTERM are those of [Interruptible].
	notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGQUIT)
	if why := c.interrupt(); why != nil {
		return why.Code(), why
	}
	if err := at.Start(cmd.Path, cmd.Args, cmd.Environ(), cmd.Dir); err != nil {
		return 2, err
	}
	done := make(chan struct{})
	defer close(done)
	go c.passOn(signals, at, done)
	return at.Wait()
}

// passOn passes signals on to a command until done, and the one by which this program is
// ended, where that came when nobody passed any on yet.
func (c Command) passOn(signals <-chan os.Signal, to Inside, done <-chan struct{}) {
	var ended <-chan struct{}
	if c.Ended != nil {
		ended = c.Ended.Done()
	}
	var missed <-chan time.Time
	for {
		select {
		case s := <-signals:
			ended, missed = nil, nil // it is the one, or came after it
			// A terminal sends its signals to the command itself too.
			if (s == syscall.SIGINT || s == syscall.SIGQUIT) && c.onTerminal() {
				continue
			}
			_ = to.Signal(s) // it may have ended
		case <-ended:
			ended, missed = nil, time.After(echo) // it is about to come here as well, or never does
		case <-missed:
			if why := c.interrupt(); why != nil {
				_ = to.Signal(why.signal)
			}
		case <-done:
			return
		}
	}
}

// interrupt is the signal that ended this program, nil for none.
func (c Command) interrupt() *Interrupt {
	var why *Interrupt
	if c.Ended == nil || !errors.As(context.Cause(c.Ended), &why) {
		return nil
	}
	return why
}

// notify is [signal.Notify] without what is ignored: what nohup has ignored stays so, also
// for the command.
func notify(to chan<- os.Signal, of ...os.Signal) {
	if of = slices.DeleteFunc(of, signal.Ignored); len(of) > 0 { // none would be all
		signal.Notify(to, of...)
	}
}

func (c Command) onTerminal() bool {
	f, ok := c.Stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
