// Package holder tells who holds a lock: whoever takes one signs for it in its
// file, and who waits too long reads that. It helps people, and no decision is
// made on it: a lock is held by whom the kernel says.
//
// It may touch the file of the lock, and the list of processes where the system has
// one.
package holder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/hsharness/hsharness/internal/pattern"
)

// Size is how many bytes a signature takes.
const Size = 320

// signature is what is written, as JSON. A field may be empty.
type signature struct {
	Lock    string    `json:"lock,omitempty"`
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Space   string    `json:"space,omitempty"` // the PID namespace, in which alone PID means something
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

// longest bounds the texts of a signature, so that it fits.
const longest = 60

// mine is what every signature of this process has.
var mine = sync.OnceValue(func() signature {
	host, _ := os.Hostname()
	return signature{PID: os.Getpid(), Host: clean(host), Space: space(), Command: command(os.Args)}
})

// plainWord is a command of a program, and nothing that may hold a secret.
var plainWord = pattern.New(`^[a-z][a-z-]{0,20}$`)

// command is the program and its command, without arguments: those may hold a
// secret.
func command(args []string) string {
	if len(args) == 0 {
		return ""
	}
	name := clean(filepath.Base(args[0]))
	if len(args) > 1 && plainWord.MatchString(args[1]) {
		name += " " + args[1]
	}
	return name
}

// clean keeps what a terminal prints as it is: the file may be written by others.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
	for len(text) > longest {
		text = text[:strings.LastIndexFunc(text, func(rune) bool { return true })]
	}
	return text
}

// ours is that as JSON, but for the name of the lock and the time: one that is taken
// for each write of a ledger is signed for each time.
var ours = sync.OnceValue(func() string {
	text, _ := json.Marshal(mine()) // texts, numbers and a time
	return strings.TrimSuffix(strings.TrimPrefix(string(text), "{"), `"0001-01-01T00:00:00Z"}`)
})

// Sign says in f, at that offset, that this process holds a lock since now. The
// name of the lock tells it from others that are signed for at the same offset;
// empty is fine where there are none. A signature that can't be written is none.
func Sign(f io.WriterAt, at int64, lock string) {
	line := append(make([]byte, 0, Size), '{')
	if lock != "" {
		name, _ := json.Marshal(lock) // a text
		line = append(append(append(line, `"lock":`...), name...), ',')
	}
	line = append(append(line, ours()...), '"')
	line = append(time.Now().UTC().Truncate(time.Millisecond).AppendFormat(line, time.RFC3339Nano), `"}`...)
	if len(line) >= Size {
		return
	}
	line = append(line, bytes.Repeat([]byte{' '}, Size-len(line)-1)...)
	_, _ = f.WriteAt(append(line, '\n'), at)
}

// Who tells, from the signature in f at that offset, who holds a lock that the
// kernel says is held, such as "process 4711 (hsharness exec) of ci-1 since
// 2026-11-23T09:00:00Z". Without one it is "another process".
func Who(f io.ReaderAt, at int64, lock string) string {
	line := make([]byte, Size)
	n, err := f.ReadAt(line, at)
	if err != nil && err != io.EOF {
		return another
	}
	var s signature
	if json.Unmarshal(bytes.TrimSpace(bytes.Trim(line[:n], "\x00")), &s) != nil || s.Lock != lock || s.PID <= 0 {
		return another
	}
	here := mine()
	near := s.Space == here.Space && s.Space != "" && s.Host == here.Host
	if near && gone(s.PID) {
		return another // that did not sign
	}
	text := fmt.Sprintf("process %d (%s) of %s since %s", s.PID, clean(s.Command), clean(s.Host), s.Since.UTC().Format(time.RFC3339))
	if near && stopped(s.PID) {
		text += fmt.Sprintf(", which is stopped (kill -CONT %d lets it go on)", s.PID)
	}
	return text
}

const another = "another process"
