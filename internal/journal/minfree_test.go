package journal

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
)

// narrowFS is a disk that says how much of it is free.
type narrowFS struct {
	osFS
	left atomic.Int64
	fail atomic.Bool
}

var errNoAnswer = errors.New("no answer")

func (d *narrowFS) free(string) (int64, error) {
	if d.fail.Load() {
		return 0, errNoAnswer
	}
	return d.left.Load(), nil
}

// TestMinFree: a disk of which less is free than is left alone takes no more, and takes more as soon as
// there is room, without a word from anybody.
func TestMinFree(t *testing.T) {
	const least = 100 << 20
	disk := new(narrowFS)
	disk.left.Store(least + aheadBytes - 1)
	var log strings.Builder
	j, err := open(t.TempDir(), Options{MinFree: least, Logger: textLogger(&log)}, disk)
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, j)
	for range 3 {
		if a := appendOne(j, "no"); !errors.Is(a.err, ErrNoRoom) || errors.Is(a.err, ErrFull) || !j.Stats().Full {
			t.Fatalf("with too little free: %v, full %v", a.err, j.Stats().Full)
		}
	}
	disk.left.Store(least + aheadBytes)
	if a := appendOne(j, "yes"); a.err != nil || a.seq != 1 || j.Stats().Full {
		t.Fatalf("with room: %+v, full %v", a, j.Stats().Full)
	}
	disk.left.Store(0)
	if a := appendOne(j, "into what was written ahead"); a.err != nil || a.seq != 2 {
		t.Errorf("into what is ours: %+v", a)
	}
	for range 2 * aheadBytes / (64 << 10) {
		if a := appendOne(j, strings.Repeat("x", 64<<10)); a.err != nil {
			if !errors.Is(a.err, ErrNoRoom) {
				t.Fatal(a.err)
			}
			break
		}
	}
	if !j.Stats().Full {
		t.Error("it takes what it should leave alone")
	}
	disk.fail.Store(true)
	if a := appendOne(j, strings.Repeat("x", 64<<10)); !errors.Is(a.err, errNoAnswer) {
		t.Errorf("a disk that does not answer: %v", a.err)
	}
	disk.fail.Store(false)
	disk.left.Store(1 << 40)
	if a := appendOne(j, strings.Repeat("x", 64<<10)); a.err != nil || j.Stats().Full {
		t.Errorf("with room again: %v", a.err)
	}
	if no, yes := strings.Count(log.String(), "can't write"), strings.Count(log.String(), "writes again"); no != 2 || yes != 2 {
		t.Errorf("%d and %d log lines of two times full:\n%s", no, yes, log.String())
	}
}
