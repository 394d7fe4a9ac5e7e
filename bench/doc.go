// Package bench compares hsharness with its peers: the same work, in the same
// run, on the same machine. Each folder is one comparison. They are a module of
// their own, so that peers do not enter the module graph of those who import
// hsharness.
package bench
