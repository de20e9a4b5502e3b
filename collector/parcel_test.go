package collector

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func drawParcel(t *rapid.T) *parcel {
	p := newParcel()
	p.made = time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "made"))
	hour, seq := int64(0), rapid.Uint64Range(1, 1e12).Draw(t, "first")
	for range rapid.IntRange(0, 20).Draw(t, "rows") {
		p.lines = append(p.lines, rapid.StringN(1, 40, 100).Draw(t, "line")+"\n"...)
		hour += rapid.Int64Range(-1e6, 1e6).Draw(t, "hours on")
		seq += rapid.Uint64Range(0, 3).Draw(t, "seqs on")
		p.add(seq, rapid.SampledFrom([]string{"bus/hanoi/1", "bus/hanoi/2", "air/s", ""}).Draw(t, "device"), hour, rapid.Bool().Draw(t, "revised"))
	}
	p.through = seq
	return p
}

func TestParcelsComeBackAsTheyWere(t *testing.T) {
	got := newParcel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawParcel(t)
		record := want.append(nil)
		if err := got.read(record); err != nil {
			t.Fatal(err)
		}
		if got.through != want.through || !got.made.Equal(want.made) || len(got.rows) != len(want.rows) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		for i := range want.rows {
			a, b := got.rows[i], want.rows[i]
			if a != b || got.devices[a.device] != want.devices[b.device] || string(got.line(i)) != string(want.line(i)) {
				t.Fatalf("row %d: got %+v, want %+v", i, a, b)
			}
		}
		if cut := rapid.IntRange(0, len(record)-1).Draw(t, "cut"); got.read(record[:cut]) == nil {
			t.Fatalf("%d of %d bytes are a parcel", cut, len(record))
		}
	})
}

func FuzzReadParcel(f *testing.F) {
	p := newParcel()
	p.through, p.made = 7, noon
	p.lines = append(p.lines, "position,vehicle=1 received=1i 2\n"...)
	p.add(7, "bus/hanoi/1", 492_492, true)
	f.Add(p.append(nil))
	f.Add([]byte{parcelVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		p := newParcel()
		if p.read(b) != nil {
			return
		}
		for i := range p.rows { // what was read can be used
			_, _ = p.line(i), p.devices[p.rows[i].device]
		}
	})
}

func TestProgressKnowsWhatIsMissing(t *testing.T) {
	p := &progress{next: 1}
	p.passed(10)
	if p.whole() != 10 || p.left(30) != 20 {
		t.Fatalf("whole %d, left %d", p.whole(), p.left(30))
	}
	if !p.overtake(25) || p.overtake(25) {
		t.Error("15 records are overtaken once")
	}
	p.passed(30)
	p.overtake(35)
	g, ok := p.oldest()
	if want := (gap{11, 25}); !ok || g != want || p.whole() != 10 || p.left(40) != 15+5+5 || p.head() != 36 {
		t.Errorf("oldest %+v, whole %d, left %d, head %d", g, p.whole(), p.left(40), p.head())
	}
	p.filled(20)
	p.filled(25)
	if diff := cmp.Diff([]gap{{31, 35}}, p.gaps); diff != "" || p.whole() != 30 {
		t.Errorf("whole %d %s", p.whole(), diff)
	}
	p.filled(35)
	p.filled(99) // nothing is left to fill
	if p.whole() != 35 || p.left(35) != 0 {
		t.Errorf("whole %d, left %d", p.whole(), p.left(35))
	}
	for i := range uint64(maxGaps) {
		p.overtake(36 + 2*i)
		p.passed(37 + 2*i)
	}
	if p.mayOvertake() {
		t.Error("gaps are not bounded")
	}
}
