package recorded_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"nhip"
	"nhip/app"
	"nhip/app/recorded"
	"nhip/internal/config"
)

func writeRecording(t *testing.T, text string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "day.rec")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{path}
}

// buses are two positions of one bus, the second of which names a trip, and a message of no feed.
const buses = `2001-02-16T08:00:00Z nhip/in/position/1 {"time":"2001-02-16T08:00:00Z","lat":21,"lon":105.8}
2001-02-16T08:00:05Z elsewhere/1 {"time":"2001-02-16T08:00:05Z","lat":21,"lon":105.8}
2001-02-16T08:00:10Z nhip/in/position/1 {"time":"2001-02-16T08:00:10Z","lat":21,"lon":105.8,"trip":"t1"}
`

// TestPositionsOfOldRecordingsAreDecoded decodes positions of 2001, which a running collector would reject as too old,
// and finds their trips.
func TestPositionsOfOldRecordingsAreDecoded(t *testing.T) {
	conf := config.Default()
	positions, err := recorded.Positions(app.Feeds(&conf), writeRecording(t, buses))
	if err != nil || len(positions) != 2 {
		t.Fatalf("%d positions, %v", len(positions), err)
	}
	trips := recorded.TripsOf(positions)
	if trip, known := trips.Of(&positions[1]); !trips.Named() || trip != "t1" || !known {
		t.Errorf("trip %q, known %v, named %v", trip, known, trips.Named())
	}
	other := positions[0]
	other.Vehicle = "2"
	if _, known := trips.Of(&other); known {
		t.Error("a bus that the recording does not contain is known")
	}
	if recorded.TripsOf(positions[:1]).Named() {
		t.Error("a recording without trips is said to name one")
	}
}

// TestHoursAreMeansOfPlacedReadings averages readings by the hour in which their periods end: an hour ends with its
// last reading, and readings without a place, of other quantities or of a whole day do not count.
func TestHoursAreMeansOfPlacedReadings(t *testing.T) {
	day := func(station, quantity, at, period, value, place string) string {
		return at + ` nhip/in/reading/` + station + ` {"time":"` + at + `","period":"` + period +
			`","values":{"` + quantity + `":` + value + `}` + place + "}\n"
	}
	const place = `,"lat":21,"lon":105.8`
	text := day("a", "pm25", "2001-02-16T08:30:00Z", "30m", "10", place) +
		day("a", "pm25", "2001-02-16T09:00:00Z", "30m", "20", place) +
		day("b", "pm25", "2001-02-16T09:00:00Z", "1h", "99", "") +
		day("b", "pm25", "2001-02-16T09:00:00Z", "24h", "99", place) +
		day("b", "no2", "2001-02-16T09:00:00Z", "1h", "99", place) +
		day("b", "pm25", "2001-02-16T09:00:01Z", "1h", "30", place)
	conf := config.Default()
	hours, n := recorded.NewHours(nhip.PM25), 0
	err := recorded.Facts(app.Feeds(&conf), writeRecording(t, text), func(f *nhip.Facts) {
		n += len(f.Readings)
		hours.Add(f)
	})
	if err != nil || n != 6 {
		t.Fatalf("%d readings, %v", n, err)
	}
	want := []struct {
		hour  int
		id    string
		value float64
	}{{9, "a", 15}, {10, "b", 30}}
	i := 0
	for o := range hours.Observations() {
		if i == len(want) {
			t.Fatalf("one hour too many: %+v", o)
		}
		if w := want[i]; o.Time.Hour() != w.hour || len(o.Sites) != 1 || o.Sites[0].ID != w.id ||
			math.Abs(o.Values[0]-w.value) > 1e-9 {
			t.Errorf("got %+v, want %+v", o, w)
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d hours, want %d", i, len(want))
	}
}
