package main

// ownMemory is nothing here: the system keeps one environment of a process, the
// one that it changes.
type ownMemory struct{}

func (*ownMemory) overwriteVariable(string) {}

// hideProcess does nothing here: the system has no such switch.
func hideProcess() (*ownMemory, error) { return &ownMemory{}, nil }

// commandLimits starts a command: there are none here.
func commandLimits(start func() error) error { return start() }
