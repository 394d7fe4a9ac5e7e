package doctor_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hsharness/hsharness/cmd/internal/doctor"
	"github.com/hsharness/hsharness/cmd/internal/ledger"
	"github.com/hsharness/hsharness/internal/hint"
	"github.com/hsharness/hsharness/internal/project"
	"github.com/hsharness/hsharness/internal/recording"
	"github.com/hsharness/hsharness/quota"
)

const sandbox = `allowance: { granted: 1000, spent_before: 37, floor: 100, warn_at: 70% }
environments: { sandbox: { client_id: "${SHOP_ID}", client_secret: "${SHOP_SECRET}" } }
`

// patient is a project with its ledger in a folder of its own.
type patient struct {
	t       *testing.T
	environ map[string]string
	source  ledger.Source
}

// newPatient reads a project file of these lines. Its ledger is not made yet.
func newPatient(t *testing.T, lines string) *patient {
	t.Helper()
	p := &patient{t: t, environ: map[string]string{"SHOP_ID": "test-client", "SHOP_SECRET": "test-license-key-4711", "XDG_STATE_HOME": t.TempDir()}}
	p.source.Getenv = func(name string) string { return p.environ[name] }
	p.source.Project = &project.Project{}
	if lines != "" {
		file := filepath.Join(t.TempDir(), project.Name)
		require.NoError(t, os.WriteFile(file, []byte("version: 1\n"+lines), 0o600))
		p.read(file)
	}
	return p
}

// read reads the project file again, in the environment as it is now.
func (p *patient) read(file string) {
	p.t.Helper()
	pr, err := project.Read(file, false, p.source.Getenv)
	require.NoError(p.t, err)
	p.source.Project = pr
}

// granted makes the ledger.
func (p *patient) granted(units int64) *patient {
	p.t.Helper()
	store, err := p.source.OpenBy(func(at ledger.Address, client *quota.Client) (quota.Store, error) {
		return at.Init(p.t.Context(), quota.InitSpec{Account: client.Account, Granted: units, SpentBefore: 37, Floor: 100})
	})
	require.NoError(p.t, err)
	store.Close()
	return p
}

// examined is a line for each diagnosis, with its mend.
func (p *patient) examined() string {
	p.t.Helper()
	return printed(p.t, doctor.Examine(p.t.Context(), p.source, nil))
}

func printed(t *testing.T, all []doctor.Diagnosis) string {
	t.Helper()
	var b strings.Builder
	for _, d := range all {
		assert.Equal(t, d.Level == doctor.LevelOK, d.Mend == "", "what is wrong says what to do: %+v", d)
		fmt.Fprintf(&b, "%s %s: %s", d.Level, d.Check, d.Message)
		if d.Ledger {
			b.WriteString(" (the ledger)")
		}
		if d.Mend != "" {
			fmt.Fprintf(&b, " => %s", d.Mend)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestNoProject(t *testing.T) {
	t.Chdir(t.TempDir())
	out := newPatient(t, "").examined()
	assert.Contains(t, out, "warning project: there is no hsharness.yaml here or above: everything stays offline => ")
	assert.Contains(t, out, "\nerror ledger: ")
	assert.Contains(t, out, "(the ledger) => find it, or make one: "+string(hint.FirstLedger))
	assert.NotContains(t, out, "credential:", "nobody asked for one")
	assert.NotContains(t, out, "error recordings", "without a project nothing is bought")
}

func TestUnreadProject(t *testing.T) {
	t.Parallel()
	p := newPatient(t, "")
	out := printed(t, doctor.Examine(t.Context(), p.source, errors.New("hsharness.yaml:2:1: unknown key")))
	assert.Equal(t, "error project: hsharness.yaml:2:1: unknown key => correct the project file\n", out)
}

func TestAllIsWell(t *testing.T) {
	t.Parallel()
	p := newPatient(t, sandbox).granted(1000)
	out := p.examined()
	for _, want := range []string{
		"ok project: " + p.source.Project.File, "ok recordings: 0 in ", "ok sandbox: the account is of https://ai-sbx.avlr.sh\n",
		"ok proxy: the sandbox is asked directly, through no proxy\n", "ok credential: client id and secret are set\n", "ok account: ", "ok allowance: 863 of 1000 units are left for ordinary runs\n",
	} {
		assert.Contains(t, out, want)
	}
	assert.Regexp(t, `\nok ledger: [A-Z2-7]+, 2 entries, in .*ledger.db\n`, out)
	assert.NotContains(t, out, "warning")
	assert.NotContains(t, out, "error")
	assert.NotContains(t, out, "test-client")
	assert.NotContains(t, out, "test-license-key")

	// A warning is no failure.
	assert.Contains(t, newPatient(t, sandbox).granted(1001).examined(), "warning allowance: the project file says 1000 granted, the ledger 1001: the ledger counts => hsharness quota status\n")
}

func TestCredential(t *testing.T) {
	t.Parallel()
	p := newPatient(t, sandbox).granted(1000)
	p.environ["SHOP_SECRET"] = ""
	p.read(p.source.Project.File)
	assert.Contains(t, p.examined(), "error credential: SHOP_SECRET is not set, and environments.sandbox.client_secret is made of it => set the variable")
	p.environ["SHOP_ID"] = ""
	p.read(p.source.Project.File)
	out := p.examined()
	assert.Contains(t, out, "error credential: SHOP_ID is not set")
	assert.Contains(t, out, "error credential: SHOP_SECRET is not set")
	assert.Contains(t, out, "warning account: no client id is set, so nobody can tell whose ledger this is: SHOP_ID is not set")

	p = newPatient(t, "environments: { sandbox: { client_id: a } }\n")
	assert.Contains(t, p.examined(), "=> set it in hsharness.yaml to a variable such as ${")
	p = newPatient(t, "environments: { sandbox: { client_id: a, client_secret: short } }\n")
	assert.Contains(t, p.examined(), "warning credential: environments.sandbox.client_secret can't be told from ordinary text: ")
}

func TestLedger(t *testing.T) {
	t.Parallel()
	p := newPatient(t, sandbox)
	p.source.URL = "sqlite:" + filepath.Join(t.TempDir(), "nowhere", "ledger.db")
	assert.Contains(t, p.examined(), "(the ledger) => find it, or make one: ")
	p.source.URL = "postgres:nowhere"
	assert.Contains(t, p.examined(), "error ledger: the ledger's address is neither sqlite:PATH, such as sqlite:.hsharness/ledger.db, nor postgres://… => correct ledger in hsharness.yaml, or --ledger\n")

	// Another account's.
	p = newPatient(t, sandbox).granted(1000)
	p.environ["SHOP_ID"] = "somebody-else"
	p.read(p.source.Project.File)
	assert.Regexp(t, `\nerror account: .* \(the ledger\) => `, p.examined())
}

const loopback = `environments: { sandbox: { identity_url: "http://127.0.0.1:1", api_url: "http://127.0.0.1:2", client_id: a, client_secret: bbbbbb } }
`

func TestLoopbackAndCI(t *testing.T) {
	t.Parallel()
	p := newPatient(t, loopback).granted(1000)
	p.environ["CI"] = "true"
	out := p.examined()
	assert.Contains(t, out, "ok sandbox: all URLs are on loopback: nothing real can be spent\n")
	assert.Contains(t, out, "ok account: does not matter on loopback\n")
	assert.Regexp(t, `\nerror ci: a ledger file on a CI machine.* \(the ledger\) => .*policy.loopback: exempt, if the sandbox is a stand-in\n`, out)
	exempt := newPatient(t, loopback+"policy: { loopback: exempt }\n").granted(1000)
	exempt.environ["CI"] = "true"
	assert.NotContains(t, exempt.examined(), "error")

	// The account is told apart from that.
	p = newPatient(t, sandbox).granted(1000)
	p.environ["CI"] = "true"
	out = p.examined()
	assert.Contains(t, out, "\nerror ci: ")
	assert.Contains(t, out, "\nok account: the ledger is this account's, and knows all that was spent from here\n")
}

func TestSandbox(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ urls, want string }{
		"mixed":      {`identity_url: "https://ai-sbx.avlr.sh", api_url: "http://127.0.0.1:2"`, "some URLs are on loopback and some are not"},
		"production": {`identity_url: "https://identity.avalara.com"`, "identity.avalara.com"},
	} {
		out := newPatient(t, "environments: { sandbox: { "+row.urls+", client_id: a, client_secret: bbbbbb } }\n").examined()
		assert.Regexp(t, `\nerror sandbox: .*`+row.want+`.* => correct environments.sandbox in hsharness.yaml\n`, out, name)
		assert.NotContains(t, out, " ledger: ", "%s: it is not known whose", name)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	out := newPatient(t, `environments: { sandbox: { client_id: a, client_secret: bbbbbb, proxy: "http://ci:pass-word-4711@proxy.example:3128" } }`+"\n").examined()
	assert.Contains(t, out, "ok proxy: the sandbox is asked through proxy.example:3128, by environments.sandbox.proxy\n")
	assert.NotContains(t, out, "pass-word-4711")
	out = newPatient(t, strings.Replace(loopback, "client_id: a", `client_id: a, proxy: "http://proxy.example:3128"`, 1)).examined()
	assert.Regexp(t, `ok proxy: the sandbox is asked directly, and not through .*: it is on loopback\n`, out)
	out = newPatient(t, `environments: { sandbox: { client_id: a, client_secret: bbbbbb, proxy: none } }`+"\n").examined()
	assert.Contains(t, out, "ok proxy: the sandbox is asked directly, through no proxy\n")
}

// records writes an answer down.
func (p *patient) records(status int) (file string) {
	p.t.Helper()
	store, err := p.source.Project.OpenRecordings()
	require.NoError(p.t, err)
	k := store.Key(recording.Request{Environment: "sandbox", API: "current", Operation: "x", Method: http.MethodPost, Path: "/hscode/classify", Body: []byte(fmt.Sprintf(`{"n":%d}`, status))})
	require.NoError(p.t, store.Put(p.t.Context(), k, recording.Take{Cost: 1, Response: recording.Message{Status: status, Body: []byte(`{}`)}}))
	r, err := store.Get(k)
	require.NoError(p.t, err)
	return r.File
}

func TestRecordings(t *testing.T) {
	t.Parallel()
	p := newPatient(t, sandbox)
	kept := p.records(200)
	assert.Contains(t, p.examined(), "ok recordings: 1 in "+p.source.Project.RecordingsDir()+", which can be written\n")
	p.records(503)
	assert.Contains(t, p.examined(), "which can be written; 1 of them hold no answer and are asked again by a record run\n")

	require.NoError(t, os.WriteFile(kept, []byte("<<<<<<< HEAD"), 0o600))
	out := p.examined()
	assert.Contains(t, out, "error recordings: nothing that these files may answer is bought: ")
	assert.Contains(t, out, "=> mend the files, or take them from git again: git checkout -- ")
	assert.NotContains(t, out, "ok recordings")
}

// Answers that are on this machine alone are counted, and a folder that can't be
// written is an error.
func TestRecordingsElsewhere(t *testing.T) {
	t.Parallel()
	p := newPatient(t, sandbox)
	file := p.records(200)
	private := filepath.Join(p.source.Project.Dir(), ".hsharness", "emergency", filepath.Base(filepath.Dir(file)))
	require.NoError(t, os.MkdirAll(private, 0o700))
	require.NoError(t, os.Rename(file, filepath.Join(private, filepath.Base(file))))
	dir := p.source.Project.RecordingsDir()
	require.NoError(t, os.RemoveAll(dir))
	assert.Contains(t, p.examined(), "warning recordings: answers that could not be recorded, and answer on this machine alone: 1 => hsharness recordings recover\n")
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	out := p.examined()
	assert.Regexp(t, `(?m)^error recordings: .* => make .*recordings a folder that this user can write$`, out)
	assert.Contains(t, out, "answer on this machine alone: 1 => ")
}

func TestMendFolder(t *testing.T) {
	t.Parallel()
	pr := newPatient(t, sandbox).source.Project
	for errno, want := range map[syscall.Errno]string{
		syscall.ENOSPC: "make room on the disk of ", syscall.EROFS: "mount the disk of ", syscall.EACCES: "let this user write there: ", syscall.EPERM: "let this user write there: ",
		syscall.ENOTDIR: "make ",
	} {
		mend := doctor.MendFolder(pr, &fs.PathError{Op: "open", Path: "x", Err: errno})
		assert.True(t, strings.HasPrefix(mend, want), mend)
		assert.Contains(t, mend, pr.RecordingsDir())
	}
}
