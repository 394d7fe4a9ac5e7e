package intercept

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/avalara"
	"github.com/hsharness/hsharness/internal/guard"
)

// program is where a program is. A machine with Go alone may lack it, and says that its
// part did not run; CI has all.
func program(t *testing.T, name string) (path string, installed bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "%s is not installed", name)
		t.Logf("NOT RUN: %s is not installed", name)
	}
	return path, err == nil
}

// Programs that know nothing of us ask for the real URLs, and get our answer.
func TestProgramsAreIntercepted(t *testing.T) {
	t.Parallel()
	p, _ := open(t, guard.Offline)
	const target = "https://login.sandbox.invalid" + avalara.PathDiscovery
	const java = `import java.net.*; import java.net.http.*;
class Ask { public static void main(String[] a) throws Exception {
 System.out.println(new String(new URL(a[0]).openStream().readAllBytes()));
 System.out.println(HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(a[0])).build(), HttpResponse.BodyHandlers.ofString()).body());
} }`
	source := filepath.Join(t.TempDir(), "Ask.java")
	require.NoError(t, os.WriteFile(source, []byte(java), 0o600))
	for name, args := range map[string][]string{
		"curl":    {"-sS", target},
		"python3": {"-c", "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())", target},
		"php":     {"-r", "$c = curl_init($argv[1]); curl_exec($c) or exit(1);", target},
		"perl":    {"-MHTTP::Tiny", "-e", "$r = HTTP::Tiny->new(verify_SSL => 1)->get($ARGV[0]); die $r->{content} unless $r->{success}; print $r->{content}", target},
		"ruby":    {"-ropen-uri", "-e", "puts URI.open(ARGV[0]).read", target},
		"java":    {"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", source, target},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, ok := program(t, name)
			if !ok {
				return
			}
			cmd := exec.Command(path, args...)
			cmd.Env = p.Environ(os.Environ())
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Contains(t, string(out), `"issuer":"https://login.sandbox.invalid"`)
		})
	}
}
