package apptest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/geo/geotest"
	"nhip/internal/awaittest"
)

// Message is an MQTT message.
type Message struct{ Topic, Payload string }

// Position returns a message with a bus's position.
func Position(vehicle string, at time.Time, lat, lon float64) Message {
	return Message{"nhip/in/position/" + vehicle, fmt.Sprintf(
		`{"time":%q,"lat":%v,"lon":%v,"speed":4.57,"bearing":265,"route":"32"}`,
		at.UTC().Format(time.RFC3339), lat, lon)}
}

// Reading returns a message with an hour's mean of a monitor, which ends at end.
func Reading(station string, end time.Time, pm25 float64) Message {
	return Message{"nhip/in/reading/" + station, fmt.Sprintf(
		`{"time":%q,"period":"1h","lat":21.02,"lon":105.81,"values":{"pm25":%v,"humidity":80}}`,
		end.UTC().Format(time.RFC3339), pm25)}
}

// Drive returns the positions of a bus that drives the line of geotest from a time on. They do not name the trip.
func Drive(vehicle string, from time.Time, seconds int) (messages []Message) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for s := 0; s <= seconds; s += 20 {
		p := geotest.At(float64(s) * geotest.Speed)
		at := from.Add(time.Duration(s) * time.Second).UTC()
		messages = append(messages, Message{"nhip/in/position/" + vehicle, fmt.Sprintf(
			`{"time":%q,"lat":%f,"lon":%f}`,
			at.Format(time.RFC3339), p.Lat()+rnd.NormFloat64()*5e-5, p.Lon()+rnd.NormFloat64()*5e-5)})
	}
	return messages
}

// Timetable returns the timetable of geotest's line with so many stops, as a GTFS zip.
func Timetable(t testing.TB, stops int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := geotest.Line(stops, 15*time.Minute).Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TimetableFile writes the timetable of geotest's line with 21 stops and returns its path.
func TimetableFile(t testing.TB) string {
	t.Helper()
	return WriteFile(t, "line.zip", string(Timetable(t, 21)))
}

// ZoneFile writes a file with one zone, followed by tail, which may make it invalid.
func ZoneFile(t testing.TB, tail string) string {
	t.Helper()
	return WriteFile(t, "zones.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","id":"a",`+
		`"properties":{"name":"Sân"},"geometry":{"type":"Polygon",`+
		`"coordinates":[[[105,21],[106,21],[106,22],[105,21]]]}}]}`+tail)
}

// PlacesFile writes a file with one place, a hospital with the id bm.
func PlacesFile(t testing.TB) string {
	t.Helper()
	return WriteFile(t, "places.geojson", `{"type":"FeatureCollection","features":[{"type":"Feature","id":"bm",`+
		`"properties":{"name":"Bệnh viện Bạch Mai","name_en":"Bach Mai Hospital","type":"hospital"},`+
		`"geometry":{"type":"Point","coordinates":[105.8413,21.0002]}}]}`)
}

// BasemapFile writes a file with the header of a base map.
func BasemapFile(t testing.TB) string {
	t.Helper()
	return WriteFile(t, "base.pmtiles", "PMTiles\x03\x7f"+strings.Repeat("\x00", 200))
}

// Features is a GeoJSON answer.
type Features struct {
	Features []struct {
		Geometry   struct{ Coordinates []float64 }
		Properties map[string]any
	}
}

// Decode decodes a successful answer.
func Decode(t testing.TB, a apitest.Answer, into any) {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		t.Fatalf("%v in %s", err, a.Body)
	}
}

// Metric returns a metric's lines.
func Metric(t testing.TB, c *apitest.Client, name string) string {
	t.Helper()
	var out []string
	for line := range strings.Lines(string(c.Get(t, "/metrics").Body)) {
		if strings.HasPrefix(line, name) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}

// AwaitAssessed waits until so many readings are assessed and nothing is left to aggregate. On a busy machine a year
// of readings takes longer than awaittest.Timeout, which therefore bounds the time without progress.
func AwaitAssessed(t testing.TB, c *apitest.Client, readings int) {
	t.Helper()
	for done, last := false, ""; !done; {
		awaittest.True(t, "all readings are assessed and aggregated", func() bool {
			assessed, left := assessment(t, c)
			done = assessed >= float64(readings) && left == 0
			before := last
			last = fmt.Sprint(assessed, left)
			return done || before != "" && last != before
		})
	}
}

// assessment returns how many readings are assessed, and how many hours and days are left to aggregate.
func assessment(t testing.TB, c *apitest.Client) (assessed, left float64) {
	t.Helper()
	for line := range strings.Lines(string(c.Get(t, "/metrics").Body)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		v, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil: // a comment
		case strings.HasPrefix(name, "nhip_air_judged_total{"):
			assessed += v
		case name == "nhip_air_left_hours" || name == "nhip_air_left_days":
			left += v
		}
	}
	return assessed, left
}

// AwaitFleet waits until so many new versions of the fleet file are in force. A device that connects earlier fails,
// and the gateway delays further attempts from its address.
func AwaitFleet(t testing.TB, c *apitest.Client, versions int) {
	t.Helper()
	line := fmt.Sprintf("\nnhip_fleet_reloads_total %d\n", versions)
	awaittest.True(t, "the new fleet is in force", func() bool {
		return strings.Contains(string(c.Get(t, "/metrics").Body), line)
	})
}
