package live

import (
	"fmt"
	"testing"
	"time"

	"nhip"
	"nhip/internal/topics"
)

// report returns a report with so many trips of so many stops, and so many alerts.
func report(feed string, at time.Time, trips, stops, alerts int) *nhip.ServiceReport {
	r := &nhip.ServiceReport{Feed: feed, Agency: "hanoi", Time: at}
	for i := range trips {
		u := nhip.TripUpdate{Feed: feed, Trip: fmt.Sprint("T", i), Relationship: nhip.TripCanceled}
		for k := range stops {
			u.Stops = append(u.Stops, nhip.StopUpdate{Stop: fmt.Sprint("S", k), Departure: nhip.Some(at.Unix())})
		}
		r.Trips = append(r.Trips, u)
	}
	for i := range alerts {
		r.Alerts = append(r.Alerts, nhip.ServiceAlert{Feed: feed, ID: fmt.Sprint(i)})
	}
	return r
}

// TestServicesAreBounded: what is beyond the bounds is left out and counted, and there is room again when a feed says
// less.
func TestServicesAreBounded(t *testing.T) {
	left := make(map[string]int)
	dirty := make(map[string]bool)
	s := newServices(dirty, func(kind string, n int) { left[kind] += n })
	apply := func(r *nhip.ServiceReport) { s.apply(newReportChange(r), noon) }
	check := func(what string, topicCount int, want map[string]int) {
		t.Helper()
		if s.topicCount() != topicCount || fmt.Sprint(left) != fmt.Sprint(want) {
			t.Errorf("%s: %d topics, left out %v; want %d and %v", what, s.topicCount(), left, topicCount, want)
		}
		clear(left)
	}
	apply(report("a", noon, maxServiceTrips+2, 0, maxServiceAlerts+3))
	check("trips and alerts", 1+maxServiceTrips+maxServiceAlerts, map[string]int{"trip": 2, "alert": 3})
	apply(report("a", noon.Add(time.Second), maxServiceStops/400+1, 400, 1))
	check("stops", 1+maxServiceStops/400+1, map[string]int{"trip": 1})
	apply(report("a", noon.Add(2*time.Second), 0, 0, 0))
	check("nothing", 1, map[string]int{})
	for i := range maxServiceFeeds + 4 {
		apply(report(fmt.Sprint("f", i), noon, 1, 0, 0))
	}
	check("feeds", 1+2*(maxServiceFeeds-1), map[string]int{"feed": 5})
	n := 0
	s.each(func(topic string, state any) {
		if n++; s.find(topic) == nil || state == nil || !dirty[topic] {
			t.Errorf("%s is not found", topic)
		}
	})
	if n != s.topicCount() {
		t.Errorf("%d topics of %d", n, s.topicCount())
	}
}

// TestRepeatedReportIsPublishedOnce: only the state of the feed changes with a report that repeats the one before.
func TestRepeatedReportIsPublishedOnce(t *testing.T) {
	dirty := make(map[string]bool)
	s := newServices(dirty, nil)
	r := report("a", noon, 2, 3, 1)
	s.apply(newReportChange(r), noon)
	if len(dirty) != 4 {
		t.Errorf("%v", dirty)
	}
	clear(dirty)
	again := report("a", noon, 2, 3, 1)
	again.Time = noon.Add(time.Second)
	again.Trips[1].Stops[2].Relationship = nhip.StopSkipped
	s.apply(newReportChange(again), noon)
	if len(dirty) != 2 || !dirty[topics.ServiceFeedTopic("a")] || !dirty[topics.ServiceTopic("trip", "a", "T1||")] {
		t.Errorf("%v", dirty)
	}
}

// BenchmarkApplyReport applies the report of a large city that repeats the one before.
func BenchmarkApplyReport(b *testing.B) {
	s := newServices(make(map[string]bool), nil)
	first := report("a", noon, 5000, 40, 50)
	s.apply(newReportChange(first), noon)
	c := newReportChange(first)
	b.Run("prepare", func(b *testing.B) {
		for b.Loop() {
			newReportChange(first)
		}
	})
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			s.apply(c, noon)
		}
	})
}
