package descriptors

import "testing"

func TestClientsLeaveDescriptorsForFiles(t *testing.T) {
	for _, c := range []struct{ limit, kinds, each, rest int }{
		{1 << 20, 2, (1<<20 - 256) / 2, 256}, {1024, 2, 384, 256}, {1024, 3, 256, 256}, {300, 2, 100, 100}, {3, 2, 1, 1},
	} {
		each := ForClients(c.limit, c.kinds)
		if each != c.each || c.limit-c.kinds*each < c.rest {
			t.Errorf("of %d: %d each, %d for files; want %d and %d", c.limit, each, c.limit-c.kinds*each, c.each, c.rest)
		}
	}
}

func TestClampIsBelowTheProcessLimit(t *testing.T) {
	most := ForClients(Limit(), 3)
	for configured, want := range map[int]int{0: most, 1: 1, most + 1: most, 1 << 30: most} {
		if got := Clamp(configured, 3); got != want {
			t.Errorf("%d configured: %d, want %d", configured, got, want)
		}
	}
}
