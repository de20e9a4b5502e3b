package nhip

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// ReportStatus is the state of a citizen's report, as in Open311.
type ReportStatus string

// States of reports.
const (
	ReportOpen   ReportStatus = "open"
	ReportClosed ReportStatus = "closed"
)

// ReportPlace says whose position a report carries.
type ReportPlace string

// Places of reports. The sender's own position is kept only if the sender asks for it.
const (
	ReportAtStop   ReportPlace = "stop"   // the stop named, or the nearest one
	ReportAtBus    ReportPlace = "bus"    // the bus named, at the minute of the report
	ReportAtSender ReportPlace = "sender" // the sender's own
	ReportNearby   ReportPlace = "nearby" // the sender's, rounded to a few hundred metres: no stop is near
	ReportNowhere  ReportPlace = ""       // only an address, as text
)

// Bounds of reports.
const (
	MaxReports    = 20_000 // in the current state; closed ones leave it after a time
	MaxReportText = 4000   // characters of a description or a public answer
	MaxReportNote = 1000   // characters of an internal note
	MaxNotes      = 20     // internal notes; the oldest goes for a new one, and stays in the audit log
	maxAttributes = 20     // of one report
)

// CitizenReport is a report of a citizen on buses, traffic or the environment. It holds nothing that names its sender:
// see ReportContact.
type CitizenReport struct {
	ID         string              `json:"id"`
	Service    string              `json:"service"` // code of a service, as in Open311
	Status     ReportStatus        `json:"status"`
	Received   time.Time           `json:"received"`
	Updated    time.Time           `json:"updated"`
	At         time.Time           `json:"at"` // what it is about happened then
	Lat        Opt[float64]        `json:"lat,omitzero"`
	Lon        Opt[float64]        `json:"lon,omitzero"`
	Place      ReportPlace         `json:"place,omitempty"`
	Text       string              `json:"text,omitempty"` // by the sender; public only if PublicText is set
	Attributes map[string][]string `json:"attributes,omitempty"`
	Photo      bool                `json:"photo,omitempty"`     // there is one; public only if PublicPhoto is set
	MediaURL   string              `json:"media_url,omitempty"` // by the sender; for staff only, never fetched
	App        string              `json:"app,omitempty"`       // key of the program it came through; "" for our own form

	Answer      string       `json:"answer,omitempty"` // of staff, public
	PublicText  bool         `json:"public_text,omitempty"`
	PublicPhoto bool         `json:"public_photo,omitempty"`
	Assignee    string       `json:"assignee,omitempty"`
	Notes       []ReportNote `json:"notes,omitempty"` // internal, oldest first

	Known ReportContext `json:"known,omitzero"`
}

// ReportNote is an internal remark of staff.
type ReportNote struct {
	By   string    `json:"by"`
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// ReportContext is what was known of the place and the minute of a report when it came in. What was unknown is missing.
type ReportContext struct {
	Stop    *ReportStop  `json:"stop,omitempty"`   // the one named, or else the nearest
	Bus     *ReportBus   `json:"bus,omitempty"`    // the one named, or else the nearest
	Agency  string       `json:"agency,omitempty"` // id: runs the bus, the line named or all lines of the stop
	Air     *ReportAir   `json:"air,omitempty"`
	Station string       `json:"station,omitempty"` // id of the nearest monitor
	Area    string       `json:"area,omitempty"`    // of that monitor
	Zones   []ReportZone `json:"zones,omitempty"`
}

// ReportStop is a stop beside a report.
type ReportStop struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	Distance Opt[float64] `json:"distance_m,omitzero"` // from the place of the report, m
}

// ReportBus is a bus beside a report.
type ReportBus struct {
	Agency    string       `json:"agency"`
	ID        string       `json:"id"`
	Plate     string       `json:"plate,omitempty"`
	Route     string       `json:"route,omitempty"`
	Line      string       `json:"line,omitempty"`
	Headsign  string       `json:"headsign,omitempty"`
	Trip      string       `json:"trip,omitempty"`
	Occupancy Occupancy    `json:"occupancy,omitempty"`
	Time      time.Time    `json:"time"`                // of its fix
	Distance  Opt[float64] `json:"distance_m,omitzero"` // from the place of the report, m
	Named     bool         `json:"named,omitempty"`     // by the sender; otherwise it is the nearest
}

// ReportAir is the air at a report: the estimate of the hour.
type ReportAir struct {
	Time     time.Time            `json:"time"` // end of the hour
	Scale    Scale                `json:"scale"`
	Value    float64              `json:"value"`
	Category AQICategory          `json:"level"`
	Dominant Quantity             `json:"dominant"`
	Values   map[Quantity]float64 `json:"values"` // concentrations, in the unit of each quantity
}

// ReportZone is a zone around a report.
type ReportZone struct {
	ID   string        `json:"id"` // as kind/id
	Name LocalizedText `json:"name"`
}

// ReportContact is what names the sender of a report. It is kept apart from the report, because it is deleted earlier.
type ReportContact struct {
	Report    string    `json:"report"`
	Received  time.Time `json:"received"`
	FirstName string    `json:"first_name,omitempty"`
	LastName  string    `json:"last_name,omitempty"`
	Email     string    `json:"email,omitempty"`
	Phone     string    `json:"phone,omitempty"`
	DeviceID  string    `json:"device_id,omitempty"`
	AccountID string    `json:"account_id,omitempty"`
	Address   string    `json:"address,omitempty"`
	AddressID string    `json:"address_id,omitempty"`
}

// fields returns the texts of a contact by their names.
func (c *ReportContact) fields() map[string]string {
	return map[string]string{
		"first_name": c.FirstName, "last_name": c.LastName, "email": c.Email, "phone": c.Phone, "device_id": c.DeviceID,
		"account_id": c.AccountID, "address": c.Address, "address_id": c.AddressID,
	}
}

// Empty reports whether a contact names nobody.
func (c *ReportContact) Empty() bool {
	for _, v := range c.fields() {
		if v != "" {
			return false
		}
	}
	return true
}

// Validate checks c. It returns an *Error that names the field.
func (c *ReportContact) Validate() error {
	if err := CheckReportID("report", c.Report); err != nil {
		return err
	}
	if c.Received.IsZero() {
		return Errorf(CodeMissing, "received", "is required")
	}
	for name, v := range c.fields() {
		if err := CheckText(name, v); err != nil {
			return err
		}
	}
	return nil
}

// CheckReportID checks the id of a report: 8 to 32 of the letters A–Z and the digits. It is the name of a file, too.
func CheckReportID(field, id string) error {
	if len(id) < 8 || len(id) > 32 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return Errorf(CodeInvalid, field, "must be the id of a report: 8 to 32 capital letters and digits, got %.40q", id)
	}
	return nil
}

// Validate checks r. It returns an *Error that names the field.
func (r *CitizenReport) Validate() error {
	if err := CheckReportID("id", r.ID); err != nil {
		return err
	}
	for _, text := range []struct{ field, value string }{{"assignee", r.Assignee}, {"app", r.App}} {
		if err := CheckText(text.field, text.value); err != nil {
			return err
		}
	}
	if err := r.checkState(); err != nil {
		return err
	}
	if err := r.checkPlace(); err != nil {
		return err
	}
	return r.checkTexts()
}

func (r *CitizenReport) checkState() error {
	switch {
	case r.Status != ReportOpen && r.Status != ReportClosed:
		return Errorf(CodeOutOfRange, "status", "must be open or closed, got %q", string(r.Status))
	case r.Received.IsZero():
		return Errorf(CodeMissing, "received", "is required")
	case r.Updated.Before(r.Received):
		return Errorf(CodeOutOfRange, "updated", "must not be before received")
	case r.At.IsZero():
		return Errorf(CodeMissing, "at", "is required")
	}
	return CheckID("service", r.Service)
}

func (r *CitizenReport) checkPlace() error {
	switch r.Place {
	case ReportNowhere:
		if r.Lat.Known() || r.Lon.Known() {
			return Errorf(CodeMissing, "place", "is required with a position")
		}
		return nil
	case ReportAtStop, ReportAtBus, ReportAtSender, ReportNearby:
	default:
		return Errorf(CodeOutOfRange, "place", "must be stop, bus, sender or nearby, got %q", string(r.Place))
	}
	lat, okLat := r.Lat.Get()
	lon, okLon := r.Lon.Get()
	if !okLat || !okLon {
		return Errorf(CodeMissing, "lat", "and lon are required with a place")
	}
	return CheckPoint([2]float64{lon, lat})
}

func (r *CitizenReport) checkTexts() error {
	for _, text := range []struct{ field, value string }{{"text", r.Text}, {"answer", r.Answer}} {
		if err := CheckProse(text.field, text.value, MaxReportText); err != nil {
			return err
		}
	}
	if len(r.Notes) > MaxNotes {
		return Errorf(CodeOutOfRange, "notes", "must be at most %d, got %d", MaxNotes, len(r.Notes))
	}
	for i := range r.Notes {
		if err := CheckProse("notes", r.Notes[i].Text, MaxReportNote); err != nil {
			return err
		}
	}
	if len(r.Attributes) > maxAttributes {
		return Errorf(CodeOutOfRange, "attributes", "must be at most %d, got %d", maxAttributes, len(r.Attributes))
	}
	for code, values := range r.Attributes {
		if err := CheckID("attributes", code); err != nil {
			return err
		}
		for _, v := range values {
			if err := CheckProse("attributes", v, MaxReportNote); err != nil {
				return err
			}
		}
	}
	return CheckMediaURL("media_url", r.MediaURL)
}

// validateReport checks the body of a DocumentReport.
func validateReport(id string, body json.RawMessage) error {
	var r CitizenReport
	if err := DecodeStrict(body, &r); err != nil {
		return err
	}
	if r.ID != id {
		return Errorf(CodeInvalid, "id", "must be that of the document, %q", id)
	}
	return r.Validate()
}

// redactReport leaves what staff did: what the sender wrote may name persons, and is deleted with the report.
func redactReport(body json.RawMessage) json.RawMessage {
	var r CitizenReport
	if json.Unmarshal(body, &r) != nil {
		return nil
	}
	r.Text, r.MediaURL, r.Attributes = "", "", nil
	if r.Place == ReportAtSender {
		r.Lat, r.Lon = Opt[float64]{}, Opt[float64]{}
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return nil
	}
	return raw
}

// validateContact checks the body of a DocumentContact.
func validateContact(id string, body json.RawMessage) error {
	var c ReportContact
	if err := DecodeStrict(body, &c); err != nil {
		return err
	}
	if c.Report != id {
		return Errorf(CodeInvalid, "report", "must be the id of the document, %q", id)
	}
	return c.Validate()
}

// redactContact leaves nothing: the audit log says that there was a contact, and when it was deleted.
func redactContact(json.RawMessage) json.RawMessage { return json.RawMessage("{}") }

// CheckProse checks a text of several lines: printable UTF-8 and line feeds, at most so many characters.
func CheckProse(field, s string, most int) error {
	if n := utf8.RuneCountInString(s); n > most {
		return Errorf(CodeOutOfRange, field, "must be at most %d characters, got %d", most, n)
	}
	if !utf8.ValidString(s) {
		return Errorf(CodeOutOfRange, field, "must be UTF-8")
	}
	for _, r := range s {
		if r < 0x20 && r != '\n' || r >= 0x7f && r <= 0x9f {
			return Errorf(CodeOutOfRange, field, "must have no control characters but line feeds, got %U", r)
		}
	}
	return nil
}

// maxMediaURL is the longest address of a picture, bytes.
const maxMediaURL = 1000

// CheckMediaURL checks the address of a picture: https, with a host and without a user. "" is none.
func CheckMediaURL(field, s string) error {
	if s == "" {
		return nil
	}
	if len(s) > maxMediaURL {
		return Errorf(CodeOutOfRange, field, "must be at most %d bytes, got %d", maxMediaURL, len(s))
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || CheckProse("", s, maxMediaURL) != nil ||
		strings.ContainsAny(s, " \n\"<>\\") {
		return Errorf(CodeInvalid, field, "must be an https address without a user, got %.80q", s)
	}
	return nil
}
