package transit

import (
	"fmt"
	"strings"

	"nhip"
	"nhip/geo/gtfs"
)

// toldAlert returns a written alert as riders are told it, in the form of the alerts of realtime feeds.
func (t *Timetable) toldAlert(a *nhip.WrittenAlert) *nhip.ServiceAlert {
	told := &nhip.ServiceAlert{
		Feed: nhip.WrittenFeed, ID: a.ID, Agency: a.Agency, Time: a.Updated,
		Cause: a.Cause, Effect: a.Effect, Severity: a.Severity, Periods: a.Periods,
		Header: translations(a.Header), Description: translations(t.withSubstitutes(a)), URL: translations(a.URL),
	}
	for _, e := range a.Informed {
		told.Informed = append(told.Informed, t.toldEntities(a.Agency, e)...)
	}
	return told
}

// translations returns a text in both languages, nil for none.
func translations(t nhip.LocalizedText) []nhip.Translation {
	if t == (nhip.LocalizedText{}) {
		return nil
	}
	return []nhip.Translation{{Language: "vi", Text: t.Vi}, {Language: english, Text: t.En}}
}

// withSubstitutes returns the description of an alert with a line for each stop that another one replaces: standards
// have no field for that.
func (t *Timetable) withSubstitutes(a *nhip.WrittenAlert) nhip.LocalizedText {
	vi, en := []string{}, []string{}
	if a.Description != (nhip.LocalizedText{}) {
		vi, en = append(vi, a.Description.Vi), append(en, a.Description.En)
	}
	for i := range a.Informed {
		if e := &a.Informed[i]; e.SubstituteStop != "" {
			closed, use := t.stopLabel(e.Stop), t.stopLabel(e.SubstituteStop)
			vi = append(vi, fmt.Sprintf("Thay cho điểm dừng %s: %s.", closed, use))
			en = append(en, fmt.Sprintf("Instead of the stop %s: %s.", closed, use))
		}
	}
	return nhip.LocalizedText{Vi: strings.Join(vi, "\n"), En: strings.Join(en, "\n")}
}

// stopLabel returns the name of a stop with the code that riders read at it, or its id if it is unknown.
func (t *Timetable) stopLabel(id string) string {
	if t.Network == nil {
		return clipped(id)
	}
	s := t.Network.Feed.Stop(id)
	switch {
	case s == nil || s.Name == "":
		return clipped(id)
	case s.Code != "":
		return clipped(s.Name) + " (" + clipped(s.Code) + ")"
	}
	return clipped(s.Name)
}

// maxStopLabel is the length of the name of a stop in a text, characters.
const maxStopLabel = 40

// clipped returns the begin of a text that is too long for another one.
func clipped(s string) string {
	if all := []rune(s); len(all) > maxStopLabel {
		return string(all[:maxStopLabel]) + "…"
	}
	return s
}

// toldEntities returns what a selector of a written alert is in the feeds. One of a type of routes means those of the
// alert's agency. An agency without an id, which is the only one, can't be selected: its types of routes can.
func (t *Timetable) toldEntities(agency string, e nhip.InformedEntity) []nhip.InformedEntity {
	var of *gtfs.Agency
	if t.Network != nil {
		of = t.Agency(agency)
	}
	if of == nil || of.ID != "" {
		if e.RouteType.Known() {
			e.Agency = agency
		}
		return []nhip.InformedEntity{e}
	}
	whole := e.Agency != "" && e == nhip.InformedEntity{Agency: e.Agency}
	if e.Agency = ""; !whole {
		return []nhip.InformedEntity{e}
	}
	var out []nhip.InformedEntity
	known := make(map[int]bool)
	for _, r := range t.Network.Feed.Routes {
		if !known[r.Type] {
			known[r.Type] = true
			out = append(out, nhip.InformedEntity{RouteType: nhip.Some(r.Type)})
		}
	}
	return out
}
