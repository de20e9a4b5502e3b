package record

import (
	"fmt"
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// compare looks into unexported fields and treats nil and empty slices as equal.
var compare = cmp.Options{
	cmp.AllowUnexported(
		nhip.Opt[float64]{}, nhip.Opt[int]{}, nhip.Opt[bool]{}, nhip.Opt[orb.Point]{}, nhip.Opt[[2]float64]{},
	),
	cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(Outcome{}, "PositionHashes", "ReadingHashes", "UserActionHashes"),
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
		Route: text.Draw(t, "route"), Line: text.Draw(t, "line"), Trip: text.Draw(t, "trip"),
		Headsign:  text.Draw(t, "headsign"),
		Direction: opt(t, rapid.IntRange(0, 1), "direction"), StartDate: text.Draw(t, "start_date"),
		StartTime: text.Draw(t, "start_time"),
		NextStop:  text.Draw(t, "next_stop"), Occupancy: nhip.Occupancy(text.Draw(t, "occupancy")),
		Delay: opt(t, rapid.Int(), "delay"), Odometer: opt(t, number, "odometer"), DoorsOpen: opt(t, rapid.Bool(), "doors"),
		Deadrun: rapid.Bool().Draw(t, "deadrun"), Origin: nhip.Origin(text.Draw(t, "origin")),
		Stop: text.Draw(t, "stop"), Estimated: rapid.Bool().Draw(t, "estimated"), Resolved: rapid.Bool().Draw(t, "resolved"),
		Passengers: opt(t, rapid.Int(), "passengers"),
		Boarded:    opt(t, rapid.Int(), "boarded"), Alighted: opt(t, rapid.Int(), "alighted"),
	}
}

func drawReading(t *rapid.T) nhip.Reading {
	return nhip.Reading{
		Station: rapid.String().Draw(t, "station"), Quantity: nhip.Quantity(rapid.String().Draw(t, "quantity")),
		Time:   drawTime(t),
		Period: time.Duration(rapid.Int64Range(1, 1e9).Draw(t, "period")) * time.Millisecond,
		Value:  rapid.Float64().Draw(t, "value"), Flag: nhip.Flag(rapid.IntRange(1, 9).Draw(t, "flag")),
		Point: drawPoint(t), Origin: nhip.Origin(rapid.String().Draw(t, "origin")),
	}
}

func drawReport(t *rapid.T) *nhip.ServiceReport {
	r := &nhip.ServiceReport{
		Feed: "city", Agency: "hanoi", Time: drawTime(t), Differential: rapid.Bool().Draw(t, "differential"),
		Predictions: nhip.Predictions(rapid.SampledFrom([]string{"", "theirs", "better"}).Draw(t, "predictions")),
		Deleted:     rapid.SliceOfN(rapid.StringN(1, 9, 30), 0, 2).Draw(t, "deleted"),
	}
	text, number := rapid.StringN(0, 60, 256), rapid.IntRange(-1e5, 1e5)
	for range rapid.IntRange(0, 3).Draw(t, "trips") {
		u := nhip.TripUpdate{
			Feed: r.Feed, Agency: r.Agency, Entity: text.Draw(t, "entity"), Trip: text.Draw(t, "trip"),
			Route: text.Draw(t, "route"), Direction: opt(t, number, "direction"), StartDate: text.Draw(t, "start_date"),
			StartTime: text.Draw(t, "start_time"), Relationship: nhip.TripRelationship(text.Draw(t, "relationship")),
			Vehicle: text.Draw(t, "vehicle"), Headsign: text.Draw(t, "headsign"), Delay: opt(t, number, "delay"),
			NewTrip: text.Draw(t, "new trip"), NewDate: text.Draw(t, "new date"), NewStart: text.Draw(t, "new start"),
		}
		if rapid.Bool().Draw(t, "measured") {
			u.Time = drawTime(t)
		}
		for range rapid.IntRange(0, 3).Draw(t, "stops") {
			at := rapid.Int64Range(0, 1e11)
			u.Stops = append(u.Stops, nhip.StopUpdate{
				Sequence: opt(t, number, "sequence"), Stop: text.Draw(t, "stop"), Assigned: text.Draw(t, "assigned"),
				Relationship: nhip.StopRelationship(text.Draw(t, "relationship")), Arrival: opt(t, at, "arrival"),
				ArrivalDelay: opt(t, number, "delay"), Departure: opt(t, at, "departure"), DepartureDelay: opt(t, number, "delay"),
			})
		}
		r.Trips = append(r.Trips, u)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "alerts") {
		r.Alerts = append(r.Alerts, nhip.ServiceAlert{
			Feed: r.Feed, Agency: r.Agency, ID: fmt.Sprint(i), Header: []nhip.Translation{{Language: "vi", Text: "Đổi"}},
			Periods:  []nhip.Period{{From: time.Unix(1, 0).UTC()}},
			Informed: []nhip.InformedEntity{{Stop: "s", Direction: nhip.Some(1)}},
		})
	}
	return r
}

func TestRecordRoundTrip(t *testing.T) {
	var got Outcome // reused for every record, as by the collector
	rapid.Check(t, func(t *rapid.T) {
		want := Outcome{Received: drawTime(t)}
		want.Facts.Positions = rapid.SliceOfN(rapid.Custom(drawPosition), 0, 3).Draw(t, "positions")
		want.Facts.Readings = rapid.SliceOfN(rapid.Custom(drawReading), 0, 9).Draw(t, "readings")
		if rapid.Bool().Draw(t, "service") {
			want.Facts.Service = drawReport(t)
		}
		if rapid.Bool().Draw(t, "rejections") {
			want.Rejections = []Rejection{
				{nhip.Error{Code: nhip.CodeOutOfRange, Field: "lat", Rule: "rule"}, 3, "bus/hanoi/1", drawTime(t)},
				{Err: nhip.Error{Code: nhip.CodeMalformed}, Rows: 1, Device: "topic/x"},
			}
			want.Topic, want.Decoder = "nhip/in/x", "position/1"
			if want.LetterDropped = rapid.Bool().Draw(t, "letter dropped"); !want.LetterDropped {
				want.Payload = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
				want.DroppedBefore = rapid.IntRange(0, 1e6).Draw(t, "dropped before")
			}
		}
		if want.Facts.Undated = rapid.Bool().Draw(t, "undated"); want.Facts.Undated {
			want.PayloadHash = rapid.Uint64().Draw(t, "payload hash")
		}
		want.ReplayOf = rapid.SliceOfN(rapid.StringN(1, 9, 30), 0, 2).Draw(t, "replay of")
		if rapid.Bool().Draw(t, "resubmission") {
			want.Resubmission = &RejectedRow{
				"position,vehicle=1 received=1i 2", "bus/hanoi/1", rapid.Int64().Draw(t, "hour"), rapid.Bool().Draw(t, "revised"),
			}
		}
		record := Append([]byte("before"), &want)
		if string(record[:6]) != "before" {
			t.Fatal("Append overwrote the buffer's content")
		}
		if err := Read(record[6:], &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, compare); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if len(got.PositionHashes) != len(got.Facts.Positions) || len(got.ReadingHashes) != len(got.Facts.Readings) {
			t.Fatalf("%d position hashes, %d reading hashes", len(got.PositionHashes), len(got.ReadingHashes))
		}
	})
}

// TestHashDependsOnContentOnly checks that the hashes of facts differ if and only if the facts do, whatever their
// time of arrival.
func TestHashDependsOnContentOnly(t *testing.T) {
	hash := func(o Outcome) uint64 {
		var back Outcome
		if err := Read(Append(nil, &o), &back); err != nil {
			t.Fatal(err)
		}
		return append(back.PositionHashes, back.ReadingHashes...)[0]
	}
	rapid.Check(t, func(t *rapid.T) {
		a := Outcome{Received: drawTime(t), Facts: nhip.Facts{Positions: []nhip.Position{drawPosition(t)}}}
		b := a
		b.Received = drawTime(t)
		if hash(a) != hash(b) {
			t.Fatal("the hash depends on the time of arrival")
		}
		b.Facts.Positions = []nhip.Position{drawPosition(t)}
		if same := cmp.Equal(a.Facts, b.Facts, compare); same != (hash(a) == hash(b)) {
			t.Fatalf("%+v and %+v have the same hash: %v", a.Facts, b.Facts, !same)
		}
	})
}

func FuzzReadRecord(f *testing.F) {
	f.Add(Append(nil, &Outcome{
		Received: time.UnixMilli(1).UTC(),
		Facts:    nhip.Facts{Positions: []nhip.Position{{Vehicle: "1", Time: time.UnixMilli(2).UTC()}}},
	}))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var o Outcome
		_ = Read(b, &o) // must not panic
	})
}

func BenchmarkRecord(b *testing.B) {
	o := Outcome{Facts: nhip.Facts{Positions: []nhip.Position{{
		Agency: "hanoi", Vehicle: "29B12345", Event: nhip.EventPosition, Time: time.UnixMilli(1771257482000).UTC(),
		Point: nhip.Some(orb.Point{105.8, 21.03}), Speed: nhip.Some(4.57), Bearing: nhip.Some(265.0), Route: "01", Trip: "t1",
	}}}}
	var record []byte
	var back Outcome
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			record = Append(record[:0], &o)
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = Read(record, &back)
		}
	})
}
