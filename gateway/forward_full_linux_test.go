package gateway

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"nhip/internal/awaittest"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// fillDisk keeps the files of this process from growing, as on a full disk, until the returned function is called.
func fillDisk(t *testing.T) (free func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	limit := func(bytes uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: math.MaxUint64}); err != nil {
			t.Fatal(err)
		}
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if before.Max != math.MaxUint64 {
		t.Skip("the size of files is limited already")
	}
	limit(0)
	t.Cleanup(func() { limit(before.Cur) })
	return func() { limit(before.Cur) }
}

// inOwnProcess runs a test again in a process of its own, and reports whether this is that process. The limit of the
// test then affects no other test, and not the file in which go test records what a test has read.
func inOwnProcess(t *testing.T) bool {
	t.Helper()
	const mark = "NHIP_TEST_OWN_PROCESS"
	if os.Getenv(mark) != "" {
		return true
	}
	alone := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	alone.Env = append(os.Environ(), mark+"=1")
	if out, err := alone.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return false
}

func TestForwarderLosesNothingOnFullDisk(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	d := &fakeAcceptor{hold: make(chan struct{})}
	e := newTestForwarder(t, t.TempDir(), startUpstream(t, d).URL(), accounts.Operator.String())
	g := start(t, e)
	device := dial(t, clientOptions(g, "0", accounts.Operator.String()))
	for i := range 3 {
		if !acked(device.Publish("a", 1, false, fmt.Appendf(nil, "0 %d", i)), waitFor) {
			t.Fatal("not acknowledged with free disk space")
		}
	}
	free := fillDisk(t)
	if accept(e, "1", "1 0") == nil {
		t.Fatal("acknowledged without being on disk")
	}
	device.Publish("a", 1, false, []byte("0 3"))
	awaittest.True(t, "the device sends the message again", func() bool {
		return testutil.ToFloat64(g.hook.metrics.unsaved) >= 2
	})
	close(d.hold)
	awaittest.True(t, "messages on disk are forwarded", func() bool { return allArrived(t, d, 1, 3) })
	awaittest.True(t, "the failure to save the cursor is logged", func() bool {
		return e.log.count("can't save the forward cursor; retrying") == 1
	})
	free()
	awaittest.True(t, "the device's message arrives", func() bool { return allArrived(t, d, 1, 4) && e.Pending() == 0 })
}
