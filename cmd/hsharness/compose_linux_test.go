package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/internal/apart"
	"github.com/hsharness/hsharness/internal/services"
)

const composeFolder = "../../examples/compose"

// composeService is a service of a compose file, as far as ours say anything.
type composeService struct {
	Image       string            `yaml:"image"`
	PullPolicy  string            `yaml:"pull_policy"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	WorkingDir  string            `yaml:"working_dir"`
	Healthcheck struct {
		Test     []string `yaml:"test"`
		Interval string   `yaml:"interval"`
		Timeout  string   `yaml:"timeout"`
		Retries  int      `yaml:"retries"`
	} `yaml:"healthcheck"`
	DependsOn map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
}

// readCompose reads the example; what is not known here is an error.
func readCompose(t *testing.T) (server, tests composeService) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(composeFolder, "compose.yaml"))
	require.NoError(t, err)
	var file struct {
		Services map[string]composeService `yaml:"services"`
	}
	require.NoError(t, yaml.UnmarshalWithOptions(text, &file, yaml.Strict()))
	require.Len(t, file.Services, 2)
	return file.Services["hsharness"], file.Services["tests"]
}

// imageEnvironment is what the image sets.
func imageEnvironment(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../Dockerfile")
	require.NoError(t, err)
	_, env, ok := strings.Cut(string(text), "\nENV ")
	require.True(t, ok)
	env, _, _ = strings.Cut(strings.ReplaceAll(env, "\\\n", " "), "\n")
	all := strings.Fields(env)
	require.Len(t, all, 4)
	return all
}

// TestComposeFile: the names, ports and flags of the example are those that there are.
func TestComposeFile(t *testing.T) {
	t.Parallel()
	server, tests := readCompose(t)
	require.NoError(t, checkCall(server.Command))
	require.Equal(t, "CMD", server.Healthcheck.Test[0])
	require.Equal(t, "hsharness", server.Healthcheck.Test[1])
	require.NoError(t, checkCall(server.Healthcheck.Test[2:]))
	assert.Equal(t, "never", server.PullPolicy, "nobody else's image of that name is run")
	assert.Equal(t, "service_healthy", tests.DependsOn["hsharness"].Condition)
	from, to, _ := strings.Cut(tests.Volumes[0], ":")
	assert.DirExists(t, filepath.Join(composeFolder, from))
	assert.Equal(t, tests.WorkingDir+":ro", to)
	if exec.Command("docker", "compose", "version").Run() == nil {
		out, err := exec.Command("docker", "compose", "-f", filepath.Join(composeFolder, "compose.yaml"), "config", "--quiet").CombinedOutput()
		assert.NoError(t, err, "%s", out)
	} else {
		t.Log("NOT RUN: docker compose is not installed, so that our reader alone has read the file")
	}
}

// TestComposeTopology runs the two services of the example as its containers would
// run: each in a network of its own, with a wire between them and names for both.
func TestComposeTopology(t *testing.T) {
	t.Parallel()
	hosts := filepath.Join(t.TempDir(), "hosts")
	const address = "10.78.0.1"
	if !apart.Afar(t, "echo '127.0.0.1 localhost\n"+address+" hsharness' >"+hosts+"; mount --bind "+hosts+" /etc/hosts") {
		return
	}
	server, tests := readCompose(t)
	serve := exec.CommandContext(t.Context(), "hsharness", server.Command...)
	serve.Env = append([]string{"PATH=" + os.Getenv("PATH")}, imageEnvironment(t)...)
	serve.Dir = t.TempDir()
	stdout, err := serve.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, serve.Start())
	defer func() {
		require.NoError(t, serve.Process.Signal(os.Interrupt))
		_ = serve.Wait() // it was interrupted
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	var ends services.Endpoints
	require.NoError(t, json.Unmarshal([]byte(line), &ends))
	check := exec.CommandContext(t.Context(), server.Healthcheck.Test[1], server.Healthcheck.Test[2:]...)
	check.Env = serve.Env
	out, err := check.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, tests.Environment["HSHARNESS_TOKEN_URL"], ends.Sandbox.Token)
	assert.Equal(t, tests.Environment["HSHARNESS_API_URL"], ends.Sandbox.API)
	assert.Equal(t, tests.Environment["HSHARNESS_CLIENT_ID"], ends.ClientID)
	assert.Equal(t, tests.Environment["HSHARNESS_CLIENT_SECRET"], ends.ClientSecret)

	// The suite of the example, and a client that another container makes.
	app, err := filepath.Abs(filepath.Join(composeFolder, "../python"))
	require.NoError(t, err)
	run := func(dir string, env []string, command ...string) (string, error) {
		c := wired(t, address, command...)
		c.Dir, c.Env = dir, append([]string{"PATH=" + os.Getenv("PATH")}, env...)
		return c.run(t)
	}
	var env []string
	for name, value := range tests.Environment {
		env = append(env, name+"="+value)
	}
	text, err := run(app, env, tests.Command...)
	require.NoError(t, err, text)
	assert.Contains(t, text, "Ran 2 tests")
	text, err = run("", nil, "curl", "-sf", "-H", "Authorization: Bearer "+ends.ControlToken, "--json", "{}", ends.ControlURL+"/clients")
	require.NoError(t, err, text)
	var client services.ClientAnswer
	require.NoError(t, json.Unmarshal([]byte(text), &client))
	assert.Equal(t, 11, strings.Count(text, "http://hsharness:87"), "each of its URLs: %s", text)
	text, err = run("", nil, "curl", "-sf", "-d", "grant_type=client_credentials&scope=hs-code-classification&client_id="+client.ClientID+"&client_secret="+client.ClientSecret, client.Sandbox.Token)
	require.NoError(t, err, text)
	assert.Contains(t, text, "access_token")
	_, err = run("", nil, "curl", "-sf", "--json", "{}", ends.ControlURL+"/clients")
	require.Error(t, err, "who can reach it has to have its token")
}

// wiredCommand is a command in a network of its own, with a wire to this one.
type wiredCommand struct {
	*exec.Cmd
	address string
}

// wired readies a command whose network has nothing but a wire to this address.
func wired(t *testing.T, address string, command ...string) wiredCommand {
	t.Helper()
	const first = `PATH=$PATH:/usr/sbin:/sbin; ip link set lo up; echo ready; read -r go; ip address add 10.78.0.2/24 dev c0; ip link set c0 up; exec "$@"`
	return wiredCommand{exec.CommandContext(t.Context(), "unshare", append([]string{"--net", "sh", "-ec", first, "sh"}, command...)...), address}
}

// run lays the wire once the network is there, and returns what the command printed.
func (c wiredCommand) run(t *testing.T) (string, error) {
	t.Helper()
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	c.Stderr = c.Stdout
	require.NoError(t, c.Start())
	reader := bufio.NewReader(out)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	link := func(lines string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "sh", "-ec", "PATH=$PATH:/usr/sbin:/sbin; "+lines).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	link(`ip link add h0 type veth peer name c0 netns ` + strconv.Itoa(c.Process.Pid) + `; ip address add ` + c.address + `/24 dev h0; ip link set h0 up`)
	// The kernel takes the wire away with the other network, but in its own time.
	defer link(`ip link delete h0 2>/dev/null || true`)
	_, err = io.WriteString(in, "go\n")
	require.NoError(t, err)
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	return string(text), c.Wait()
}
