package staff

import (
	"slices"

	"nhip"
	"nhip/geo/alert"
	"nhip/internal/capdoc"
)

// shownAlert is an alert as staff see it: its values are rounded, and what they mean stands beside them.
type shownAlert struct {
	nhip.Alert
	Name *nhip.LocalizedText `json:"station_name,omitempty"` // nil: the station is not known, or has no name
	Unit string              `json:"unit,omitempty"`         // of the values; "" for indices and flags
	CAP  alertMessage        `json:"cap"`
}

// alertMessage names the CAP message of an alert that is current.
type alertMessage struct {
	Identifier string `json:"identifier"`
	Path       string `json:"path"` // of the document
}

// shown returns an alert as staff see it.
func (h *Handler) shown(a *nhip.Alert) shownAlert {
	out := shownAlert{Alert: *a, Unit: alert.Unit(a.Measure)}
	if s, ok := h.Stations.Known(a.Station); ok && s.Name != (nhip.LocalizedText{}) {
		name := s.Name.Full()
		out.Name = &name
	}
	out.Value, out.Peak = alert.Round(a.Measure, a.Value), alert.Round(a.Measure, a.Peak)
	out.Changes = slices.Clone(a.Changes)
	for i := range out.Changes {
		out.Changes[i].Value = alert.Round(a.Measure, out.Changes[i].Value)
	}
	messages := capdoc.Messages(a, h.Clock.Now())
	out.CAP = alertMessage{messages[len(messages)-1].Identifier, capdoc.Path(a.ID)}
	return out
}

// shownAll returns alerts as staff see them.
func (h *Handler) shownAll(all []nhip.Alert) []shownAlert {
	out := make([]shownAlert, len(all))
	for i := range all {
		out[i] = h.shown(&all[i])
	}
	return out
}
