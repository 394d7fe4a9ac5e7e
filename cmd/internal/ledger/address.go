package ledger

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/session"
	"github.com/hsharness/hsharness/quota"
)

// Address says where a ledger is and of which allowance it must be.
type Address struct {
	// Path is the file of a sqlite: ledger, DSN a shared one's postgres:// URL,
	// which may hold a password. One of them is empty.
	Path, DSN string
	// Allowance is empty where any will do.
	Allowance string
}

// None is the address of a run that is to use no ledger, and so can't spend: as if there
// were none.
const None = "none"

// Address is what the command line says, else the project file, else the default.
// A path is relative to the working directory in the first case and to the
// project file in the others.
func (s Source) Address() (Address, error) {
	text, dir := s.URL, "."
	if text == "" {
		if err := s.Project.LedgerAddress().Unset(s.Getenv); err != nil {
			return Address{}, err // or another ledger would be taken for it
		}
		text, dir = s.Project.Ledger, s.Project.Dir()
	}
	if text == "" {
		text = project.DefaultLedger
	}
	if text == None {
		return Address{}, session.Failed(fmt.Errorf("the ledger's address is %s: %w", None, quota.ErrNoLedger))
	}
	return s.AddressOf(text, dir)
}

// AddressOf reads an address whose path is relative to dir.
func (s Source) AddressOf(text, dir string) (Address, error) {
	at := Address{Allowance: s.Allowance}
	if at.Allowance == "" {
		at.Allowance = s.Project.Allowance.Name
	}
	if strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") {
		at.DSN = text
		return at, nil
	}
	path, ok := strings.CutPrefix(text, "sqlite:")
	if !ok || path == "" {
		// The text is not repeated: it may hold a password.
		return at, fmt.Errorf("the ledger's address is neither sqlite:PATH, such as %s, nor postgres://…", project.DefaultLedger)
	}
	at.Path = project.Under(dir, path)
	return at, nil
}

// Public is the address without its secrets, as --ledger takes it. Two spellings
// of one place may differ.
func (a Address) Public() string {
	if a.DSN == "" {
		path, err := filepath.Abs(a.Path)
		if err != nil {
			path = a.Path
		}
		return "sqlite:" + path
	}
	u, err := url.Parse(a.DSN)
	if err != nil || misplaced(u) {
		return "postgres://…"
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: withoutPassword(u.Path)}
	if name := u.User.Username(); name != "" {
		shown.User = url.User(name)
	}
	kept := url.Values{}
	for _, name := range []string{"host", "port", "user", "dbname", "search_path"} { // what tells one ledger from another
		if v := u.Query().Get(name); v != "" {
			kept.Set(name, withoutPassword(v))
		}
	}
	shown.RawQuery = kept.Encode()
	return shown.String()
}

// misplaced tells that a password seems to stand where an address has its port and what
// follows: postgres://user:12/34@host/name is port 12 of a host called user, and all else a
// database's name. In a name that is meant an @ is written %40.
func misplaced(u *url.URL) bool {
	query, _, _ := strings.Cut(u.RawQuery, "=")
	rest := u.EscapedPath() + "?" + query + "#" + u.EscapedFragment()
	ported := u.Port() != "" || strings.HasSuffix(u.Host, ":")
	return u.User == nil && ported && strings.Contains(rest, "@")
}

// withoutPassword leaves out what stands between a colon and an @, in the way of
// [url.URL.Redacted]: with a slash too many, as in postgres:///user:password@host/name, a
// password is in the path.
func withoutPassword(part string) string {
	colon, at := strings.Index(part, ":"), strings.LastIndex(part, "@")
	if colon < 0 || at < colon {
		return part
	}
	return part[:colon] + ":xxxxx" + part[at:]
}
