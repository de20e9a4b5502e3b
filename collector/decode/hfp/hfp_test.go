package hfp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/decodetest"
)

func TestGolden(t *testing.T) { decodetest.Golden(t, Decoder) }

func FuzzDecode(f *testing.F) { decodetest.Fuzz(f, Decoder) }

func TestCost(t *testing.T) {
	decodetest.Cost(t, Decoder, "position", 3)
	decodetest.Cost(t, Decoder, "signal-request", 3)
	decodetest.Cost(t, Decoder, "start-after-midnight", 3)
	decodetest.Cost(t, Decoder, "counts-in-full", 3)
}

func BenchmarkPosition(b *testing.B) { decodetest.Benchmark(b, Decoder, "position") }

func BenchmarkSignalRequest(b *testing.B) { decodetest.Benchmark(b, Decoder, "signal-request") }

func BenchmarkCounts(b *testing.B) { decodetest.Benchmark(b, Decoder, "counts-in-part") }

// decodeOne decodes a message that must contain one position.
func decodeOne(t *testing.T, feed *decode.Feed, topic, payload string) nhip.Position {
	t.Helper()
	var facts nhip.Facts
	if err := Decoder.Decode(decode.Input{Topic: topic, Payload: []byte(payload), Feed: feed}, &facts); err != nil {
		t.Fatalf("%s %s: %v", topic, payload, err)
	}
	if len(facts.Positions) != 1 {
		t.Fatalf("%s %s: %d positions", topic, payload, len(facts.Positions))
	}
	return facts.Positions[0]
}

func TestDecodeEveryEventAndMode(t *testing.T) {
	for _, name := range strings.Fields(
		"vp due arr dep ars pde pas wait doo doc tlr tla da dout ba bout vja vjout apc apc-partial",
	) {
		key := strings.ToUpper(strings.TrimSuffix(name, "-partial"))
		for _, mode := range []string{"bus", "tram", "train", "ferry", "metro", "ubus", "robot", ""} {
			for _, way := range []struct {
				prefix, event string
				moves         bool
			}{
				{"journey/ongoing", name, key != "APC"},
				{"journey/upcoming", "upcoming-" + name, false},
				{"deadrun/ongoing", name, false},
				{"signoff/ongoing", name, false},
			} {
				topic := fmt.Sprintf("/hfp/v2/%s/%s/%s/0018/00001", way.prefix, name, mode)
				p := decodeOne(t, &decode.Feed{}, topic, `{"`+key+`":{"tst":"2026-02-16T15:59:58.931Z","lat":60.1,"long":24.9}}`)
				if p.Event != way.event || p.Vehicle != "0018/00001" || p.Moves() != way.moves {
					t.Errorf("%s: event %q of %q, moves %v", topic, p.Event, p.Vehicle, p.Moves())
				}
			}
		}
	}
}

func TestStartIsNearestToVehicleTime(t *testing.T) {
	hanoi := time.FixedZone("", 7*3600)
	for _, c := range []struct {
		zone             *time.Location
		tst, start, want string
		name             string
	}{
		{nil, "2026-02-16T23:50:00Z", "23:40", "23:40", "the same evening"},
		{nil, "2026-02-17T00:20:00Z", "23:40", "23:40", "after midnight, started before"},
		{nil, "2026-02-17T00:20:00Z", "00:10", "24:10", "after midnight, started after"},
		{nil, "2026-02-16T23:55:00Z", "00:10", "24:10", "before midnight, starts after"},
		{nil, "2026-02-16T04:45:00Z", "04:40", "04:40", "first of the day"},
		{hanoi, "2026-02-16T17:20:00Z", "00:10", "24:10", "after midnight in Hanoi"},
		{hanoi, "2026-02-15T21:45:00Z", "04:40", "04:40", "first of the day in Hanoi"},
		{nil, "2026-02-16T17:20:00Z", "00:10", "24:10", "after midnight in Hanoi, zone unknown"},
		{nil, "2026-02-15T21:45:00Z", "04:40", "04:40", "first of the day in Hanoi, zone unknown"},
		{nil, "2026-02-17T00:20:00Z", "24:10", "24:10", "already as in GTFS"},
	} {
		p := decodeOne(t, &decode.Feed{Zone: c.zone}, "/hfp/v2/journey/ongoing/vp/bus/0018/00001",
			fmt.Sprintf(`{"VP":{"tst":%q,"oday":"2026-02-16","start":%q}}`, c.tst, c.start))
		if p.StartTime != c.want || p.StartDate != "20260216" {
			t.Errorf("%s: %s %s, want %s", c.name, p.StartDate, p.StartTime, c.want)
		}
	}
}

func TestDecodeIgnoresFieldOrder(t *testing.T) {
	fields := []string{
		`"loc":"N/A"`, `"lat":60.1`, `"long":24.9`, `"start":"00:10"`, `"oday":"2026-02-16"`, `"tsi":1771288800`,
		`"tst":"2026-02-17T00:40:00.5Z"`,
	}
	for range fields {
		fields = append(fields[1:], fields[0])
		p := decodeOne(t, &decode.Feed{}, "/hfp/v2/journey/ongoing/vp/bus/0018/00001",
			`{"VP":{`+strings.Join(fields, ",")+`}}`)
		if p.Point.Known() || p.StartTime != "24:10" || p.Time.UnixMilli() != 1771288800500 {
			t.Errorf("%v: %+v", fields, p)
		}
	}
}
