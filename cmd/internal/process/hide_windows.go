package process

// Memory is nothing here: the system keeps one environment of a process, the
// one that it changes.
type Memory struct{}

func (*Memory) overwriteVariable(string) {}

// Hide does nothing here: the system has no such switch.
func Hide() (*Memory, error) { return &Memory{}, nil }

// Start starts a command: there are none here.
func Start(start func() error) error { return start() }
