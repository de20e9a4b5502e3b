package stream

import "time"

// ServiceAlert is a service alert that is active now.
type ServiceAlert struct {
	Feed, ID string
	// Version differs once the alert or what it concerns differs. It must be comparable.
	Version any
	// Content returns the JSON of the alert and what it concerns.
	Content func() ([]byte, AlertReach)
}

// AlertReach is which lines, by public number or id of the route, and stops an alert concerns.
type AlertReach interface {
	ConcernsLine(id string) bool
	ConcernsStop(id string) bool
}

// alert is what an object has that is a service alert.
type alert struct {
	version any
	reach   AlertReach
}

// alertsEvery is how often the hub looks which alerts are active: they begin and end by the clock.
const alertsEvery = time.Second

// maxAlerts is the number of alerts that streams show, the first ones of Watch.Alerts.
const maxAlerts = 500

// concernedBy reports whether a service alert is in a subscription: all are for who asks for everything or for all
// alerts, else those about a line or a stop that it names.
func (s *subscription) concernedBy(a *alert) bool {
	if s.everything() || s.alerts {
		return true
	}
	for _, id := range s.lines {
		if a.reach.ConcernsLine(id) {
			return true
		}
	}
	for _, id := range s.stops {
		if a.reach.ConcernsStop(id) {
			return true
		}
	}
	return false
}
