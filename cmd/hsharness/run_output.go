package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hsharness/hsharness/cmd/internal/output"
	"github.com/hsharness/hsharness/cmd/internal/process"
	"github.com/hsharness/hsharness/internal/files"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/plain"
	"github.com/hsharness/hsharness/internal/report"
)

// writeRun prints the results, writes the other reports, and turns the bill's
// exit code into this program's. The note comes first.
func (p *program) writeRun(result report.Run, o output.Run, note string) error {
	reports := o.Reports(p.getenv)
	to := p.besides(output.Taken(reports...))
	p.note(note, to)
	printed := func() error {
		if p.format == "json" {
			return report.JSON(to, result)
		}
		err := report.Text(to, result, report.Style{Color: p.color(to), Verbose: p.verbose})
		if err == nil && p.getenv("GITHUB_ACTIONS") == "true" {
			err = output.InRepository(report.GitHub)(to, result)
		}
		if err == nil && o.Summary && p.getenv("GITHUB_STEP_SUMMARY") == "" {
			err = report.Markdown(to, result)
		}
		return err
	}()
	exit := &exitError{code: result.Bill.Exit}
	if exit.code != exitFailed && exit.code != exitOK {
		exit.err = errors.New(result.Bill.Reason)
	}
	return p.after(exit, printed, output.Write(result, p.writeTo, reports...))
}

// note prints a first line, which is no JSON.
func (p *program) note(note string, to ...io.Writer) {
	w := append(to, p.stdout)[0]
	if p.format == "json" {
		w = p.stderr
	}
	_, _ = io.WriteString(w, note) // what is printed next fails alike
}

// besides is where what is printed goes: a report on standard output is there alone.
func (p *program) besides(taken bool) io.Writer {
	if taken {
		return p.stderr
	}
	return p.stdout
}

// after is how a command ends whose result is known, after what could not be written
// of it: with its own code, unless that says that all is well.
func (p *program) after(exit *exitError, lost ...error) *exitError {
	for _, err := range lost {
		if err == nil || process.Unread(err) {
			continue
		}
		fmt.Fprintf(p.stderr, "hsharness: %s\n", plain.Lines(hint.Text(err)))
		if exit.code == exitOK {
			exit = &exitError{code: exitOf(err).code}
		}
	}
	return exit
}

// writeTo opens a file, new or as how says, and lets write fill it. No secret
// gets into it. Standard output is [output.Stdout].
func (p *program) writeTo(name string, how int, write func(io.Writer) error) error {
	if name == output.Stdout {
		return write(p.stdout)
	}
	file, err := files.Stream(name, os.O_CREATE|how, 0o666)
	if err != nil {
		return err
	}
	to := p.masking(file)
	err = write(to)
	return cmp.Or(err, to.Flush(), file.Close())
}
