package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip"
	"nhip/geo/backtest/truth"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
)

// recordedCity is a recording with its timetable and its true trips.
type recordedCity struct{ name, timetable, points, truth string }

func recordedCities() []recordedCity {
	return []recordedCity{
		{"Washington", "gtfs-wmata-3routes/gtfs.zip", "recordings/wmata-bare.rec.gz", "recordings/wmata.rec.gz"},
		{"Austin", "eta/austin2015mar-shaped-gtfs.zip", "eta/austin0307-bare.rec.gz", "eta/austin0307.rec.gz"},
		{"Austin without shapes", "eta/austin2015mar-gtfs.zip", "eta/austin0307-bare.rec.gz", "eta/austin0307.rec.gz"},
		{"Be'er Sheva", "eta/beersheva-gtfs.zip", "eta/beersheva-bare.rec.gz", "eta/beersheva.rec.gz"},
	}
}

// matched counts the positions of a recording, and those with the right route and direction; by the confidence in
// steps of 0.05, too.
type matched struct {
	all, right int
	told, held [21]int
}

// match follows the positions of a city without their trips.
func (c recordedCity) match(t *testing.T) matched {
	t.Helper()
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: no recordings")
	}
	feeds, err := new(recordingFlags).feeds()
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []nhip.Position {
		all, err := recordedPositions(feeds, []string{filepath.Join(dir, name)})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	feed, err := gtfs.ReadFile(filepath.Join(dir, c.timetable))
	if err != nil {
		t.Fatal(err)
	}
	n := network.New(feed)
	named := read(c.truth)
	journeys, _ := truth.Extract(n, named)
	of := make(map[string][]truth.Journey)
	for _, j := range journeys {
		of[j.Vehicle] = append(of[j.Vehicle], j)
	}
	trips := make(map[positionKey]string)
	for i := range named {
		trips[keyOf(&named[i])] = named[i].Trip
	}
	var m matched
	first := make(map[string]time.Time)
	tracker := track.New(n)
	for _, p := range read(c.points) {
		s := tracker.Update(p.Vehicle, &p, "")
		if _, known := first[p.Vehicle]; !known {
			first[p.Vehicle] = p.Time
		}
		for i := range of[p.Vehicle] {
			j := &of[p.Vehicle][i]
			if j.Trip != trips[keyOf(&p)] || !j.Begins().Before(p.Time) || len(j.Ahead(p.Time)) == 0 ||
				p.Time.Sub(first[p.Vehicle]) < 5*time.Minute {
				continue
			}
			m.add(&s, j.Instance)
			break
		}
	}
	return m
}

func (m *matched) add(s *track.State, actual *network.TripInstance) {
	m.all++
	right := s.Pattern != nil && s.Pattern.Route == actual.Pattern.Route && s.Pattern.Direction == actual.Pattern.Direction
	bin := int(s.Confidence * 20)
	m.told[bin]++
	if right {
		m.right++
		m.held[bin]++
	}
}

// TestMatchingOfRecordedBuses holds the share of positions alone with the right route and direction, and that a
// confidence of 0.9 to 0.95 promises no more than it keeps.
func TestMatchingOfRecordedBuses(t *testing.T) {
	least := map[string]float64{"Washington": 0.99, "Austin": 0.97, "Austin without shapes": 0.98, "Be'er Sheva": 0.97}
	for _, c := range recordedCities() {
		m := c.match(t)
		if right := float64(m.right) / float64(m.all); right < least[c.name] {
			t.Errorf("%s: route and direction are right at %.1f %% of %d positions", c.name, 100*right, m.all)
		}
		if told, held := m.told[18], m.held[18]; told > 100 && float64(held) < 0.88*float64(told) {
			t.Errorf("%s: told with a confidence of 0.9 %d times, right %d times", c.name, told, held)
		}
	}
}
