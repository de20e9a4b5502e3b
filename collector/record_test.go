package collector

import (
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// compare sees through the optional values and takes nil and empty for the same.
var compare = cmp.Options{
	cmp.AllowUnexported(
		outcome{}, rejection{}, refusal{}, nhip.Opt[float64]{}, nhip.Opt[int]{}, nhip.Opt[bool]{}, nhip.Opt[orb.Point]{}, nhip.Opt[[2]float64]{},
	),
	cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(outcome{}, "positionPrints", "readingPrints", "sayingPrints"),
}

func opt[T any](t *rapid.T, g *rapid.Generator[T], name string) nhip.Opt[T] {
	if !rapid.Bool().Draw(t, name+"?") {
		return nhip.Opt[T]{}
	}
	return nhip.Some(g.Draw(t, name))
}

func drawTime(t *rapid.T) time.Time {
	return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "time")).UTC()
}

func drawPoint(t *rapid.T) nhip.Opt[orb.Point] {
	return opt(t, rapid.Custom(func(t *rapid.T) orb.Point {
		return orb.Point{rapid.Float64Range(-180, 180).Draw(t, "lon"), rapid.Float64Range(-90, 90).Draw(t, "lat")}
	}), "point")
}

func drawPosition(t *rapid.T) nhip.Position {
	text, number := rapid.StringN(0, 60, 256), rapid.Float64Range(-1e6, 1e6)
	return nhip.Position{
		Agency: text.Draw(t, "agency"), Vehicle: text.Draw(t, "vehicle"), Event: text.Draw(t, "event"), Time: drawTime(t),
		Point: drawPoint(t), Speed: opt(t, number, "speed"), Bearing: opt(t, number, "bearing"),
		Route: text.Draw(t, "route"), Line: text.Draw(t, "line"), Trip: text.Draw(t, "trip"), Headsign: text.Draw(t, "headsign"),
		Direction: opt(t, rapid.IntRange(0, 1), "direction"), StartDate: text.Draw(t, "start_date"), StartTime: text.Draw(t, "start_time"),
		NextStop: text.Draw(t, "next_stop"), Occupancy: nhip.Occupancy(text.Draw(t, "occupancy")),
		Delay: opt(t, rapid.Int(), "delay"), Odometer: opt(t, number, "odometer"), DoorsOpen: opt(t, rapid.Bool(), "doors"),
		Deadrun: rapid.Bool().Draw(t, "deadrun"), Origin: nhip.Origin(text.Draw(t, "origin")),
		Stop: text.Draw(t, "stop"), Estimated: rapid.Bool().Draw(t, "estimated"), Passengers: opt(t, rapid.Int(), "passengers"),
		Boarded: opt(t, rapid.Int(), "boarded"), Alighted: opt(t, rapid.Int(), "alighted"),
	}
}

func drawReading(t *rapid.T) nhip.Reading {
	return nhip.Reading{
		Station: rapid.String().Draw(t, "station"), Quantity: nhip.Quantity(rapid.String().Draw(t, "quantity")), Time: drawTime(t),
		Period: time.Duration(rapid.Int64Range(1, 1e9).Draw(t, "period")) * time.Millisecond,
		Value:  rapid.Float64().Draw(t, "value"), Flag: nhip.Flag(rapid.IntRange(1, 9).Draw(t, "flag")),
		Point: drawPoint(t), Origin: nhip.Origin(rapid.String().Draw(t, "origin")),
	}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	var got outcome // used again for every record, as the drain does
	rapid.Check(t, func(t *rapid.T) {
		want := outcome{received: drawTime(t)}
		want.facts.Positions = rapid.SliceOfN(rapid.Custom(drawPosition), 0, 3).Draw(t, "positions")
		want.facts.Readings = rapid.SliceOfN(rapid.Custom(drawReading), 0, 9).Draw(t, "readings")
		if rapid.Bool().Draw(t, "rejected") {
			want.rejections = []rejection{
				{nhip.Error{Code: nhip.OutOfRange, Field: "lat", Rule: "rule"}, 3, "bus/hanoi/1", drawTime(t)},
				{err: nhip.Error{Code: nhip.Malformed}, rows: 1, device: "topic/x"},
			}
			want.topic, want.decoder = "nhip/in/x", "position/1"
			if want.unkept = rapid.Bool().Draw(t, "unkept"); !want.unkept {
				want.payload = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
				want.skipped = rapid.IntRange(0, 1e6).Draw(t, "skipped")
			}
		}
		if want.facts.Undated = rapid.Bool().Draw(t, "undated"); want.facts.Undated {
			want.saidAs = rapid.Uint64().Draw(t, "print")
		}
		want.replayOf = rapid.SliceOfN(rapid.StringN(1, 9, 30), 0, 2).Draw(t, "replays")
		if rapid.Bool().Draw(t, "resubmit") {
			want.resubmit = &refusal{"position,vehicle=1 received=1i 2", "bus/hanoi/1", rapid.Int64().Draw(t, "hour"), rapid.Bool().Draw(t, "revised")}
		}
		record := appendRecord([]byte("before"), &want)
		if string(record[:6]) != "before" {
			t.Fatal("what stood in the buffer is overwritten")
		}
		if err := readRecord(record[6:], &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, compare); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if len(got.positionPrints) != len(got.facts.Positions) || len(got.readingPrints) != len(got.facts.Readings) {
			t.Fatalf("%d and %d fingerprints", len(got.positionPrints), len(got.readingPrints))
		}
	})
}

// TestAPrintIsOfTheContent tells facts apart that differ in anything, and not by when they arrived.
func TestAPrintIsOfTheContent(t *testing.T) {
	prints := func(o outcome) uint64 {
		var back outcome
		if err := readRecord(appendRecord(nil, &o), &back); err != nil {
			t.Fatal(err)
		}
		return append(back.positionPrints, back.readingPrints...)[0]
	}
	rapid.Check(t, func(t *rapid.T) {
		a := outcome{received: drawTime(t), facts: nhip.Facts{Positions: []nhip.Position{drawPosition(t)}}}
		b := a
		b.received = drawTime(t)
		if prints(a) != prints(b) {
			t.Fatal("the time of arrival is in the fingerprint")
		}
		b.facts.Positions = []nhip.Position{drawPosition(t)}
		if same := cmp.Equal(a.facts, b.facts, compare); same != (prints(a) == prints(b)) {
			t.Fatalf("%+v and %+v have the same fingerprint: %v", a.facts, b.facts, !same)
		}
	})
}

func FuzzReadRecord(f *testing.F) {
	f.Add(appendRecord(nil, &outcome{
		received: time.UnixMilli(1).UTC(),
		facts:    nhip.Facts{Positions: []nhip.Position{{Vehicle: "1", Time: time.UnixMilli(2).UTC()}}},
	}))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var o outcome
		_ = readRecord(b, &o) // any bytes: an error or an outcome, never a panic
	})
}

func BenchmarkRecord(b *testing.B) {
	o := outcome{facts: nhip.Facts{Positions: []nhip.Position{{
		Agency: "hanoi", Vehicle: "29B12345", Event: nhip.Fix, Time: time.UnixMilli(1771257482000).UTC(),
		Point: nhip.Some(orb.Point{105.8, 21.03}), Speed: nhip.Some(4.57), Bearing: nhip.Some(265.0), Route: "01", Trip: "t1",
	}}}}
	var record []byte
	var back outcome
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			record = appendRecord(record[:0], &o)
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = readRecord(record, &back)
		}
	})
}
