package live

import (
	"cmp"
	"time"

	"nhip"
	"nhip/collector/record"
	"nhip/internal/topics"

	"github.com/cespare/xxhash/v2"
)

// Bounds of what realtime feeds may say of trips and alerts. What is beyond them is left out and counted.
const (
	maxServiceFeeds  = 200
	maxServiceTrips  = 20_000  // of all feeds
	maxServiceStops  = 500_000 // of all trips, about 80 MB
	maxServiceAlerts = 5_000   // of all feeds
)

// services is what realtime feeds say of trips and alerts now. It must be used under the State's lock. Entries are
// replaced and never changed.
type services struct {
	feeds  map[string]*serviceFeed // by name
	dirty  map[string]bool         // topics whose retained message is outdated; the State's
	left   func(kind string, n int)
	trips  int
	stops  int
	alerts int
}

// serviceFeed is what one feed says.
type serviceFeed struct {
	state   nhip.ServiceFeed
	entries map[string]serviceEntry // by topic
}

// serviceEntry is a trip or an alert.
type serviceEntry struct {
	trip  *nhip.TripUpdate
	alert *nhip.ServiceAlert
	hash  uint64 // of the content
}

// reportChange is a report that is prepared for apply.
type reportChange struct {
	*nhip.ServiceReport
	topics  []string // of entries
	entries []serviceEntry
}

// newReportChange prepares a report: it makes the topics and the hashes, which takes most of the time.
func newReportChange(r *nhip.ServiceReport) *reportChange {
	c := &reportChange{ServiceReport: r}
	for i := range r.Trips {
		trip := r.Trips[i] // a pointer into the report would keep all of it in memory
		c.add(topics.ServiceTopic(topics.ServiceTrip, r.Feed, trip.Key()), newTripEntry(&trip))
	}
	for i := range r.Alerts {
		alert := r.Alerts[i]
		c.add(topics.ServiceTopic(topics.ServiceAlert, r.Feed, alert.ID), newAlertEntry(&alert))
	}
	return c
}

func (c *reportChange) add(topic string, e serviceEntry) {
	c.topics, c.entries = append(c.topics, topic), append(c.entries, e)
}

func newTripEntry(u *nhip.TripUpdate) serviceEntry {
	return serviceEntry{trip: u, hash: xxhash.Sum64(record.AppendTrip(nil, u))}
}

func newAlertEntry(a *nhip.ServiceAlert) serviceEntry {
	return serviceEntry{alert: a, hash: xxhash.Sum64(encode(a))}
}

// holds reports whether the entry holds at a time.
func (e serviceEntry) holds(now time.Time, feed *nhip.ServiceFeed) bool {
	if e.trip != nil {
		return e.trip.HoldsAt(now, feed)
	}
	return e.alert.HoldsAt(now, feed)
}

func newServices(dirty map[string]bool, left func(kind string, n int)) services {
	if left == nil {
		left = func(string, int) {}
	}
	return services{feeds: make(map[string]*serviceFeed), dirty: dirty, left: left}
}

// apply applies a report. One that is older than another of its feed changes nothing.
func (s *services) apply(r *reportChange, now time.Time) {
	f := s.feeds[r.Feed]
	if f == nil {
		if r.Rows() == 0 {
			return
		}
		if len(s.feeds) >= maxServiceFeeds {
			s.left("feed", 1)
			return
		}
		f = &serviceFeed{state: nhip.ServiceFeed{Feed: r.Feed}, entries: make(map[string]serviceEntry)}
		s.feeds[r.Feed] = f
	}
	if r.Time.Before(f.state.Time) && !f.state.Time.After(now.Add(clockSlack)) {
		return
	}
	f.state.Agency, f.state.Time, f.state.Differential = r.Agency, r.Time, r.Differential
	f.state.Predictions = r.Predictions
	if r.Differential {
		s.takeBack(f, r.Deleted)
	} else {
		s.keepOnly(f, r.topics)
	}
	for i, topic := range r.topics {
		if r.entries[i].holds(now, &f.state) {
			s.put(f, topic, r.entries[i])
		}
	}
	s.note(f)
}

// keepOnly removes all entries but those of some topics.
func (s *services) keepOnly(f *serviceFeed, named []string) {
	again := make(map[string]bool, len(named))
	for _, topic := range named {
		again[topic] = true
	}
	for topic := range f.entries {
		if !again[topic] {
			s.remove(f, topic)
		}
	}
}

// takeBack removes entities by their ids.
func (s *services) takeBack(f *serviceFeed, ids []string) {
	if len(ids) == 0 {
		return
	}
	gone := make(map[string]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	for topic, e := range f.entries {
		if e.trip != nil && gone[e.trip.Entity] || e.alert != nil && gone[e.alert.ID] {
			s.remove(f, topic)
		}
	}
}

// put sets an entry, unless that is beyond the bounds.
func (s *services) put(f *serviceFeed, topic string, e serviceEntry) {
	old, had := f.entries[topic]
	if had && old.hash == e.hash {
		return
	}
	if had {
		s.count(old, -1)
	}
	if kind := s.beyond(e); kind != "" {
		s.left(kind, 1)
		if had {
			delete(f.entries, topic)
			s.dirty[topic] = true
		}
		return
	}
	s.count(e, 1)
	f.entries[topic] = e
	s.dirty[topic] = true
}

// beyond returns the kind of an entry that is beyond the bounds, "" for one that is not.
func (s *services) beyond(e serviceEntry) string {
	switch {
	case e.trip != nil && (s.trips >= maxServiceTrips || s.stops+len(e.trip.Stops) > maxServiceStops):
		return "trip"
	case e.alert != nil && s.alerts >= maxServiceAlerts:
		return "alert"
	}
	return ""
}

func (s *services) count(e serviceEntry, n int) {
	if e.trip != nil {
		s.trips += n
		s.stops += n * len(e.trip.Stops)
		return
	}
	s.alerts += n
}

func (s *services) remove(f *serviceFeed, topic string) {
	s.count(f.entries[topic], -1)
	delete(f.entries, topic)
	s.dirty[topic] = true
}

// note publishes the state of a feed again.
func (s *services) note(f *serviceFeed) {
	f.state.Trips, f.state.Alerts = 0, 0
	for _, e := range f.entries {
		if e.trip != nil {
			f.state.Trips++
		} else {
			f.state.Alerts++
		}
	}
	s.dirty[topics.ServiceFeedTopic(f.state.Feed)] = true
}

// sweep removes what holds no longer, and feeds that have been silent for so long that nothing of them can hold.
func (s *services) sweep(now time.Time) {
	for name, f := range s.feeds {
		before := len(f.entries)
		for topic, e := range f.entries {
			if !e.holds(now, &f.state) {
				s.remove(f, topic)
			}
		}
		switch {
		case len(f.entries) == 0 && now.Sub(f.state.Time) > nhip.NoticeHolds:
			delete(s.feeds, name)
			s.dirty[topics.ServiceFeedTopic(name)] = true
		case len(f.entries) != before:
			s.note(f)
		}
	}
}

// dropAhead removes feeds whose last report is later than a time, and returns their number.
func (s *services) dropAhead(latest time.Time) (n int) {
	for name, f := range s.feeds {
		if f.state.Time.After(latest) {
			for _, e := range f.entries {
				s.count(e, -1)
			}
			delete(s.feeds, name)
			n++
		}
	}
	return n
}

// topicCount returns the number of retained topics.
func (s *services) topicCount() int { return len(s.feeds) + s.trips + s.alerts }

// each calls f for each retained topic with its state.
func (s *services) each(f func(topic string, state any)) {
	for name, feed := range s.feeds {
		f(topics.ServiceFeedTopic(name), feed.published())
		for topic, e := range feed.entries {
			f(topic, e.published())
		}
	}
}

// find returns the state of a topic, nil if there is none.
func (s *services) find(topic string) any {
	kind, name, _, ok := topics.ParseService(topic)
	f := s.feeds[name]
	if !ok || f == nil {
		return nil
	}
	if kind == topics.ServiceFeed {
		return f.published()
	}
	if e, found := f.entries[topic]; found {
		return e.published()
	}
	return nil
}

// published returns a copy of the state, which changes with each report.
func (f *serviceFeed) published() any {
	state := f.state
	return &state
}

func (e serviceEntry) published() any {
	if e.trip != nil {
		return e.trip
	}
	return e.alert
}

// restore adds a line of a snapshot. The feed comes before what it says.
func (s *services) restore(line *snapshotLine) bool {
	if line.Feed != nil {
		s.feeds[line.Feed.Feed] = &serviceFeed{state: *line.Feed, entries: make(map[string]serviceEntry)}
		return true
	}
	var e serviceEntry
	if line.Trip != nil {
		e = newTripEntry(line.Trip)
	} else {
		e = newAlertEntry(line.Notice)
	}
	_, name, _, ok := topics.ParseService(line.Topic)
	f := s.feeds[name]
	if !ok || f == nil {
		return false
	}
	f.entries[line.Topic] = e
	s.count(e, 1)
	return true
}

// snapshotOrder orders feeds before what they say.
func snapshotOrder(a, b entry) int {
	first := func(e entry) int {
		if _, isFeed := e.service.(*nhip.ServiceFeed); isFeed {
			return 0
		}
		return 1
	}
	return cmp.Compare(first(a), first(b))
}
