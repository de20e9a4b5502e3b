package collector

import (
	"errors"
	"syscall"
	"testing"

	"nhip/internal/await"
	"nhip/internal/journal"
)

// TestAFullDiskCuresItself fills a real disk while the database is away. What is left alone is enough to
// bring home what waits once the database is back, and that makes room for more: nobody has to come.
func TestAFullDiskCuresItself(t *testing.T) {
	b := newBench(t)
	b.dir = t.TempDir()
	if err := syscall.Mount("tmpfs", b.dir, "tmpfs", 0, "size=32m"); err != nil {
		t.Skipf("this machine lets nobody mount a small file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(b.dir, syscall.MNT_DETACH) })
	b.free = 8 << 20
	gone := b.shelf.away()
	gone.Store(true)
	b.start(t)
	accepted, full := fillUp(t, b)
	if !errors.Is(full, journal.ErrNoRoom) || errors.Is(full, journal.ErrFull) || b.Taking() {
		t.Fatalf("after %d messages: %v, taking %v", accepted, full, b.Taking())
	}
	t.Logf("the disk is full after %d messages", accepted)
	gone.Store(false)
	await.True(t, "messages are taken in again", func() bool { return b.try(big(accepted)) == nil && b.Taking() })
	b.await(t, accepted+1)
}
