package main

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip/api/apitest"
)

// TestASecondSignalForces stops a nhip whose database hangs: the first signal would wait for it, the
// second ends at once, and the next start finds what was accepted.
func TestASecondSignalForces(t *testing.T) {
	dir := t.TempDir()
	p := up(t, dir)
	database := p.database(t)
	if err := syscall.Kill(database, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	hour := time.Now().Truncate(time.Hour)
	p.publish(t, reading("s", hour, 0))
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if err := p.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	err := <-p.exited
	p.exited <- err // for the test's end
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(p.stderr.String(), "stopped at once") {
		t.Errorf("ended with %v\n%s", err, p.stderr)
	}
	if took := time.Since(began); took >= stopTimeout {
		t.Errorf("the second signal took %s: it waited", took)
	}
	if err := syscall.Kill(database, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	checkOnce(t, apitest.New(t, up(t, dir).HTTP), hour, 1)
}
