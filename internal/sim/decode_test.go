package sim

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// These structures are the documented formats. Payloads may contain nothing else.

type positionJSON struct {
	Time      *time.Time `json:"time"`
	Lat       *float64   `json:"lat"`
	Lon       *float64   `json:"lon"`
	Speed     *float64   `json:"speed"`
	Bearing   *float64   `json:"bearing"`
	Route     string     `json:"route"`
	Trip      string     `json:"trip"`
	Direction *int       `json:"direction"`
	StartDate string     `json:"start_date"`
	Occupancy string     `json:"occupancy"`
	Origin    string     `json:"origin"`
}

type readingJSON struct {
	Time   *time.Time                `json:"time"`
	Period string                    `json:"period"`
	Lat    *float64                  `json:"lat"`
	Lon    *float64                  `json:"lon"`
	Values map[nhip.Quantity]float64 `json:"values"`
	Origin string                    `json:"origin"`
}

func decodeStrict(t testing.TB, payload []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
}

const (
	positionTopic = "nhip/in/position/"
	readingTopic  = "nhip/in/reading/"
)

// position decodes and validates a bus's message.
func position(t testing.TB, m nhip.Message, now time.Time) nhip.Position {
	t.Helper()
	var j positionJSON
	decodeStrict(t, m.Payload, &j)
	id, ok := strings.CutPrefix(m.Topic, positionTopic)
	if !ok || j.Time == nil || j.Lat == nil || j.Lon == nil || j.Speed == nil || j.Bearing == nil ||
		j.Origin != "simulated" {
		t.Fatalf("%s %s lacks a field", m.Topic, m.Payload)
	}
	p := nhip.Position{
		Vehicle: id, Event: nhip.EventPosition, Time: *j.Time, Point: nhip.Some(orb.Point{*j.Lon, *j.Lat}),
		Speed: nhip.Some(*j.Speed), Bearing: nhip.Some(*j.Bearing), Route: j.Route, Trip: j.Trip,
		StartDate: j.StartDate, Occupancy: nhip.Occupancy(j.Occupancy), Origin: nhip.Origin(j.Origin),
	}
	if j.Direction != nil {
		p.Direction = nhip.Some(*j.Direction)
	}
	if err := p.Validate(now); err != nil {
		t.Fatalf("%s: %v", m.Payload, err)
	}
	if p.Time.After(m.Received) || m.Received.Sub(p.Time) >= time.Second || *j.Bearing >= 360 {
		t.Fatalf("%s was sent at %s", m.Payload, m.Received)
	}
	return p
}

// readings decodes and validates a station's message.
func readings(t testing.TB, m nhip.Message, now time.Time) []nhip.Reading {
	t.Helper()
	var j readingJSON
	decodeStrict(t, m.Payload, &j)
	id, ok := strings.CutPrefix(m.Topic, readingTopic)
	if !ok || j.Time == nil || j.Lat == nil || j.Lon == nil || j.Origin != "simulated" {
		t.Fatalf("%s %s lacks a field", m.Topic, m.Payload)
	}
	span, err := nhip.ParsePeriod(j.Period)
	if err != nil || span != reportPeriod {
		t.Fatalf("%s: period %s, %v", m.Payload, span, err)
	}
	var list []nhip.Reading
	for q, v := range j.Values {
		r := nhip.Reading{
			Station: id, Quantity: q, Time: *j.Time, Period: span, Value: v,
			Point: nhip.Some(orb.Point{*j.Lon, *j.Lat}), Origin: nhip.Origin(j.Origin),
		}
		if err := r.Validate(now); err != nil {
			t.Fatalf("%s: %v", m.Payload, err)
		}
		list = append(list, r)
	}
	if len(list) != len(quantities) {
		t.Fatalf("%s has %d values, want %d", m.Payload, len(list), len(quantities))
	}
	return list
}

func isPosition(m nhip.Message) bool { return strings.HasPrefix(m.Topic, positionTopic) }
