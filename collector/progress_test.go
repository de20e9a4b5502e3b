package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProgressCountsGaps(t *testing.T) {
	p := &progress{next: 1}
	p.advance(10)
	if p.contiguous() != 10 || p.remaining(30) != 20 {
		t.Fatalf("contiguous %d, remaining %d", p.contiguous(), p.remaining(30))
	}
	if !p.skipTo(25) || p.skipTo(25) {
		t.Error("15 records must be skipped once")
	}
	p.advance(30)
	p.skipTo(35)
	g, ok := p.oldestGap()
	want := gap{11, 25}
	if !ok || g != want || p.contiguous() != 10 || p.remaining(40) != 15+5+5 || p.head() != 36 {
		t.Errorf("oldest gap %+v, contiguous %d, remaining %d, head %d", g, p.contiguous(), p.remaining(40), p.head())
	}
	p.fillOldest(20)
	p.fillOldest(25)
	if diff := cmp.Diff([]gap{{31, 35}}, p.gaps); diff != "" || p.contiguous() != 30 {
		t.Errorf("contiguous %d %s", p.contiguous(), diff)
	}
	p.fillOldest(35)
	p.fillOldest(99) // there is no gap left
	if p.contiguous() != 35 || p.remaining(35) != 0 {
		t.Errorf("contiguous %d, remaining %d", p.contiguous(), p.remaining(35))
	}
	for i := range uint64(maxGaps) {
		p.skipTo(36 + 2*i)
		p.advance(37 + 2*i)
	}
	if p.hasRoomForGap() {
		t.Error("the number of gaps is not bounded")
	}
}
