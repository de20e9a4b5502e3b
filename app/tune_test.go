package app

import "testing"

func TestSmallHeapsGrowByTheHeadroom(t *testing.T) {
	for _, c := range []struct {
		live         uint64
		before, want int
	}{
		{0, 50, maxGCPercent},
		{1 << 20, 50, maxGCPercent},
		{64 << 20, 50, 150},
		{66 << 20, 150, 150},
		{96 << 20, 150, 100},
		{192 << 20, 100, gcPercent},
		{4 << 30, 100, gcPercent},
		{4 << 30, gcPercent, gcPercent},
	} {
		if got := percentFor(c.live, c.before); got != c.want {
			t.Errorf("%d bytes after %d %%: %d, want %d", c.live, c.before, got, c.want)
		}
	}
}
