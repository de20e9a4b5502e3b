package collector

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawOutboxRecord(t *rapid.T) *outboxRecord {
	r := newOutboxRecord()
	r.made = time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "made"))
	hour, seq := int64(0), rapid.Uint64Range(1, 1e12).Draw(t, "first seq")
	devices := []string{"bus/hanoi/1", "bus/hanoi/2", "air/s", ""}
	for range rapid.IntRange(0, 20).Draw(t, "rows") {
		r.lines = append(r.lines, rapid.StringN(1, 40, 100).Draw(t, "line")+"\n"...)
		hour += rapid.Int64Range(-1e6, 1e6).Draw(t, "hour difference")
		seq += rapid.Uint64Range(0, 3).Draw(t, "seq difference")
		r.add(seq, rapid.SampledFrom(devices).Draw(t, "device"), hour, rapid.Bool().Draw(t, "revised"))
	}
	r.through = seq
	return r
}

func TestOutboxRecordRoundTrip(t *testing.T) {
	got := newOutboxRecord()
	rapid.Check(t, func(t *rapid.T) {
		want := drawOutboxRecord(t)
		raw := want.append(nil)
		if err := got.read(raw); err != nil {
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
		if cut := rapid.IntRange(0, len(raw)-1).Draw(t, "cut"); got.read(raw[:cut]) == nil {
			t.Fatalf("no error for a record cut to %d of %d bytes", cut, len(raw))
		}
	})
}

func FuzzReadOutboxRecord(f *testing.F) {
	r := newOutboxRecord()
	r.through, r.made = 7, noon
	r.lines = append(r.lines, "position,vehicle=1 received=1i 2\n"...)
	r.add(7, "bus/hanoi/1", 492_492, true)
	f.Add(r.append(nil))
	f.Add([]byte{outboxVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(_ *testing.T, b []byte) {
		r := newOutboxRecord()
		if r.read(b) != nil {
			return
		}
		for i := range r.rows { // must not panic
			_, _ = r.line(i), r.devices[r.rows[i].device]
		}
	})
}
