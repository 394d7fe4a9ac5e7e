// Command vulns looks for known vulnerabilities in packages by govulncheck, with a
// database that is a file: where there is a network it is fetched and kept, and where
// there is none the kept one is read. It says of which day the database is. Where there
// is none at all it says so; with -required, as before a release, that is a failure, and
// so is a database that is too old.
//
// Usage, from the top of the tree: go run ./testdata/vulns -govulncheck PROGRAM
// [-db FILE] [-from URL] [-required] [-days N] PACKAGE…
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"time"
)

// from is where Go's security team has the database as one file.
const from = "https://vuln.go.dev/vulndb.zip"

// settings are those of the command line.
type settings struct {
	program  string        // of govulncheck
	db       string        // a file or folder; "" is the kept one, which is fetched first
	from     string        // its address
	cache    string        // the folder where it is kept
	required bool          // no database, or an old one, is a failure
	oldest   time.Duration // how old a required one may be
	packages []string
	now      time.Time
	out      io.Writer
}

func main() {
	s := settings{now: time.Now(), out: os.Stdout}
	flag.StringVar(&s.program, "govulncheck", "govulncheck", "the program that looks")
	flag.StringVar(&s.db, "db", "", "the database, a zip file or its folder; without it the one that is fetched")
	flag.StringVar(&s.from, "from", from, "where it is fetched")
	flag.BoolVar(&s.required, "required", false, "fail without a database, and with an old one")
	days := flag.Int("days", 14, "how many days old a required one may be")
	flag.Parse()
	s.oldest, s.packages = time.Duration(*days)*24*time.Hour, flag.Args()
	cache, err := os.UserCacheDir()
	if err == nil {
		s.cache = cache + "/hsharness"
		err = s.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vuln:", err)
		os.Exit(1)
	}
}

func (s settings) run() error {
	file := s.db
	if file == "" {
		file = s.fetch()
	}
	db, err := open(file)
	if errors.Is(err, fs.ErrNotExist) && s.db == "" {
		if s.required {
			return fmt.Errorf("no database: it could not be fetched, and none is kept in %s; make vuln VULN_DB=vulndb.zip names one", s.cache)
		}
		fmt.Fprintln(s.out, "vuln: NOT CHECKED, there is no database: make vuln VULN_DB=vulndb.zip names one, of", s.from)
		return nil
	}
	if err != nil {
		return err
	}
	defer db.close()
	age := s.now.Sub(db.modified)
	days := int(age / (24 * time.Hour))
	fmt.Fprintf(s.out, "vuln: the database is of %s, %d days old: %s\n", db.modified.UTC().Format(time.DateOnly), days, file)
	if s.required && age > s.oldest {
		return fmt.Errorf("%s is %d days old, and a release wants one of at most %d", file, days, int(s.oldest/(24*time.Hour)))
	}
	if err := s.look(db); err != nil {
		return fmt.Errorf("govulncheck: %w", err) // it has said which
	}
	return nil
}

func (s settings) look(db *database) error {
	c := exec.Command(s.program, append([]string{"-db", db.address()}, s.packages...)...)
	c.Stdout, c.Stderr = s.out, s.out
	return c.Run()
}
