package gateway

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"nhip/internal/await"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// fillDisk lets no file of this process grow, as on a full disk, until the returned function is
// called.
func fillDisk(t *testing.T) (makeRoom func()) {
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
		t.Skip("files are limited here already")
	}
	limit(0)
	t.Cleanup(func() { limit(before.Cur) })
	return func() { limit(before.Cur) }
}

// inItsOwnProcess runs a test again in a process of its own, and reports whether this is that process: what is done
// to it is done to no other test, and not to the file in which go test notes what a test has read.
func inItsOwnProcess(t *testing.T) bool {
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

func TestAFullDiskLosesNothing(t *testing.T) {
	if !inItsOwnProcess(t) {
		return
	}
	d := &door{hold: make(chan struct{})}
	e := newEdge(t, t.TempDir(), start(t, d).URL(), accounts.Operator)
	g := start(t, e)
	box := dial(t, as(g, "0", accounts.Operator))
	for i := range 3 {
		if !acked(box.Publish("a", 1, false, fmt.Appendf(nil, "0 %d", i)), waitFor) {
			t.Fatal("not acknowledged with room on the disk")
		}
	}
	makeRoom := fillDisk(t)
	if accept(e, "1", "1 0") == nil {
		t.Fatal("acknowledged without being on disk")
	}
	box.Publish("a", 1, false, []byte("0 3"))
	await.True(t, "the box sends it again", func() bool { return testutil.ToFloat64(g.hook.metrics.unsaved) >= 2 })
	close(d.hold)
	await.True(t, "what is on disk goes on", func() bool { return all(t, d, 1, 3) })
	await.True(t, "it is told that the cursor can't be saved", func() bool {
		return e.log.count("can't save up to where messages are forwarded") == 1
	})
	makeRoom()
	await.True(t, "the box's message arrives", func() bool { return all(t, d, 1, 4) && e.Pending() == 0 })
}
