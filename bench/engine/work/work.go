// Package work is what programs of [github.com/hsharness/hsharness/bench/engine] do, each with
// an engine of its own, by database/sql.
package work

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Main opens the database of the second argument with a driver, and does what the first
// one says: start opens and reads one row, spend makes as many durable transactions as
// the third argument says, and scan reads so many rows. It prints the seconds that took.
func Main(driver string) {
	took, err := run(driver, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(took.Seconds())
}

func run(driver string, args []string) (took time.Duration, err error) {
	const words = 3
	if len(args) != words {
		return 0, fmt.Errorf("usage: start|spend|scan FILE N, got %q", args)
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	db, err := sql.Open(driver, "file:"+args[1])
	if err != nil {
		return 0, err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, pragma := range []string{"journal_mode=WAL", "synchronous=FULL"} {
		if _, err := db.Exec("PRAGMA " + pragma); err != nil {
			return 0, err
		}
	}
	switch args[0] {
	case "start":
		var one int
		err = db.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&one)
		return time.Since(begun), err
	case "spend":
		return spend(db, n)
	case "scan":
		return scan(db, n)
	}
	return 0, fmt.Errorf("%q is none of start, spend, scan", args[0])
}

// spend is the least that a ledger does: one conditional update and one insert, flushed.
func spend(db *sql.DB, n int) (time.Duration, error) {
	if _, err := db.Exec(`CREATE TABLE account(id INTEGER PRIMARY KEY, held INTEGER NOT NULL, lim INTEGER NOT NULL) STRICT;
		CREATE TABLE entry(id TEXT PRIMARY KEY, payload TEXT NOT NULL) STRICT;
		INSERT INTO account VALUES (1, 0, 1000000000)`); err != nil {
		return 0, err
	}
	payload, begun := strings.Repeat("x", 170), time.Now()
	for i := range n {
		tx, err := db.Begin()
		if err != nil {
			return 0, err
		}
		_, err = tx.Exec("UPDATE account SET held = held + 1 WHERE id = 1 AND held + 1 <= lim")
		_, err2 := tx.Exec("INSERT INTO entry VALUES (?, ?)", strconv.Itoa(i), payload)
		if err = errors.Join(err, err2, tx.Commit()); err != nil {
			return 0, err
		}
	}
	return time.Since(begun), nil
}

// scan reads rows as a report does.
func scan(db *sql.DB, n int) (time.Duration, error) {
	if _, err := db.Exec(`CREATE TABLE entry(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, status INTEGER NOT NULL) STRICT;
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ` + strconv.Itoa(n) + `)
		INSERT INTO entry SELECT i, CASE i % 2 WHEN 0 THEN 'spend' ELSE 'settle' END, 'spend number ' || i, 200 FROM n`); err != nil {
		return 0, err
	}
	begun := time.Now()
	rows, err := db.Query("SELECT seq, id FROM entry WHERE kind = 'spend' OR status >= 400 ORDER BY seq")
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }() // it was read, or its error was
	found := 0
	for ; rows.Next(); found++ {
		var seq int64
		var id string
		if err := rows.Scan(&seq, &id); err != nil {
			return 0, err
		}
	}
	if found != n/2 {
		return 0, fmt.Errorf("%d rows were found, want %d", found, n/2)
	}
	return time.Since(begun), rows.Err()
}
