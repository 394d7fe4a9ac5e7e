package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// database is one in a folder, as govulncheck reads it: index/db.json says when it was
// last changed.
type database struct {
	dir      string
	unpacked bool // into a folder of ours
	modified time.Time
}

// kept is where the database is that was fetched last.
func (s settings) kept() string { return filepath.Join(s.cache, "vulndb.zip") }

// fetch gets the newest database, and returns where it is kept, whether it could be
// reached or not.
func (s settings) fetch() string {
	if err := s.download(); err != nil {
		fmt.Fprintln(s.out, "vuln: the newest database was not fetched:", err)
	}
	return s.kept()
}

func (s settings) download() error {
	client := http.Client{Timeout: time.Minute}
	response, err := client.Get(s.from)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", s.from, response.Status)
	}
	if err := os.MkdirAll(s.cache, 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(s.cache, "vulndb-*.part")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }()
	_, err = io.Copy(part, response.Body)
	if err := errors.Join(err, part.Close()); err != nil {
		return err
	}
	db, err := open(part.Name())
	if err != nil {
		return fmt.Errorf("%s: %w", s.from, err)
	}
	db.close()
	return os.Rename(part.Name(), s.kept())
}

// open reads when a database was made, after it was unpacked if it is a file.
func open(file string) (db *database, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	db = &database{dir: file}
	if !info.IsDir() {
		db.unpacked = true
		if db.dir, err = os.MkdirTemp("", "vulns-"); err != nil {
			return nil, err
		}
		err = unpack(file, db.dir)
	}
	if err == nil {
		db.modified, err = modified(db.dir)
	}
	if err != nil {
		db.close()
		return nil, fmt.Errorf("%s is no database of vulnerabilities: %v", file, err)
	}
	return db, nil
}

func modified(dir string) (time.Time, error) {
	data, err := os.ReadFile(filepath.Join(dir, "index", "db.json"))
	if err != nil {
		return time.Time{}, err
	}
	var said struct{ Modified time.Time }
	if err := json.Unmarshal(data, &said); err != nil {
		return time.Time{}, fmt.Errorf("index/db.json: %w", err)
	}
	if said.Modified.IsZero() {
		return time.Time{}, errors.New("index/db.json does not say when it was made")
	}
	return said.Modified, nil
}

// unpack writes the files of a zip into a folder, and none outside of it.
func unpack(file, dir string) error {
	packed, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer func() { _ = packed.Close() }()
	return os.CopyFS(dir, &packed.Reader)
}

// address is the folder as govulncheck wants it named.
func (db *database) address() string {
	dir, err := filepath.Abs(db.dir)
	if err != nil {
		dir = db.dir
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}).String()
}

func (db *database) close() {
	if db.unpacked {
		_ = os.RemoveAll(db.dir)
	}
}
