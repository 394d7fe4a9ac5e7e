package process

import (
	"os"
	"os/signal"
	"syscall"
)

// KeepPipes lets this program go on when the reader of what it prints is gone, until
// end is called: its exit code is not about that. Commands that it starts are ended
// by the signal as ever.
func KeepPipes() (end func()) {
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGPIPE)
	return func() { signal.Stop(ignored) }
}
