package siri

import (
	"slices"
	"time"

	"nhip"
	"nhip/api/transit"
	"nhip/geo/gtfs"
)

type situationRef struct {
	SituationSimpleRef string `json:"SituationSimpleRef"`
}

// situationsDelivery is a SituationExchangeDelivery: the service alerts of the lines in the answer.
type situationsDelivery struct {
	Situations situations `json:"Situations"`
}

type situations struct {
	Elements []situationElement `json:"PtSituationElement"`
}

type situationElement struct {
	SituationNumber string   `json:"SituationNumber"`
	CreationTime    string   `json:"CreationTime,omitempty"`
	Period          *period  `json:"PublicationWindow,omitempty"`
	Severity        string   `json:"Severity"`
	Summary         string   `json:"Summary"`
	Description     string   `json:"Description"`
	Affects         *affects `json:"Affects,omitempty"`
}

type period struct {
	StartTime string `json:"StartTime,omitempty"`
	EndTime   string `json:"EndTime,omitempty"`
}

type affects struct {
	Journeys struct {
		Affected []affectedJourney `json:"AffectedVehicleJourney"`
	} `json:"VehicleJourneys"`
}

type affectedJourney struct {
	LineRef string `json:"LineRef"`
}

// situationRefs returns the active alerts of a route, and notes them for the answer.
func (q *request) situationRefs(r *gtfs.Route) []situationRef {
	alerts, known := q.situations[r]
	if !known && q.h.Transit.HasServiceAlerts() {
		alerts = q.h.Transit.ServiceAlerts(q.t.RouteScope(r), false)
	}
	q.situations[r] = alerts
	out := []situationRef{}
	for _, a := range alerts {
		out = append(out, situationRef{q.situationID(a.ServiceAlert)})
	}
	return out
}

func (q *request) situationID(a *nhip.ServiceAlert) string {
	return transit.QualifiedID(q.t.KnownAgency(a.Agency), a.Feed+"_"+a.ID)
}

// situationsDelivery returns the alerts of all lines in the answer, nil if there are none.
func (q *request) situationsDelivery() []situationsDelivery {
	var all []situationElement
	for _, alerts := range q.situations {
		for _, a := range alerts {
			id := q.situationID(a.ServiceAlert)
			if !slices.ContainsFunc(all, func(e situationElement) bool { return e.SituationNumber == id }) {
				all = append(all, q.newSituation(id, a.ServiceAlert))
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b situationElement) int {
		if a.SituationNumber < b.SituationNumber {
			return -1
		}
		return 1
	})
	return []situationsDelivery{{situations{all}}}
}

// severities are SIRI's words for the severities of GTFS-realtime.
var severities = map[string]string{"INFO": "slight", "WARNING": "normal", "SEVERE": "severe", "": "undefined"}

func (q *request) newSituation(id string, a *nhip.ServiceAlert) situationElement {
	e := situationElement{
		SituationNumber: id, Severity: severities[a.Severity], Summary: firstText(a.Header),
		Description: firstText(a.Description),
	}
	optional := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return q.time(t)
	}
	e.CreationTime = optional(a.Time)
	for _, p := range a.Periods {
		if p.Contains(q.now) { // the MTA's form has room for one
			e.Period = &period{optional(p.From), optional(p.To)}
			break
		}
	}
	for i := range a.Informed {
		if r := q.t.Network.Feed.Route(a.Informed[i].Route); r != nil {
			if e.Affects == nil {
				e.Affects = new(affects)
			}
			e.Affects.Journeys.Affected = append(e.Affects.Journeys.Affected, affectedJourney{transit.QualifiedRoute(r)})
		}
	}
	return e
}

func firstText(all []nhip.Translation) string {
	if len(all) == 0 {
		return ""
	}
	return all[0].Text
}
