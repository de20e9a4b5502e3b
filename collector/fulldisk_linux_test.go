package collector

import (
	"errors"
	"syscall"
	"testing"

	"nhip/internal/journal"
)

// TestFullDiskRecovers fills a real disk while the database is down. The space that the intake leaves free must suffice
// to write the backlog once the database is up, which frees space for new messages without an operator.
func TestFullDiskRecovers(t *testing.T) {
	h := newHarness(t)
	h.dir = t.TempDir()
	if err := syscall.Mount("tmpfs", h.dir, "tmpfs", 0, "size=32m"); err != nil {
		t.Skipf("can't mount a small file system on this machine: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(h.dir, syscall.MNT_DETACH) })
	h.minFree = 8 << 20
	down := h.store.outage()
	down.Store(true)
	h.start(t)
	accepted, err := fillUp(t, h)
	if !errors.Is(err, journal.ErrFull) || errors.Is(err, journal.ErrBound) || h.Taking() {
		t.Fatalf("after %d messages: %v, taking %v", accepted, err, h.Taking())
	}
	t.Logf("the disk is full after %d messages", accepted)
	down.Store(false)
	h.awaitAccepted(t, longMessage(accepted))
	h.awaitStored(t, accepted+1)
}
