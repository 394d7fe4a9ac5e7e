//go:build !windows

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/plan"
	"github.com/hsharness/hsharness/internal/report"
)

// trouble is a sandbox whose API is reached through a hook, and the commands that
// run against it as processes.
type trouble struct {
	*sandbox
	recordings string
	asked      atomic.Int64 // requests that reached the API, answered well or not
	// hook may answer instead of the sandbox; it then returns true.
	hook atomic.Pointer[func(w http.ResponseWriter, nth int64) bool]
}

func newTrouble(t *testing.T) *trouble {
	t.Helper()
	s := &trouble{sandbox: newSandbox(t, 50)}
	s.recordings = filepath.Join(s.dir, "recordings")
	target, err := url.Parse(s.server.Endpoints.Sandbox.API)
	require.NoError(t, err)
	api := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nth := s.asked.Add(1)
		if hook := s.hook.Load(); hook == nil || !(*hook)(w, nth) {
			api.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(proxy.Close)
	project, err := os.ReadFile(filepath.Join(s.dir, "hsharness.yaml"))
	require.NoError(t, err)
	project = bytes.Replace(project, []byte(target.String()), []byte(proxy.URL), 1)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "hsharness.yaml"), project, 0o644))
	return s
}

// on sets the hook.
func (s *trouble) on(hook func(w http.ResponseWriter, nth int64) bool) { s.hook.Store(&hook) }

// exits runs a command that must exit with a code, and returns what it printed.
func (s *trouble) exits(code int, args ...string) string {
	s.t.Helper()
	return exitsWith(s.t, s.command(args...), code)
}

func exitsWith(t *testing.T, cmd *exec.Cmd, code int) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	got := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		require.NoError(t, err, "%s", out)
	}
	require.Equal(t, code, got, "%s\n%s", cmd, out)
	return string(out)
}

// files lists the recordings.
func (s *trouble) files() []string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.recordings, "*", "*.json"))
	require.NoError(s.t, err)
	return files
}

// TestUnwritableRecordingsBuyNothing asks one question five times in each of three
// runs, where what comes can't be recorded.
func TestUnwritableRecordingsBuyNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, s *trouble){
		"a file": func(t *testing.T, s *trouble) { require.NoError(t, os.WriteFile(s.recordings, nil, 0o644)) },
		"not this user's": func(t *testing.T, s *trouble) {
			require.NoError(t, os.MkdirAll(s.recordings, 0o755))
			require.NoError(t, os.Chmod(s.recordings, 0o555))
		},
		"the operation's folder": func(t *testing.T, s *trouble) {
			dir := filepath.Join(s.recordings, "post-hscode")
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.Chmod(dir, 0o555))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTrouble(t)
			spoil(t, s)
			five := []string{"sh", "-c", "for i in 1 2 3 4 5; do classify; done"}
			run := s.unprivileged()
			for _, mode := range []string{"record", "live", "record"} {
				out := exitsWith(t, run(append([]string{"exec", "--mode", mode, "--max-spend", "5", "--"}, five...)...), map[bool]int{true: 2, false: 1}[name == "a file"])
				assert.Equal(t, 5, strings.Count(out, "424 recording-"), out)
				assert.Contains(t, out, s.recordings)
				assert.Contains(t, out, `"command":"hsharness `)
			}
			assert.Zero(t, s.asked.Load())
			status := s.status()
			assert.Zero(t, status.Spent)
			assert.Zero(t, status.Held)
			out := exitsWith(t, run("doctor"), 2)
			assert.Regexp(t, `(?m)^error +recordings .*recordings`, out)
			assert.Regexp(t, `(?m)mend: .*recordings`, out)

			require.NoError(t, filepath.WalkDir(s.recordings, func(name string, d os.DirEntry, err error) error {
				if !d.IsDir() {
					return os.Remove(name)
				}
				return os.Chmod(name, 0o777)
			}))
			out = exitsWith(t, run(append([]string{"exec", "--mode", "record", "--max-spend", "5", "--"}, five...)...), 0)
			assert.Contains(t, out, "spent 1 · replayed 4")
			assert.EqualValues(t, 1, s.served())
			assert.Regexp(t, `(?m)^ok +recordings +1 in `, exitsWith(t, run("doctor"), 0))
		})
	}
}

// unprivileged runs commands as somebody whom permissions bind: root may write
// anywhere.
func (s *trouble) unprivileged() func(args ...string) *exec.Cmd {
	if os.Getuid() != 0 {
		return s.command
	}
	const nobody = 65534
	// The program is where only its owner may look.
	bin := s.t.TempDir()
	binary, err := os.ReadFile(must(os.Executable()))
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(filepath.Join(bin, "hsharness"), binary, 0o755))
	require.NoError(s.t, os.Link(filepath.Join(bin, "hsharness"), filepath.Join(bin, "classify")))
	for dir := bin; dir != os.TempDir() && len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		require.NoError(s.t, os.Chmod(dir, 0o755))
	}
	return func(args ...string) *exec.Cmd {
		for dir := s.dir; dir != os.TempDir() && len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
			require.NoError(s.t, os.Chmod(dir, 0o755))
		}
		require.NoError(s.t, filepath.WalkDir(s.dir, func(name string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(name, nobody, nobody))
		}))
		cmd := s.command(args...)
		cmd.Path = filepath.Join(bin, "hsharness")
		cmd.Env = append(cmd.Env, "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+s.dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestAnswerThatWasNotRecordedAnswers: the folder goes away while an answer is on its
// way. It is bought once, for this run and the next ones, and comes home.
func TestAnswerThatWasNotRecordedAnswers(t *testing.T) {
	t.Parallel()
	s := newTrouble(t)
	s.on(func(http.ResponseWriter, int64) bool {
		assert.NoError(t, os.RemoveAll(s.recordings))
		assert.NoError(t, os.WriteFile(s.recordings, nil, 0o644))
		return false
	})
	out := s.exits(1, "exec", "--mode", "record", "--max-spend", "9", "--", "sh", "-c", "classify; rm recordings; classify 3")
	assert.Equal(t, 2, strings.Count(out, "200 \n"), out)
	assert.Equal(t, 2, strings.Count(out, "424 recording-failed\n"), "%s", out)
	assert.Contains(t, out, "nothing more is bought in it")
	assert.Contains(t, out, "emergency copy at ")
	assert.EqualValues(t, 1, s.served())

	require.NoError(t, os.WriteFile(s.recordings, nil, 0o644))
	for range 3 {
		assert.Contains(t, s.exits(0, "exec", "--mode", "record", "--max-spend", "9", "--", "classify"), "200 \n")
	}
	assert.Contains(t, s.exits(2, "exec", "--mode", "record", "--max-spend", "9", "--", "classify", "2"), "424 recording-damaged\n")
	assert.EqualValues(t, 1, s.asked.Load())
	out = s.exits(2, "doctor")
	assert.Regexp(t, `(?m)^error +recordings .*recordings: no folder: a file`, out)
	assert.Regexp(t, `(?m)^warning +recordings +answers that could not be recorded, and answer on this machine alone: 1\n +mend: hsharness recordings recover$`, out)

	require.NoError(t, os.Remove(s.recordings))
	s.hook.Store(nil)
	assert.Contains(t, s.exits(0, "recordings", "ls"), ".hsharness/emergency/post-hscode/")
	assert.Contains(t, s.exits(0, "recordings", "recover"), "recovered answers: 1 of 1")
	assert.Contains(t, s.exits(0, "recordings", "recover"), "every answer is where it belongs")
	assert.NotContains(t, s.exits(2, "recordings", "recover", "gone.json"), "; make ")
	require.Len(t, s.files(), 1)
	assert.Regexp(t, `(?m)^ok +recordings `, s.exits(0, "doctor"))
	assert.Contains(t, s.exits(0, "exec", "--mode", "replay", "--", "classify"), "200 \n")
	assert.EqualValues(t, 1, s.status().Spent)
	assert.EqualValues(t, 1, s.asked.Load())
	s.verify()
}

// TestPassingFailureIsNoAnswer: plan, run, exec and the bill agree that it is asked
// again.
func TestPassingFailureIsNoAnswer(t *testing.T) {
	t.Parallel()
	s := newTrouble(t)
	const question = "version: 1\nname: shirt\nsteps: [ { request: POST /hscode/classify, body: { description: cotton t-shirt number 0, countryOfDestination: US } } ]\n"
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "shirt.yaml"), []byte(question), 0o644))
	s.on(func(w http.ResponseWriter, nth int64) bool {
		if nth <= 2 {
			w.WriteHeader(map[int64]int{1: 503, 2: 500}[nth])
		}
		return nth <= 2
	})
	plan := func() (sure, worst, recorded, again int) {
		var p plan.Plan
		require.NoError(t, json.Unmarshal([]byte(s.exits(0, "plan", "shirt.yaml", "--format", "json")), &p))
		require.Equal(t, p.Again, p.Scenarios[0].Again)
		return p.Sure, p.Worst, p.Scenarios[0].Recorded, p.Again
	}
	bill := func(name string) report.Bill {
		var b report.Bill
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &b))
		return b
	}
	four := func(a, b, c, d int) [4]int { return [4]int{a, b, c, d} }

	assert.Equal(t, [4]int{1, 2, 0, 0}, four(plan()))
	assert.Contains(t, s.exits(0, "exec", "--mode", "record", "--max-spend", "1", "--", "classify"), "503 \n")
	assert.Contains(t, s.exits(0, "recordings", "ls"), "503 evidence")
	assert.Equal(t, [4]int{1, 2, 0, 1}, four(plan()))
	assert.Contains(t, s.exits(0, "plan", "shirt.yaml"), "asked again, because what came before is kept as evidence and is no answer: 1")
	out := s.exits(3, "exec", "--mode", "replay", "--", "classify")
	assert.Contains(t, out, "was 503, which is kept in ")
	assert.Contains(t, out, "buying it costs 1")

	s.exits(1, "run", "--mode", "record", "--max-spend", "1", "--json", "first.json", "shirt.yaml")
	assert.Equal(t, report.Bill{Requests: 1, Spent: 1, AskedAgain: 1}, counts(bill("first.json")), "it is 500 now")
	assert.Equal(t, [4]int{1, 2, 0, 1}, four(plan()))
	out = s.exits(0, "exec", "--mode", "record", "--max-spend", "1", "--", "classify")
	assert.Contains(t, out, "200 \n")
	assert.Contains(t, out, "hsharness: spent 1 · asked again 1 · 47 left")

	assert.Equal(t, [4]int{0, 0, 1, 0}, four(plan()))
	s.exits(0, "run", "--mode", "record", "--max-spend", "1", "--json", "second.json", "shirt.yaml")
	assert.Equal(t, report.Bill{Requests: 1, Replayed: 1, WouldHaveSpent: 1}, counts(bill("second.json")))
	assert.Contains(t, s.exits(0, "exec", "--mode", "replay", "--", "classify"), "200 \n")
	require.Len(t, s.files(), 1, "what failed and what answers is one recording")
	assert.EqualValues(t, 3, s.asked.Load())
	assert.EqualValues(t, 3, s.status().Spent)
	s.verify()
}

// TestVerifyThatFailsLeavesTheAnswer: what a failing sandbox answers to a verification
// spoils no recording.
func TestVerifyThatFailsLeavesTheAnswer(t *testing.T) {
	t.Parallel()
	s := newTrouble(t)
	s.exits(0, "exec", "--mode", "record", "--max-spend", "2", "--", "classify", "2")
	s.on(func(w http.ResponseWriter, _ int64) bool { w.WriteHeader(503); return true })
	out := s.exits(5, "recordings", "verify", "--sample", "2", "--max-spend", "2")
	assert.Regexp(t, `the sandbox's 503 is kept as evidence, and recordings/post-hscode/\w+\.json answers as before`, out)
	assert.EqualValues(t, 3, s.asked.Load(), "it stops at the first")
	assert.EqualValues(t, 3, s.status().Spent)
	s.exits(0, "exec", "--mode", "replay", "--", "classify", "2")
	assert.NotContains(t, s.exits(0, "recordings", "ls"), "503")
	s.hook.Store(nil)
	assert.Contains(t, s.exits(0, "recordings", "verify", "--sample", "2", "--max-spend", "2"), "no difference")
	s.verify()
}

// counts are the counts of a bill, without what differs from run to run.
func counts(b report.Bill) report.Bill {
	return report.Bill{Requests: b.Requests, Spent: b.Spent, Replayed: b.Replayed, Missed: b.Missed, AskedAgain: b.AskedAgain, WouldHaveSpent: b.WouldHaveSpent}
}

// TestEachLanguageIsBoughtOnce: the header that a client sends makes it another
// question.
func TestEachLanguageIsBoughtOnce(t *testing.T) {
	t.Parallel()
	s := newTrouble(t)
	text := "version: 1\nname: languages\nmatrix: { language: [en, fr, '*', 'FR ; q=1.0'] }\nsteps: [ { request: POST /hscode/classify, headers: { Accept-Language: '{{ matrix.language }}' }, body: { description: shirt, countryOfDestination: US } } ]\n"
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "languages.yaml"), []byte(text), 0o644))
	assert.Contains(t, s.exits(0, "plan", "languages.yaml"), "sure 3, worst 5 units")
	assert.Contains(t, s.exits(0, "run", "--mode", "record", "--max-spend", "9", "languages.yaml"), "spent 3 · replayed 1")
	assert.Contains(t, s.exits(0, "run", "--mode", "record", "--max-spend", "9", "languages.yaml"), "spent 0 · replayed 4")
	s.exits(0, "run", "--mode", "replay", "languages.yaml")
	assert.EqualValues(t, 3, s.served())
}

// TestAnswersAndHeadersAreSettings: a project that tests an outage keeps the 503 as an
// answer, and what was recorded before is judged by its setting.
func TestAnswersAndHeadersAreSettings(t *testing.T) {
	t.Parallel()
	s := newTrouble(t)
	project := filepath.Join(s.dir, "hsharness.yaml")
	before, err := os.ReadFile(project)
	require.NoError(t, err)
	set := func(text string) {
		require.NoError(t, os.WriteFile(project, append(before[:len(before):len(before)], "recordings: { "+text+" }\n"...), 0o644))
	}
	text := "version: 1\nname: countries\nmatrix: { country: [DE, at, AT] }\nsteps: [ { request: POST /hscode/classify, headers: { X-Country: '{{ matrix.country }}' }, body: { description: shirt }, expect: { status: [200, 503] } } ]\n"
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "countries.yaml"), []byte(text), 0o644))
	s.on(func(w http.ResponseWriter, nth int64) bool {
		if nth == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return nth == 1
	})
	set("headers: [x-country], answers: [2xx, 503, 404]")
	assert.Contains(t, s.exits(0, "plan", "countries.yaml"), "sure 3, worst 4 units")
	assert.Contains(t, s.exits(0, "run", "--mode", "record", "--max-spend", "9", "countries.yaml"), "spent 3 ")
	assert.Contains(t, s.exits(0, "run", "--mode", "record", "--max-spend", "9", "countries.yaml"), "spent 0 · replayed 3")
	assert.Contains(t, s.exits(0, "recordings", "ls"), "  503  ")

	set("headers: [x-country], answers: [2xx]")
	assert.Contains(t, s.exits(0, "recordings", "ls"), "  503 evidence  ")
	assert.Contains(t, s.exits(0, "plan", "countries.yaml"), "sure 1, worst 2 units")
	assert.Contains(t, s.exits(0, "run", "--mode", "record", "--max-spend", "9", "countries.yaml"), "spent 1 · asked again 1 · replayed 2")
	assert.EqualValues(t, 4, s.asked.Load())
	assert.EqualValues(t, 4, s.status().Spent)
}

// TestDamagedRecordingsBuyNothing: what can't be read may be the answer. Each command
// that looks says so and none waits for a FIFO.
func TestDamagedRecordingsBuyNothing(t *testing.T) {
	t.Parallel()
	s := newTrouble(t)
	s.exits(0, "exec", "--mode", "record", "--max-spend", "2", "--", "classify", "2")
	files := s.files()
	require.Len(t, files, 2)
	good := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		good[file] = text
	}
	for name, spoil := range map[string]func(file string) error{
		"dangling link": func(file string) error { return os.Symlink("nowhere", file) },
		"folder":        func(file string) error { return os.Mkdir(file, 0o755) },
		"FIFO":          func(file string) error { return exec.Command("mkfifo", file).Run() },
		"truncated":     func(file string) error { return os.WriteFile(file, good[file][:len(good[file])/2], 0o644) },
		"swapped":       func(file string) error { return os.WriteFile(file, good[files[1]], 0o644) },
		"huge": func(file string) error {
			return errors.Join(os.WriteFile(file, nil, 0o644), os.Truncate(file, 1<<40))
		},
	} {
		require.NoError(t, os.Remove(files[0]))
		require.NoError(t, spoil(files[0]))
		base := filepath.Base(files[0])
		commands := [][]string{{"exec", "--mode", "record", "--max-spend", "2", "--", "classify", "2"}, {"recordings", "scan"}, {"doctor"}}
		if name == "FIFO" || name == "dangling link" {
			commands = append(commands, []string{"exec", "--mode", "live", "--max-spend", "2", "--", "sh", "-c", "classify 2 | grep damaged"},
				[]string{"exec", "--mode", "replay", "--", "classify", "2"}, []string{"recordings", "ls"})
		}
		for _, args := range commands {
			before := s.asked.Load()
			out := s.exits(2, args...)
			assert.Contains(t, out, base, "%s: %s", name, args)
			if strings.Contains(fmt.Sprint(args), "live") {
				assert.LessOrEqual(t, s.asked.Load(), before+1, "the other one is bought")
				require.NoError(t, os.WriteFile(files[1], good[files[1]], 0o644))
			} else {
				assert.Equal(t, before, s.asked.Load(), "%s: %s", name, args)
			}
			if args[0] != "exec" {
				assert.Contains(t, out, "git checkout -- ", "%s: %s", name, args)
			}
		}
		require.NoError(t, os.RemoveAll(files[0]))
		require.NoError(t, os.WriteFile(files[0], good[files[0]], 0o644))
		s.exits(0, "doctor")
	}
	s.verify()
}
