// Command shell is sh for a Windows that has none, as Git's is on most machines, and by
// other names the few programs that the transcripts start by themselves: true, touch,
// cat, sleep and env. A module of its own keeps its interpreter out of everybody's.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

func main() {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	err := programs[name](os.Args[1:])
	if status := interp.ExitStatus(0); errors.As(err, &status) {
		os.Exit(int(status))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

var programs = map[string]func(args []string) error{
	"sh":   sh,
	"true": func([]string) error { return nil },
	"touch": func(args []string) error {
		var errs []error
		for _, name := range args {
			f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
			if err == nil {
				err = f.Close()
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	},
	"cat": func(args []string) error {
		if len(args) == 0 {
			_, err := io.Copy(os.Stdout, os.Stdin)
			return err
		}
		var errs []error
		for _, name := range args {
			text, err := os.ReadFile(name)
			_, writeErr := os.Stdout.Write(text)
			errs = append(errs, err, writeErr)
		}
		return errors.Join(errs...)
	},
	"sleep": func(args []string) error {
		seconds, err := time.ParseDuration(args[0] + "s")
		<-time.After(seconds)
		return err
	},
	"env": func([]string) error {
		for _, variable := range os.Environ() {
			fmt.Println(variable)
		}
		return nil
	},
}

// sh runs sh -c TEXT [NAME ARG…], or sh FILE [ARG…].
func sh(args []string) error {
	var text string
	switch {
	case len(args) > 1 && args[0] == "-c":
		text, args = args[1], args[2:]
		if len(args) > 0 {
			args = args[1:] // $0
		}
	case len(args) > 0:
		data, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		text, args = string(data), args[1:]
	default:
		return errors.New("neither -c TEXT nor a file")
	}
	script, err := syntax.NewParser().Parse(strings.NewReader(text), "sh")
	if err != nil {
		return err
	}
	r, err := interp.New(interp.StdIO(os.Stdin, os.Stdout, os.Stderr), interp.Params(append([]string{"--"}, args...)...))
	if err != nil {
		return err
	}
	return r.Run(context.Background(), script)
}
