package stream

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"nhip"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/geo/index"
)

// message is what a client sends over a WebSocket: a subscription, which replaces the one that it has.
type message struct {
	Type     string     `json:"type"` // "subscribe"
	Ref      string     `json:"ref"`  // the client's name for the message; the answer repeats it
	BBox     []*float64 `json:"bbox"` // minLon, minLat, maxLon, maxLat, in degrees
	Zoom     *int       `json:"zoom"` // 0 to maxZoom
	Lines    []string   `json:"lines"`
	Stops    []string   `json:"stops"`
	Stations []string   `json:"stations"`
	Zones    []string   `json:"zones"`  // kind/id
	Alerts   *string    `json:"alerts"` // "all"
}

// members are the names in a message. encoding/json would also take others that differ in case.
var members = []string{"type", "ref", "bbox", "zoom", "lines", "stops", "stations", "zones", "alerts"}

// maxRef is the length of the longest ref, bytes.
const maxRef = 64

// readMessage decodes a message. Errors have nhip.CodeInvalid and name the field and the rule.
func readMessage(raw []byte) (m message, err error) {
	if !utf8.Valid(raw) {
		return m, nhip.Errorf(nhip.CodeInvalid, "", "the message must be UTF-8")
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return m, nhip.Errorf(nhip.CodeInvalid, "", "the message must be a JSON object")
	}
	for name := range given {
		if !slices.Contains(members, name) {
			return m, nhip.Errorf(nhip.CodeInvalid, clipped(name), "is not a field of a message; it has %s",
				strings.Join(members, ", "))
		}
	}
	// ref first, so that the answer to a message with another fault has it
	if given["ref"] != nil && json.Unmarshal(given["ref"], &m.Ref) != nil {
		return m, nhip.Errorf(nhip.CodeInvalid, "ref", "must be a text")
	}
	if len(m.Ref) > maxRef || nhip.CheckText("ref", m.Ref) != nil {
		m.Ref = ""
		return m, nhip.Errorf(nhip.CodeInvalid, "ref", "must be a printable text of at most %d bytes", maxRef)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) {
			name, _, _ := strings.Cut(mismatch.Field, ".")
			return m, nhip.Errorf(nhip.CodeInvalid, name, "must not be a %s", mismatch.Value)
		}
		return m, nhip.Errorf(nhip.CodeInvalid, "", "the message must be a JSON object")
	}
	if m.Type != "subscribe" {
		return m, nhip.Errorf(nhip.CodeInvalid, "type", "must be subscribe, got %q", clipped(m.Type))
	}
	return m, nil
}

// clipped returns the beginning of a text of a client, for an error.
func clipped(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxRef)], "") }

// view returns a view with the subscription of a message and otherwise as another one.
func (m *message) view(as view) (view, error) {
	v := view{form: as.form, socket: as.socket, sees: as.sees}
	if m.BBox != nil {
		b := make([]float64, 0, 4)
		for _, degrees := range m.BBox {
			if degrees != nil {
				b = append(b, *degrees)
			}
		}
		if len(m.BBox) != 4 || len(b) != 4 || !rest.ValidBox(b) {
			return v, nhip.Errorf(nhip.CodeInvalid, "bbox",
				"must be minLon, minLat, maxLon, maxLat in degrees, as in [105.7,20.9,106.0,21.1]")
		}
		v.box, v.boxed = index.Box{MinLon: b[0], MinLat: b[1], MaxLon: b[2], MaxLat: b[3]}, true
	}
	for i, ids := range [][]string{m.Lines, m.Stops, m.Stations, m.Zones} {
		if err := lists[i].set(&v.subscription, ids); err != nil {
			return v, err
		}
	}
	if v.alerts = m.Alerts != nil; v.alerts && *m.Alerts != allAlerts {
		return v, nhip.Errorf(nhip.CodeInvalid, "alerts", "must be %s, got %q", allAlerts, clipped(*m.Alerts))
	}
	zoom := -1
	if m.Zoom != nil {
		if zoom = *m.Zoom; zoom < 0 || zoom > maxZoom {
			return v, nhip.Errorf(nhip.CodeInvalid, "zoom", "must be a whole number between 0 and %d, got %d", maxZoom, zoom)
		}
	}
	v.period = period(zoom, v.narrow())
	return v, nil
}

// receive answers a message of a client. The error is that of notify.
func (h *Hub) receive(s *stream, as view, raw []byte) error {
	m, err := readMessage(raw)
	if err == nil {
		var v view
		if v, err = m.view(as); err == nil {
			err = h.o.Watch.check(&v)
		}
		if err == nil {
			return h.wishFor(s, v, m.Ref)
		}
	}
	h.metrics.messages.WithLabelValues("invalid").Inc()
	return h.notify(s, errorNotice(err, m.Ref))
}

// errorNotice returns the event for a message that can't be obeyed.
func errorNotice(err error, ref string) notice {
	data := []byte(`{"code":`)
	data = encode.Text(data, string(nhip.ErrorCode(err)))
	field, rule := "", err.Error()
	var known *nhip.Error
	if errors.As(err, &known) {
		field, rule = known.Field, known.Rule
	}
	data = encode.OptionalField(data, "field", field)
	data = encode.Field(data, "rule", rule)
	data = encode.OptionalField(data, "ref", ref)
	return notice{"error", append(data, '}')}
}
