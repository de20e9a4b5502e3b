package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt/mqtttest"

	"golang.org/x/sys/unix"
)

// waitFor bounds how long a test waits for a process. Only a busy machine takes long.
const waitFor = 2 * time.Minute

// TestMain lets the test binary be nhip itself, so that tests can run it as a process and kill it.
func TestMain(m *testing.M) {
	mqtttest.RunIfCrowd()
	if os.Getenv("NHIP_TEST_MAIN") != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "NHIP_TEST_MAIN=1")
	return cmd
}

// process is a nhip that runs as a process of its own.
type process struct {
	*apptest.Platform
	ready  map[string]string // the addresses of its ready line
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	exited chan error
}

// launch starts nhip on a data folder and waits for its ready line.
func launch(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	return launchCommand(t, dir, command(args...))
}

// launchCommand is launch with a command of its own.
func launchCommand(t testing.TB, dir string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{
		Platform: &apptest.Platform{Dir: dir}, cmd: cmd,
		stderr: new(bytes.Buffer), exited: make(chan error, 1),
	}
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	first := make(chan string, 1)
	go func() {
		r := bufio.NewReader(stdout)
		line, _ := r.ReadString('\n')
		first <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, r)
		p.exited <- p.cmd.Wait()
	}()
	select {
	case line := <-first:
		p.parseReady(t, line)
		apptest.AwaitHistory(t, p.ready["http"])
		apptest.AwaitHistory(t, p.ready["health"])
	case <-time.After(waitFor):
		t.Fatalf("not ready in %s\n%s", waitFor, p.stderr)
	}
	return p
}

// parseReady parses "ready a=b c=d".
func (p *process) parseReady(t testing.TB, line string) {
	t.Helper()
	pairs, ok := strings.CutPrefix(line, "ready ")
	if !ok {
		t.Fatalf("the first line is %q\n%s", line, p.stderr)
	}
	p.ready = make(map[string]string)
	for _, pair := range strings.Fields(pairs) {
		key, address, _ := strings.Cut(pair, "=")
		p.ready[key] = address
	}
	p.Addresses = app.Addresses{HTTP: p.ready["http"], MQTT: p.ready["mqtt"], Influx: p.ready["influx"]}
}

// launchUp starts all roles on a data folder.
func launchUp(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	if outside, ok := influxtest.ForFolder(t, dir); ok {
		useDatabase(t, outside.Options(t, influxtest.FolderBucket))
	}
	return launchEmbedded(t, dir, args...)
}

// useDatabase makes the programs that the test starts use a database.
func useDatabase(t testing.TB, o influx.Options) {
	t.Helper()
	for name, value := range map[string]string{"URL": o.URL, "TOKEN": o.Token, "ORG": o.Org, "BUCKET": o.Bucket} {
		t.Setenv("NHIP_INFLUX_"+name, value)
	}
}

// launchEmbedded starts all roles on a data folder, on the embedded database unless the environment names another one.
func launchEmbedded(t testing.TB, dir string, args ...string) *process {
	t.Helper()
	args = append([]string{
		"up", "--data-dir", dir, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--influxd", influxtest.Binary(t),
	}, args...)
	p := launch(t, dir, args...)
	for _, address := range []string{p.HTTP, p.MQTT} {
		if !strings.Contains(address, "://127.0.0.1:") {
			t.Fatalf("ready line: %v", p.ready)
		}
	}
	return p
}

// kill ends nhip with SIGKILL and waits until its database has ended, too.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
	p.exited <- nil // for the next call
	lock, err := os.Open(filepath.Join(p.Dir, "influx", "lock"))
	if err != nil {
		return // it has no database
	}
	defer lock.Close()
	_ = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
}

// stop interrupts nhip and returns how it ended.
func (p *process) stop(t testing.TB) error {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-p.exited:
		p.exited <- err
		return err
	case <-time.After(waitFor):
		t.Fatalf("still running %s after an interrupt\n%s", waitFor, p.stderr)
		return nil
	}
}

// databasePID returns the process of the embedded database: nhip's only child.
func (p *process) databasePID(t *testing.T) int {
	t.Helper()
	if _, ok := influxtest.Outside(); ok {
		t.Skip("the InfluxDB outside is not a process of the test")
	}
	pattern := fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid) // a child belongs to the thread that started it
	lists, err := filepath.Glob(pattern)
	if err != nil || len(lists) == 0 {
		t.Skip("this system does not list a process's children")
	}
	for _, list := range lists {
		raw, _ := os.ReadFile(list) // the thread may have ended
		for _, child := range strings.Fields(string(raw)) {
			if pid, err := strconv.Atoi(child); err == nil {
				return pid
			}
		}
	}
	t.Fatal("nhip has no child")
	return 0
}

// killProcess ends a process with SIGKILL.
func killProcess(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
