package journal

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
)

// freeSpaceFS is a disk with a given amount of free space.
type freeSpaceFS struct {
	osFS
	left atomic.Int64
	fail atomic.Bool
}

var errStatfs = errors.New("statfs failed")

func (d *freeSpaceFS) free(string) (int64, error) {
	if d.fail.Load() {
		return 0, errStatfs
	}
	return d.left.Load(), nil
}

// TestMinFreeRejectsUntilSpace checks that appends fail below MinFree and succeed as soon as there is space.
func TestMinFreeRejectsUntilSpace(t *testing.T) {
	const least = 100 << 20
	disk := new(freeSpaceFS)
	disk.left.Store(least + preallocBytes - 1)
	var log strings.Builder
	j, err := open(t.TempDir(), Options{MinFree: least, Logger: textLogger(&log)}, disk)
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, j)
	for range 3 {
		if a := appendOne(j, "no"); !errors.Is(a.err, ErrFull) || errors.Is(a.err, ErrBound) || !j.Stats().Full {
			t.Fatalf("with too little free: %v, full %v", a.err, j.Stats().Full)
		}
	}
	disk.left.Store(least + preallocBytes)
	if a := appendOne(j, "yes"); a.err != nil || a.seq != 1 || j.Stats().Full {
		t.Fatalf("with enough free: %+v, full %v", a, j.Stats().Full)
	}
	disk.left.Store(0)
	if a := appendOne(j, "into preallocated zeros"); a.err != nil || a.seq != 2 {
		t.Errorf("append into preallocated zeros: %+v", a)
	}
	for range 2 * preallocBytes / (64 << 10) {
		if a := appendOne(j, strings.Repeat("x", 64<<10)); a.err != nil {
			if !errors.Is(a.err, ErrFull) {
				t.Fatal(a.err)
			}
			break
		}
	}
	if !j.Stats().Full {
		t.Error("the journal uses space below MinFree")
	}
	disk.fail.Store(true)
	if a := appendOne(j, strings.Repeat("x", 64<<10)); !errors.Is(a.err, errStatfs) {
		t.Errorf("with a failed query of the free space: %v", a.err)
	}
	disk.fail.Store(false)
	disk.left.Store(1 << 40)
	if a := appendOne(j, strings.Repeat("x", 64<<10)); a.err != nil || j.Stats().Full {
		t.Errorf("with enough free again: %v", a.err)
	}
	failed, recovered := strings.Count(log.String(), "write failed"), strings.Count(log.String(), "writes succeed again")
	if failed != 2 || recovered != 2 {
		t.Errorf("%d and %d log lines, want 2 and 2:\n%s", failed, recovered, log.String())
	}
}
