package nhip

import "time"

// ServiceReport is the trips and alerts of one message of a realtime feed. A feed is the source of such messages: a URL
// that is fetched, or a topic. Each report of a full feed replaces all that the feed said before; one of a differential
// feed adds to it.
type ServiceReport struct {
	Feed         string         `json:"feed"`
	Agency       string         `json:"agency"`
	Time         time.Time      `json:"time"` // of the message, whole milliseconds
	Differential bool           `json:"differential,omitempty"`
	Predictions  Predictions    `json:"predictions,omitempty"` // of its feed
	Deleted      []string       `json:"deleted,omitempty"`     // ids of entities that a differential feed takes back
	Trips        []TripUpdate   `json:"trips,omitempty"`
	Alerts       []ServiceAlert `json:"alerts,omitempty"`
}

// Validate checks the report in a window. It returns an *Error that names the field.
func (r *ServiceReport) Validate(w Window) error {
	if err := CheckID("feed", r.Feed); err != nil {
		return err
	}
	if r.Feed == WrittenFeed {
		return Errorf(CodeInvalid, "feed", "must not be %q, which stands for the alerts that are written here", r.Feed)
	}
	return w.check(r.Time)
}

// Rows returns the number of trips and alerts.
func (r *ServiceReport) Rows() int {
	if r == nil {
		return 0
	}
	return len(r.Trips) + len(r.Alerts)
}

// Changes returns the number of rows that are facts of the history: alerts, and trips that differ from the timetable in
// more than their delay.
func (r *ServiceReport) Changes() int {
	if r == nil {
		return 0
	}
	n := len(r.Alerts)
	for i := range r.Trips {
		if r.Trips[i].ChangesService() {
			n++
		}
	}
	return n
}
