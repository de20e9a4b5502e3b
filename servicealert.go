package nhip

import "time"

// Translation is a text in one language.
type Translation struct {
	Language string `json:"language,omitempty"` // BCP 47, as in "vi"; empty: the language of the feed
	Text     string `json:"text"`
}

// Period is a span of time.
type Period struct {
	From time.Time `json:"from,omitzero"` // inclusive; zero: since ever
	To   time.Time `json:"to,omitzero"`   // exclusive; zero: until further notice
}

// Contains reports whether a time is in the period.
func (p Period) Contains(t time.Time) bool {
	return (p.From.IsZero() || !t.Before(p.From)) && (p.To.IsZero() || t.Before(p.To))
}

// InformedEntity selects what a ServiceAlert is about: all that its fields name together.
type InformedEntity struct {
	Agency    string   `json:"agency,omitempty"` // GTFS agency_id
	Route     string   `json:"route,omitempty"`  // GTFS route_id
	RouteType Opt[int] `json:"route_type,omitzero"`
	Direction Opt[int] `json:"direction,omitzero"`
	Stop      string   `json:"stop,omitempty"` // GTFS stop_id
	Trip      string   `json:"trip,omitempty"` // GTFS trip_id
	StartDate string   `json:"start_date,omitempty"`
	StartTime string   `json:"start_time,omitempty"`

	// SubstituteStop is the stop_id of the one to use instead of Stop. GTFS-realtime has no such field: only written
	// alerts have it, see WrittenAlert.
	SubstituteStop string `json:"substitute_stop,omitempty"`
}

// ServiceAlert is a notice of an operator about stops, routes or trips, as GTFS-realtime's Alert. It has nothing to do
// with an Alert of air quality.
type ServiceAlert struct {
	Feed   string    `json:"feed"` // name of the feed, see ServiceReport
	ID     string    `json:"id"`   // of the entity, unique within the feed
	Agency string    `json:"agency"`
	Time   time.Time `json:"time,omitzero"` // of the message of a differential feed

	Cause       string           `json:"cause,omitempty"`    // GTFS-realtime's Alert.Cause, as in CONSTRUCTION
	Effect      string           `json:"effect,omitempty"`   // GTFS-realtime's Alert.Effect, as in DETOUR
	Severity    string           `json:"severity,omitempty"` // INFO, WARNING or SEVERE
	Header      []Translation    `json:"header,omitempty"`
	Description []Translation    `json:"description,omitempty"`
	URL         []Translation    `json:"url,omitempty"`     // http or https
	Periods     []Period         `json:"periods,omitempty"` // when it is active; empty: while the feed contains it
	Informed    []InformedEntity `json:"informed,omitempty"`
}

// ActiveAt reports whether the alert is active at a time.
func (a *ServiceAlert) ActiveAt(t time.Time) bool {
	for _, p := range a.Periods {
		if p.Contains(t) {
			return true
		}
	}
	return len(a.Periods) == 0
}

// HoldsAt reports whether the alert is active at a time or will be. feed is the state of its feed, whose silence ends
// what it said.
func (a *ServiceAlert) HoldsAt(now time.Time, feed *ServiceFeed) bool {
	said := feed.Time
	if feed.Differential {
		said = a.Time
	}
	if now.Sub(said) > NoticeHolds {
		return false
	}
	for _, p := range a.Periods {
		if p.To.IsZero() || now.Before(p.To) {
			return true
		}
	}
	return len(a.Periods) == 0
}
