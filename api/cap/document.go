package cap

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/geo/zone"
	"nhip/internal/capdoc"
)

// stationRadius is the radius of the circle around a station that is in no zone, km: the scale for which the siting
// rules of urban background stations hold (Directive 2008/50/EC, annex III B: several km²).
const stationRadius = 2

// told is a message about an alert with what its texts need.
type told struct {
	alert   *nhip.Alert
	message *capdoc.AlertMessage
	station *nhip.Station
	zone    *time.Location
	area    *zone.Zone // nil: the station is in none, or its place is not public
}

// tell collects what the texts of a message need.
func (h *Handler) tell(a *nhip.Alert, m *capdoc.AlertMessage) *told {
	t := &told{alert: a, message: m, station: &nhip.Station{ID: a.Station}, zone: cmp.Or(h.Zone, time.UTC)}
	if s, known := h.Stations.Known(a.Station); known {
		t.station = s
	}
	if at, err := time.LoadLocation(t.station.Zone); t.station.Zone != "" && err == nil {
		t.zone = at
	}
	return t
}

// document returns the last of the messages about an alert.
func (h *Handler) document(r *http.Request, a *nhip.Alert, messages []capdoc.AlertMessage) *capdoc.Alert {
	m := &messages[len(messages)-1]
	t := h.tell(a, m)
	t.area = h.areaOf(t)
	out := &capdoc.Alert{
		Identifier: m.Identifier, Sender: h.sender(), Sent: capdoc.Time(m.Sent, t.zone), Status: h.status(t),
		MsgType: m.Type, Scope: "Restricted", Restriction: "Staff and partners who may read alerts (alerts.read)",
		References: capdoc.References(messages, h.sender(), t.zone), Incidents: capdoc.Name(a.ID),
	}
	if out.Status == "Exercise" {
		out.Note = "Số liệu mô phỏng, không phải cảnh báo thật. Simulated data, not a real alert."
	}
	for _, lang := range []string{"vi", "en"} {
		info := h.info(t, lang)
		info.Web = h.BaseURL(r) + "/air/station/" + url.PathEscape(a.Station)
		out.Info = append(out.Info, info)
	}
	return out
}

// status tells whether an alert is to be acted on: messages about monitors are for the network itself.
func (h *Handler) status(t *told) string {
	switch {
	case h.Simulated || t.station.Origin == nhip.OriginSimulated:
		return "Exercise"
	case alert.OfMonitor(t.alert.Measure):
		return "System"
	}
	return "Actual"
}

// info returns the content of a message in a language.
func (h *Handler) info(t *told, lang string) capdoc.Info {
	m, zone := t.message, t.zone
	out := capdoc.Info{
		Language: languages[lang], Category: []string{"Env", "Health"}, Event: t.event(lang),
		EventCode: []capdoc.Value{{Name: "nhip:measure", Value: t.alert.Measure}},
		Effective: capdoc.Time(m.Sent, zone), Expires: capdoc.Time(m.Sent.Add(capdoc.Lasts), zone),
		SenderName: cmp.Or(h.Source, "Nhịp"), Headline: t.headline(lang), Description: t.description(lang),
		Instruction: t.instruction(lang), Parameter: t.parameters(), Area: []capdoc.Area{t.where(lang)},
	}
	if alert.OfMonitor(t.alert.Measure) {
		out.Category = []string{"Infra"}
	}
	if m.Change.Grade > 0 {
		out.Onset = capdoc.Time(t.alert.Since, zone)
	}
	l := t.level()
	out.ResponseType, out.Urgency, out.Severity, out.Certainty = l.response, l.urgency, l.severity, l.certainty
	return out
}

// level is how CAP tells a grade.
type level struct{ response, urgency, severity, certainty string }

// levels are those of the air by grade; docs/standards.md documents them.
var levels = [4]level{
	{"AllClear", "Past", "Minor", "Observed"},
	{"Monitor", "Future", "Minor", "Possible"},
	{"Prepare", "Expected", "Moderate", "Likely"},
	{"Avoid", "Immediate", "Severe", "Observed"},
}

// level returns how CAP tells the grade of a message. What is wrong with a monitor harms nobody.
func (t *told) level() level {
	grade := t.message.Change.Grade
	if grade < 0 || grade >= len(levels) {
		grade = nhip.GradeExceeding // of a newer collector
	}
	l := levels[grade]
	if alert.OfMonitor(t.alert.Measure) && grade > 0 {
		l = level{"Assess", "Unknown", "Minor", "Observed"}
	}
	return l
}

// parameters are the values for programs: rounded as everywhere, with a decimal point.
func (t *told) parameters() []capdoc.Value {
	a, c := t.alert, t.message.Change
	number := func(v float64) string { return strconv.FormatFloat(alert.Round(a.Measure, v), 'f', -1, 64) }
	out := []capdoc.Value{
		{Name: "nhip:alert", Value: a.ID},
		{Name: "nhip:rule", Value: a.Rule},
		{Name: "nhip:station", Value: a.Station},
		{Name: "nhip:grade", Value: strconv.Itoa(c.Grade)},
		{Name: "nhip:value", Value: number(c.Value)},
	}
	if threshold, known := c.Threshold.Get(); known {
		out = append(out, capdoc.Value{Name: "nhip:threshold", Value: number(threshold)})
	}
	if unit := alert.Unit(a.Measure); unit != "" {
		out = append(out, capdoc.Value{Name: "nhip:unit", Value: unit})
	}
	return out
}

// areaOf returns the smallest zone that holds the station; nil if there is none or its place is not public.
func (h *Handler) areaOf(t *told) *zone.Zone {
	p, placed := t.station.Point()
	if !placed || t.station.Private || t.station.Mobile {
		return nil
	}
	var found *zone.Zone
	for _, z := range h.Zones.All(t.message.Sent) {
		if z.Contains(p) && (found == nil || z.SquareKm() < found.SquareKm()) {
			found = z
		}
	}
	return found
}

// where returns the area of a message: the zone of the station, else a circle around it, else its name alone.
func (t *told) where(lang string) capdoc.Area {
	out := capdoc.Area{Desc: t.place(lang)}
	p, placed := t.station.Point()
	switch {
	case t.area != nil:
		out.Desc = cmp.Or(t.area.Name.In(lang), t.area.ID) + " (" + t.place(lang) + ")"
		out.Polygon = capdoc.Polygons(t.area.Area)
		out.Geocode = []capdoc.Value{{Name: "nhip:zone", Value: t.area.Kind + "/" + t.area.ID}}
	case placed && !t.station.Private && !t.station.Mobile:
		out.Circle = []string{capdoc.Circle(p, stationRadius)}
	}
	return out
}
