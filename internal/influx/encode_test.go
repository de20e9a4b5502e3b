package influx_test

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"nhip"
	"nhip/internal/influx"

	"github.com/google/go-cmp/cmp"
	lineprotocol "github.com/influxdata/line-protocol"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

var (
	noon     = time.Date(2026, 3, 2, 12, 0, 0, 250e6, time.UTC)
	received = noon.Add(1500 * time.Millisecond)
)

func fullPosition() nhip.Position {
	return nhip.Position{
		Agency: "transerco", Vehicle: "29B-123.45", Event: nhip.EventPosition, Time: noon,
		Point: nhip.Some(orb.Point{105.8412, 21.0278}), Speed: nhip.Some(8.5), Bearing: nhip.Some(270.0),
		Route: "32", Line: "32", Trip: "32-0615", Headsign: "Nhổn", Direction: nhip.Some(1),
		StartDate: "20260302", StartTime: "25:10", NextStop: "S7",
		Occupancy: nhip.OccupancyFewSeats, Delay: nhip.Some(-30), Odometer: nhip.Some(1234.5), DoorsOpen: nhip.Some(false),
		Stop: "S6", Passengers: nhip.Some(31), Boarded: nhip.Some(4), Alighted: nhip.Some(0), Estimated: true,
		Deadrun: true, Origin: nhip.OriginSimulated,
	}
}

func fullReading() nhip.Reading {
	return nhip.Reading{
		Station: "hn-01", Quantity: nhip.PM25, Time: noon, Period: time.Hour, Value: 35, Flag: nhip.FlagGood,
		Point: nhip.Some(orb.Point{105.8, 21}), Origin: nhip.OriginSimulated, Channels: nhip.Some([2]float64{34, 36}),
	}
}

func fullArrival() nhip.Arrival {
	return nhip.Arrival{
		Agency: "hanoi", Vehicle: "29B 1", Route: "01", Time: noon, Departed: noon.Add(20 * time.Second), Pattern: "01:0:abc",
		Trip:      "01-0-0600",
		StartDate: "20260302", StartTime: "06:00:00", Stop: "HN0001", Index: 3, Delay: nhip.Some(-70), Inferred: true,
		Origin: nhip.OriginSimulated,
	}
}

func TestAppendPosition(t *testing.T) {
	tests := []struct {
		name string
		p    nhip.Position
		want string
	}{
		{
			"every field", fullPosition(),
			`position,agency=transerco,event=vp,route=32,vehicle=29B-123.45 ` +
				`received=1772452801750i,lat=21.0278,lon=105.8412,speed=8.5,bearing=270,odometer=1234.5,direction=1i,delay=-30i,` +
				`passengers=31i,boarded=4i,alighted=0i,line="32",trip="32-0615",headsign="Nhổn",start_date="20260302",` +
				`start_time="25:10",next_stop="S7",stop="S6",occupancy="FEW_SEATS_AVAILABLE",origin="simulated",doors_open=false,` +
				`estimated=true,deadrun=true 1772452800250`,
		},
		{
			"only vehicle and time",
			nhip.Position{Vehicle: "1", Time: noon},
			`position,vehicle=1 received=1772452801750i 1772452800250`,
		},
		{
			"zeros",
			nhip.Position{Vehicle: "1", Time: noon, Speed: nhip.Some(0.0), Direction: nhip.Some(0), Delay: nhip.Some(0)},
			`position,vehicle=1 received=1772452801750i,speed=0,direction=0i,delay=0i 1772452800250`,
		},
		{
			"NaN and infinity",
			nhip.Position{Vehicle: "1", Time: noon, Odometer: nhip.Some(math.NaN()), Speed: nhip.Some(math.Inf(1))},
			`position,vehicle=1 received=1772452801750i 1772452800250`,
		},
		{
			"escapes",
			nhip.Position{Vehicle: `a b,c=d"e\`, Headsign: `x "y\`, Time: noon},
			`position,vehicle=a\ b\,c\=d"e＼- received=1772452801750i,headsign="x \"y\\" 1772452800250`,
		},
		{
			"control characters",
			nhip.Position{Vehicle: "a\nposition,vehicle=x lat=1", Headsign: "b\"\nevil e=1", Time: noon},
			`position,vehicle=a?position\,vehicle\=x\ lat\=1 received=1772452801750i,headsign="b\"?evil e=1" 1772452800250`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(influx.AppendPosition([]byte("before\n"), &tt.p, received))
			if diff := cmp.Diff("before\n"+tt.want+"\n", got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAppendReading(t *testing.T) {
	bare := nhip.Reading{
		Station: "s", Quantity: nhip.NO2, Time: noon, Period: 90 * time.Second, Value: -0.25, Flag: nhip.FlagNotEvaluated,
	}
	none := bare
	none.Value = math.NaN()
	tests := []struct {
		name string
		r    nhip.Reading
		want string
	}{
		{
			"every field", fullReading(),
			`reading,period=1h,quantity=pm25,station=hn-01 ` +
				`received=1772452801750i,value=35,flag=1i,channel_a=34,channel_b=36,lat=21,lon=105.8,origin="simulated" ` +
				`1772452800250`,
		},
		{
			"without a location", bare,
			`reading,period=90s,quantity=no2,station=s received=1772452801750i,value=-0.25,flag=2i 1772452800250`,
		},
		{"NaN value", none, `reading,period=90s,quantity=no2,station=s received=1772452801750i,flag=2i 1772452800250`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(influx.AppendReading(nil, &tt.r, received))
			if diff := cmp.Diff(tt.want+"\n", got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// parse parses line protocol with InfluxDB's own parser.
func parse(t testing.TB, lines []byte) []lineprotocol.Metric {
	h := lineprotocol.NewMetricHandler()
	h.SetTimePrecision(time.Millisecond)
	metrics, err := lineprotocol.NewParser(h).Parse(lines)
	if err != nil {
		t.Fatalf("%v in %q", err, lines)
	}
	return metrics
}

func TestEncodedRowsMatchSchema(t *testing.T) {
	p, r := fullPosition(), fullReading()
	lines := influx.AppendPositionRevision(influx.AppendPosition(nil, &p, received), &p, received, 1)
	lines = influx.AppendPositionRow(lines, &p, received, influx.PositionRow{UnknownRoute: true})
	lines = influx.AppendPositionRow(lines, &p, received, influx.PositionRow{UnknownRoute: true, Revision: 1})
	lines = influx.AppendReadingRevision(influx.AppendReading(lines, &r, received), &r, received, 2)
	a := fullArrival()
	lines = influx.AppendArrival(lines, &a)
	lines = influx.AppendAssessment(lines, &r, &nhip.Assessment{Flag: nhip.FlagGood})
	lines = influx.AppendRollup(lines, &nhip.Rollup{
		Station: "s", Quantity: nhip.PM25, Period: nhip.PeriodHour, Quality: nhip.QualityRaw, Time: noon,
		RollupStats: nhip.RollupStats{Max1h: nhip.Some(1.0), Max8h: nhip.Some(1.0), Capture8h: nhip.Some(100.0)},
	}, influx.NetworkHour{Typical: nhip.Some(1.0), Roughness: nhip.Some(0.1), Tests: "neighbours=3"}, received)
	lines = influx.AppendRollupHours(lines, &nhip.Rollup{
		Station: "s", Quantity: nhip.O3, Period: nhip.PeriodDay, Quality: nhip.QualityRaw, Time: noon,
	}, []float64{1, math.NaN()}, received)
	lines = influx.AppendReview(lines, &nhip.Review{
		ID: "r", Station: "s", Quantity: nhip.PM25, From: noon, To: noon, Action: nhip.ActionUndo, Of: "q", By: "b",
		Why: "w", Time: noon,
	}, received)
	lines = influx.AppendAck(lines, &nhip.Ack{Alert: "a", By: "b", Note: "n", Time: noon}, received)
	lines = influx.AppendAudit(lines, &nhip.AuditEntry{
		Time: noon, Kind: "key", ID: "k", By: "b", Role: nhip.RoleAdmin, Key: "k0", Object: "key/k",
		Before: []byte(`{"a":1}`),
		After:  []byte(`{"a":""\n"}`),
	}, received)
	lines = influx.AppendService(lines, &influx.ServiceRow{
		Agency: "a", Feed: "f", Time: noon, Kind: "trip", ID: "i", Route: "r", Trip: "t", StartDate: "20260216",
		Relationship: "CANCELED", Effect: "DETOUR", Content: "{}",
	}, received)
	lines = influx.AppendMarker(lines, &influx.Marker{Collector: "c", ID: "i", Time: noon})
	lines = influx.AppendDeletion(lines, &influx.Deletion{Measurement: "m", Until: noon, Time: noon})
	written := make(map[string]map[string]influx.ColumnType)
	for _, m := range parse(t, lines) {
		if written[m.Name()] == nil {
			written[m.Name()] = make(map[string]influx.ColumnType)
		}
		for _, tag := range m.TagList() {
			written[m.Name()][tag.Key] = influx.Tag
		}
		for _, field := range m.FieldList() {
			written[m.Name()][field.Key] = columnType(field.Value)
		}
	}
	for _, m := range influx.Schema() {
		got, want := written[m.Name], map[string]influx.ColumnType{}
		for _, c := range m.Columns {
			want[c.Name] = c.Type
			if c.Name == "time" || c.Doc == "" {
				t.Errorf("column %q of %s: its name is reserved or its doc is empty", c.Name, m.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (- schema, + written):\n%s", m.Name, diff)
		}
	}
}

func columnType(v any) influx.ColumnType {
	switch v.(type) {
	case float64:
		return influx.Float
	case int64:
		return influx.Int
	case string:
		return influx.String
	case bool:
		return influx.Bool
	}
	return "unknown"
}

// texts generates texts that decoding accepts, with many characters that are special in some language.
func texts() *rapid.Generator[string] {
	special := rapid.SampledFrom([]rune(`\,= "'#$＼-{}/|()` + "\u00a0\u0085\u2028é"))
	return rapid.StringOfN(rapid.OneOf(special, rapid.Rune()), 0, 24, -1).
		Filter(func(s string) bool { return nhip.CheckText("text", s) == nil })
}

func ids() *rapid.Generator[string] {
	return texts().Filter(func(s string) bool { return s != "" })
}

func positions() *rapid.Generator[nhip.Position] {
	return rapid.Custom(func(t *rapid.T) nhip.Position {
		text := func(name string) string { return texts().Draw(t, name) }
		p := nhip.Position{
			Vehicle: ids().Draw(t, "vehicle"), Agency: text("agency"), Event: text("event"), Route: text("route"), Time: noon,
			Line: text("line"), Trip: text("trip"), Headsign: text("headsign"), StartTime: text("start_time"),
			NextStop: text("next_stop"), Stop: text("stop"), Origin: nhip.Origin(text("origin")),
			Deadrun: rapid.Bool().Draw(t, "deadrun"),
		}
		if rapid.Bool().Draw(t, "has point") {
			p.Point = nhip.Some(orb.Point{
				rapid.Float64Range(-180, 180).Draw(t, "lon"), rapid.Float64Range(-90, 90).Draw(t, "lat"),
			})
		}
		if rapid.Bool().Draw(t, "has delay") {
			p.Delay = nhip.Some(rapid.Int().Draw(t, "delay"))
		}
		return p
	})
}

// columns returns the columns that must be read back for p, by name.
func columns(p *nhip.Position) map[string]any {
	want := map[string]any{"received": received.UnixMilli()}
	for name, text := range map[string]string{
		"vehicle": p.Vehicle, "agency": p.Agency, "event": p.Event, "route": p.Route, "line": p.Line, "trip": p.Trip,
		"headsign": p.Headsign, "start_time": p.StartTime, "next_stop": p.NextStop, "stop": p.Stop,
		"origin": string(p.Origin),
	} {
		if text != "" {
			want[name] = text
		}
	}
	if pt, ok := p.Point.Get(); ok {
		want["lat"], want["lon"] = pt.Lat(), pt.Lon()
	}
	if d, ok := p.Delay.Get(); ok {
		want["delay"] = int64(d)
	}
	if p.Deadrun {
		want["deadrun"] = true
	}
	return want
}

func TestPositionsRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := positions().Draw(rt, "position")
		metrics := parse(t, influx.AppendPosition(nil, &p, received))
		if len(metrics) != 1 {
			rt.Fatalf("%d rows, want 1", len(metrics))
		}
		got := map[string]any{}
		for _, tag := range metrics[0].TagList() {
			got[tag.Key] = influx.TagText(tag.Value)
		}
		for _, field := range metrics[0].FieldList() {
			got[field.Key] = field.Value
		}
		if diff := cmp.Diff(columns(&p), got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestTextsCannotInjectRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := string(rapid.SliceOfN(rapid.Byte(), 0, 24).Draw(rt, "bytes")) // may be invalid UTF-8
		p := nhip.Position{Vehicle: "v" + text, Route: text, Headsign: text, Line: text, Time: noon}
		line := influx.AppendPosition(nil, &p, received)
		if n := bytes.Count(line, []byte("\n")); n != 1 || line[len(line)-1] != '\n' {
			rt.Fatalf("%d newlines in %q", n, line)
		}
		if utf8.ValidString(text) && len(parse(t, line)) != 1 {
			rt.Fatalf("want one row: %q", line)
		}
	})
}

func TestTagValueRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := texts().Draw(rt, "text")
		value := influx.TagValue(text)
		if got := influx.TagText(value); got != text {
			rt.Fatalf("%q was encoded as %q, which decodes to %q", text, value, got)
		}
		if strings.Contains(value, `\`) {
			rt.Fatalf("tag value %q contains a backslash", value)
		}
	})
}

func TestAppendNumberIsExact(t *testing.T) {
	check := func(rt rapid.TB, f float64) {
		text := string(influx.AppendNumber(nil, f))
		if got, err := strconv.ParseFloat(text, 64); err != nil || got != f {
			rt.Fatalf("%v was encoded as %s, which parses to %v, %v", f, text, got, err)
		}
	}
	for want, f := range map[string]float64{
		"0": 0, "1": 1, "100": 100, "-1": -1, "0.1": 0.1, "-0.5": -0.5, "105.84123456": 105.84123456, "0.00000001": 1e-8,
		"1.0000001": 1.0000001, "1e-09": 1e-9, "90071992.5": 90071992.5, "1e+300": 1e300, "8.333333333333334": 30 / 3.6,
	} {
		if got := string(influx.AppendNumber(nil, f)); got != want {
			t.Errorf("%v was encoded as %s, want %s", f, got, want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		check(rt, rapid.Float64().Draw(rt, "any"))
		check(rt, rapid.Float64Range(-1e8, 1e8).Draw(rt, "near"))
		check(rt, float64(rapid.Int64Range(-1<<54, 1<<54).Draw(rt, "n"))/math.Pow10(rapid.IntRange(0, 10).Draw(rt,
			"decimals")))
	})
}

func TestPeriodTagMatchesFormatPeriod(t *testing.T) {
	for _, d := range []time.Duration{
		time.Second, 30 * time.Second, 90 * time.Second, time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour,
		nhip.MaxPeriod,
	} {
		r := nhip.Reading{Station: "s", Quantity: nhip.PM25, Time: noon, Period: d}
		line := string(influx.AppendReading(nil, &r, received))
		if want := ",period=" + nhip.FormatPeriod(d) + ","; !strings.Contains(line, want) {
			t.Errorf("%s: no %s in %s", d, want, line)
		}
	}
}

func TestEncodingDoesNotAllocate(t *testing.T) {
	p, r := fullPosition(), fullReading()
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		buf = influx.AppendReading(influx.AppendPosition(buf[:0], &p, received), &r, received)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkAppendPosition(b *testing.B) {
	full := fullPosition()
	full.Point = nhip.Some(orb.Point{105.84123456, 21.02781234})
	usual := nhip.Position{ // the report that a device sends every few seconds
		Agency: full.Agency, Vehicle: full.Vehicle, Event: full.Event, Time: full.Time, Route: full.Route,
		Point: full.Point, Speed: full.Speed, Bearing: full.Bearing,
	}
	for name, p := range map[string]*nhip.Position{"usual": &usual, "every field": &full} {
		b.Run(name, func(b *testing.B) {
			buf := make([]byte, 0, 4096)
			for b.Loop() {
				buf = influx.AppendPosition(buf[:0], p, received)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

func BenchmarkAppendReading(b *testing.B) {
	r := fullReading()
	r.Value = 35.4
	buf := make([]byte, 0, 4096)
	for b.Loop() {
		buf = influx.AppendReading(buf[:0], &r, received)
	}
	b.SetBytes(int64(len(buf)))
}
