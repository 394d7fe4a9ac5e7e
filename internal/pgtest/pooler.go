package pgtest

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// told has what was said once.
var told sync.Map

// Pooler starts a pgbouncer for one test, in front of the server that dsn names
// and with its own defaults but for settings, lines of its pgbouncer section such
// as "pool_mode = transaction". It returns dsn with the pooler's address. It ends
// with the test.
//
// Where there is no pgbouncer it says so once, and returns false, or fails the
// test where CI is set.
func Pooler(tb testing.TB, dsn string, settings ...string) (string, bool) {
	tb.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer") // where Debian has it, which is not in every PATH
	}
	if err != nil {
		const why = "there is no pgbouncer: apt-get install pgbouncer"
		if os.Getenv("CI") != "" {
			tb.Fatal(why)
		}
		if _, again := told.LoadOrStore(why, true); !again {
			fmt.Fprintf(os.Stderr, "%s and others did not run: %s\n", tb.Name(), why)
		}
		return "", false
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	owner, err := unprivileged() // it refuses root, as PostgreSQL does
	if err != nil {
		tb.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "hspb") // short, as the name of a socket must be
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	users := fmt.Sprintf("%q \"\"\n", config.User)
	ini := fmt.Sprintf("[databases]\n* = host=%s port=%d\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = %s\nauth_type = trust\nauth_file = %s\n%s\n",
		config.Host, config.Port, dir, filepath.Join(dir, "users"), strings.Join(settings, "\n"))
	for name, text := range map[string]string{"users": users, "ini": ini} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	if owner != nil {
		if err := os.Chown(dir, int(owner.uid), int(owner.gid)); err != nil {
			tb.Fatal(err)
		}
	}
	c := exec.Command(program, filepath.Join(dir, "ini"))
	c.Dir = dir
	c.SysProcAttr = attributes(owner)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- runPooler(c, ready) }()
	select {
	case <-ready:
	case err := <-ended:
		tb.Fatalf("pgbouncer did not start: %v", err)
	}
	tb.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGQUIT) // at once, whoever is connected
		<-ended                               //nolint:errcheck // how it ended does not matter
	})
	return at(dsn, dir, poolerPort), true
}

// runPooler starts pgbouncer, says when it accepts connections, and waits for its
// end. It stays on one thread for that, see [server.run].
func runPooler(c *exec.Cmd, ready chan<- struct{}) error {
	runtime.LockOSThread()
	log, err := c.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	var said strings.Builder
	up := false
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if fmt.Fprintln(&said, lines.Text()); !up && strings.Contains(lines.Text(), "process up") {
			up = true
			close(ready)
		}
	}
	return fmt.Errorf("pgbouncer: %w\n%s", c.Wait(), said.String())
}

// poolerPort is the port of pgbouncer's that names its socket.
const poolerPort = "6432"

// at is dsn with another host and port.
func at(dsn, host, port string) string {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" {
		return dsn + " host=" + host + " port=" + port
	}
	u.Host = ""
	q := u.Query()
	q.Set("host", host)
	q.Set("port", port)
	u.RawQuery = q.Encode()
	return u.String()
}
