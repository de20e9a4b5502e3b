package notify

import (
	"bytes"
	"cmp"
	"context"
	_ "embed" // of the text
	"fmt"
	"net/url"
	"strings"
	"text/template"
	"time"

	"nhip"
	"nhip/geo/alert"
)

// Mail sends alerts by e-mail, in Vietnamese and English.
type Mail struct {
	Mailer
	To        []string
	Zone      *time.Location // of stations without one; nil: UTC
	PublicURL string         // of the map, for links; "": none
}

// Name returns the name of the channel for logs and metrics.
func (m *Mail) Name() string { return "mail" }

// Deliver sends an alert to all recipients in one message.
func (m *Mail) Deliver(ctx context.Context, a *nhip.Alert, s *nhip.Station) error {
	text, err := m.text(a, s)
	if err != nil {
		return err
	}
	grade, name := nhip.GradeNames[a.Grade], stationName(s)
	return m.Send(ctx, &Message{
		ID: Event(a), To: m.To, Text: text,
		Subject: fmt.Sprintf("[Nhịp] %s: %s · %s", name.Vi, grade.Vi, alert.MeasureName(a.Measure).Vi),
	})
}

// stationName returns the name of a station in both languages, its id where it has none.
func stationName(s *nhip.Station) nhip.LocalizedText {
	return nhip.LocalizedText{
		Vi: cmp.Or(s.Name.Vi, s.Name.En, s.ID), En: cmp.Or(s.Name.En, s.Name.Vi, s.ID),
	}
}

//go:embed alert.txt
var alertText string

var alertTemplate = template.Must(template.New("alert").Parse(alertText))

// alertView is an alert in words of one language.
type alertView struct {
	*nhip.Alert
	Station, ID, Area, Grade, Measure string
	Value, Peak, Threshold            string // rounded, with the unit; Threshold is "" if it is not known
	At, Since, Link                   string
}

// text returns the body of the message in Vietnamese and English.
func (m *Mail) text(a *nhip.Alert, s *nhip.Station) (string, error) {
	var text bytes.Buffer
	err := alertTemplate.Execute(&text, struct{ Vi, En alertView }{m.view(a, s, "vi"), m.view(a, s, "en")})
	return text.String(), err
}

func (m *Mail) view(a *nhip.Alert, s *nhip.Station, lang string) alertView {
	value := func(v float64) string { return alert.Amount(a.Measure, v, lang) }
	v := alertView{
		Alert: a, ID: s.ID, Area: s.Area, Station: stationName(s).In(lang), Grade: nhip.GradeNames[a.Grade].In(lang),
		Measure: alert.MeasureName(a.Measure).In(lang), Value: value(a.Value), Peak: value(a.Peak),
		At: alert.LocalMinute(a.Time.In(m.zone(s)), lang), Since: alert.LocalMinute(a.Since.In(m.zone(s)), lang),
	}
	if threshold, known := a.Threshold.Get(); known {
		v.Threshold = value(threshold)
	}
	if m.PublicURL != "" {
		v.Link = strings.TrimSuffix(m.PublicURL, "/") + "/air/station/" + url.PathEscape(s.ID)
	}
	return v
}

// zone returns the time zone of a station.
func (m *Mail) zone(s *nhip.Station) *time.Location {
	if zone, err := time.LoadLocation(s.Zone); s.Zone != "" && err == nil {
		return zone
	}
	if m.Zone != nil {
		return m.Zone
	}
	return time.UTC
}
