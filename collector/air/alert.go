package air

import (
	"context"
	"slices"
	"time"

	"nhip"
	"nhip/geo/alert"
)

// Deliverer delivers alerts to a recipient: a web hook, a mail server. The station is that of the alert, with what the
// fleet says of it.
type Deliverer interface {
	Name() string
	Deliver(ctx context.Context, a *nhip.Alert, s *nhip.Station) error
}

// alertStates is the content of alertsFile.
type alertStates struct {
	States     map[string]*alert.State `json:"states"` // by alertKey
	Deliveries []delivery              `json:"deliveries,omitempty"`

	changed []nhip.Alert // not durable and not published yet
	dirty   bool         // differs from the file
}

// clone returns a copy to be written to the file without a lock.
func (a *alertStates) clone() *alertStates {
	out := &alertStates{States: make(map[string]*alert.State, len(a.States)), Deliveries: slices.Clone(a.Deliveries)}
	for key, s := range a.States {
		state := *s
		out.States[key] = &state
	}
	return out
}

// delivery is an alert that is to be delivered to one recipient.
type delivery struct {
	To    string     `json:"to"`
	Alert nhip.Alert `json:"alert"`
	Made  time.Time  `json:"made"` // by the machine's clock
	Tries int        `json:"tries,omitempty"`
	Next  time.Time  `json:"next,omitzero"`
}

func alertKey(rule, station string) string { return rule + "/" + station }
