package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asServer makes the test binary run as the program itself, so that the tests use a real process.
const asServer = "INFLUXD_TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// timeout bounds every wait of the tests.
const timeout = 25 * time.Second

// process is a started server under test.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	lines  chan string // lines of stdout; closed at its end
	stderr bytes.Buffer
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], args...), lines: make(chan string, 16)}
	p.cmd.Env = append(os.Environ(), asServer+"=1")
	p.cmd.Stderr = &p.stderr
	p.stdin, _ = p.cmd.StdinPipe()
	out, _ := p.cmd.StdoutPipe()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// url waits for the ready line and returns its URL.
func (p *process) url() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		url, found := strings.CutPrefix(line, "ready http=")
		if !ok || !found {
			p.t.Fatalf("no ready line but %q; stderr: %s", line, p.stderr.String())
		}
		return url
	case <-time.After(timeout):
		p.t.Fatal("no ready line in time")
		return ""
	}
}

// wait waits until the process has ended and returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	for deadline := time.After(timeout); ; {
		select {
		case line, ok := <-p.lines:
			if ok {
				p.t.Errorf("unexpected line on stdout: %q", line)
				continue
			}
		case <-deadline:
			p.t.Fatal("the process did not end in time")
		}
		_ = p.cmd.Wait()
		return p.cmd.ProcessState.ExitCode()
	}
}

func ping(t *testing.T, url string) *http.Response {
	t.Helper()
	resp, err := http.Get(url + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

func TestServesUntilInputEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	p := start(t, "--dir", dir)
	url := p.url()
	t.Run("loopback address", func(t *testing.T) {
		if !regexp.MustCompile(`^http://127\.0\.0\.1:[1-9]\d*$`).MatchString(url) {
			t.Errorf("ready with %q, want a loopback address", url)
		}
		if got := ping(t, url).Header.Get("X-Influxdb-Version"); got != influxVersion {
			t.Errorf("version %q, want %q", got, influxVersion)
		}
	})
	t.Run("one listener", func(t *testing.T) { checkListeners(t, p.cmd.Process.Pid) })
	t.Run("SIGINT ignored", func(t *testing.T) { checkIgnoresINT(t, p.cmd.Process.Pid) })
	t.Run("password required", func(t *testing.T) { checkPasswordRequired(t, url) })
	p.stdin.Close()
	if code := p.wait(); code != 0 || p.stderr.Len() > 0 {
		t.Errorf("exit code %d, want 0; stderr: %s", code, p.stderr.String())
	}
	for _, name := range []string{"data", "meta", "lock"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("missing in the data folder: %v", err)
		}
	}
}

func checkIgnoresINT(t *testing.T, pid int) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Skip("no /proc on this system")
	}
	ignored := regexp.MustCompile(`SigIgn:\s*([0-9a-f]+)`).FindSubmatch(status)
	mask, _ := strconv.ParseUint(string(ignored[1]), 16, 64)
	if mask&(1<<(uint(syscall.SIGINT)-1)) == 0 {
		t.Errorf("SIGINT is not ignored with a parent (mask %x)", mask)
	}
}

func checkPasswordRequired(t *testing.T, url string) {
	create := url + "/query?q=CREATE+USER+a+WITH+PASSWORD+'b'+WITH+ALL+PRIVILEGES"
	for i, want := range []int{http.StatusOK, http.StatusUnauthorized} { // only the first account
		resp, err := http.Post(create, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body) // the account exists only after the whole response
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("request %d without a password: status %d, want %d", i, resp.StatusCode, want)
		}
	}
}

func checkListeners(t *testing.T, pid int) {
	sockets, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/net/tcp")
	if err != nil {
		t.Skip("no /proc on this system")
	}
	mine := socketsOf(t, pid)
	var listening int
	for line := range strings.Lines(string(sockets)) {
		f := strings.Fields(line)
		if len(f) > 9 && f[3] == "0A" && mine[f[9]] { // 0A = LISTEN, column 9 = inode
			listening++
		}
	}
	if listening != 1 {
		t.Errorf("%d listening sockets, want 1 for HTTP", listening)
	}
}

// socketsOf returns the inodes of a process's sockets.
func socketsOf(t *testing.T, pid int) map[string]bool {
	t.Helper()
	fds, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
	if err != nil || len(fds) == 0 {
		t.Skip("no /proc on this system")
	}
	inodes := map[string]bool{}
	for _, fd := range fds {
		target, _ := os.Readlink(fd)
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes
}

func TestWaitsForLock(t *testing.T) {
	dir := t.TempDir()
	first := start(t, "--dir", dir)
	first.url()
	second, third := start(t, "--dir", dir), start(t, "--dir", dir)
	waitUntil(t, "both processes wait for the lock", func() bool {
		return holdsOpen(second.cmd.Process.Pid, "lock") && holdsOpen(third.cmd.Process.Pid, "lock")
	})
	third.stdin.Close()
	if code := third.wait(); code != 0 {
		t.Errorf("stopped while waiting: exit code %d, want 0; stderr: %s", code, third.stderr.String())
	}
	select {
	case line := <-second.lines:
		t.Fatalf("the second process did not wait: %q; stderr: %s", line, second.stderr.String())
	default:
	}
	_ = first.cmd.Process.Kill()
	ping(t, second.url())
	_ = second.cmd.Process.Signal(syscall.SIGTERM)
	if code := second.wait(); code != 0 || second.stderr.Len() > 0 {
		t.Errorf("SIGTERM: exit code %d, want 0; stderr: %s", code, second.stderr.String())
	}
}

func holdsOpen(pid int, name string) bool {
	fds, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
	for _, fd := range fds {
		if target, _ := os.Readlink(fd); filepath.Base(target) == name {
			return true
		}
	}
	return false
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(timeout)
	for tick := time.NewTicker(5 * time.Millisecond); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("timeout waiting until %s", what)
		}
	}
}

func TestLockTimesOut(t *testing.T) {
	dir := t.TempDir()
	held, err := lockDir(t.Context(), dir, timeout)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	_, err = lockDir(t.Context(), dir, time.Millisecond)
	want := filepath.Join(dir, "lock") + ": still held by another influxd (process " + strconv.Itoa(os.Getpid()) +
		") after 1ms"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestInvalidArguments(t *testing.T) {
	used, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no folder", nil, `^influxd: --dir: is required\n$`},
		{
			"folder below a file",
			[]string{"--dir", file + "/x"},
			`^influxd: --dir: can't create the folder: .*not a directory\n$`,
		},
		{"file as folder", []string{"--dir", file}, `^influxd: --dir: can't create the folder: .*not a directory\n$`},
		{
			"all interfaces",
			[]string{"--dir", t.TempDir(), "--http", "0.0.0.0:0"},
			`^influxd: --http: must be a loopback address such as 127\.0\.0\.1:0, got "0\.0\.0\.0:0".*\n$`,
		},
		{"no host", []string{"--dir", t.TempDir(), "--http", ":0"}, `^influxd: --http: must be a loopback address.*\n$`},
		{
			"host name",
			[]string{"--dir", t.TempDir(), "--http", "localhost:0"},
			`^influxd: --http: must be a loopback address.*\n$`,
		},
		{
			"no port",
			[]string{"--dir", t.TempDir(), "--http", "127.0.0.1"},
			`^influxd: --http: must be host:port, got "127\.0\.0\.1"\n$`,
		},
		{
			"used port",
			[]string{"--dir", t.TempDir(), "--http", used.Addr().String()},
			`^influxd: --http: can't listen: .*address already in use\n$`,
		},
		{"no cache", []string{"--dir", t.TempDir(), "--cache-mb", "0"}, `^influxd: --cache-mb: must be at least 1, got 0\n$`},
		{"unknown flag", []string{"--dri", "x"}, `^influxd: flag provided but not defined: -dri\n$`},
		{"argument", []string{"run"}, `^influxd: unexpected argument "run"\n$`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, tt.args...)
			if code := p.wait(); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if got := p.stderr.String(); !regexp.MustCompile(tt.want).MatchString(got) {
				t.Errorf("stderr %q, want %s", got, tt.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	var out, errs bytes.Buffer
	if code := execute([]string{"--version"}, os.Stdin, &out, &errs); code != 0 {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	if !strings.HasPrefix(out.String(), "InfluxDB "+influxVersion+" (go") {
		t.Errorf("got %q", out.String())
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(mod), "github.com/influxdata/influxdb v"+influxVersion+"\n") {
		t.Errorf("the version in go.mod is not influxVersion, %s", influxVersion)
	}
}
