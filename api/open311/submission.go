package open311

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/reports"
	"nhip/api/senders"

	"github.com/paulmach/orb"
)

// submission is a report as a client sent it, checked.
type submission struct {
	service *reports.Service
	at      time.Time // when it happened
	sender  *orb.Point
	own     bool // the sender's own position may be kept

	stop, bus, line string // as named; "" if not
	agency          string // of the trip that it is about, if neither stop nor bus tell it
	attributes      map[string][]string
	text            string
	mediaURL        string
	contact         nhip.ReportContact
	lang            string
}

// fields are the known fields of a form, besides attribute[…].
var fields = []string{
	"api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id", "email", "device_id",
	"account_id", "first_name", "last_name", "phone", "description", "media_url", "lang", senders.TokenField,
}

// oldest is how long ago what a report is about may have happened.
const oldest = 24 * time.Hour

// attributeField returns the name of the field of an attribute.
func attributeField(code string) string { return "attribute[" + code + "]" }

// attributeCode returns the attribute of a field: attribute[code], or attribute[code][] of a list.
func attributeCode(field string) (code string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(field, "[]"), "attribute[")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, "]")
}

// one returns a field that may be given once, "" if it is missing.
func (f *form) one(name string) (string, error) {
	if len(f.Values[name]) > 1 {
		return "", nhip.Errorf(nhip.CodeInvalid, name, "must be given once")
	}
	return f.Get(name), nil
}

// parse checks a form. Errors name the field and the rule.
func (f *form) parse(now time.Time) (*submission, error) {
	if err := f.checkNames(); err != nil {
		return nil, err
	}
	s := &submission{at: now, attributes: make(map[string][]string)}
	for _, step := range []func(*submission, time.Time) error{
		f.parseService, f.parseAttributes, f.parsePosition, f.parseTexts, f.parseContact,
	} {
		if err := step(s, now); err != nil {
			return nil, err
		}
	}
	if s.sender == nil && s.stop == "" && s.bus == "" && s.contact.Address == "" && s.contact.AddressID == "" {
		return nil, nhip.Errorf(nhip.CodeInvalid, "lat",
			"a place is required: lat and long, address_string, address_id, attribute[stop] or attribute[bus]")
	}
	return s, nil
}

// checkNames rejects unknown fields: a client would not notice a misspelt one. Fields are given once, except for lists.
func (f *form) checkNames() error {
	for name := range f.Values {
		_, isAttribute := attributeCode(name)
		if !isAttribute && !slices.Contains(fields, name) {
			return nhip.Errorf(nhip.CodeInvalid, printable(name), "is not a field of a report")
		}
		if _, err := f.one(name); err != nil {
			return err
		}
	}
	return nil
}

// printable returns a name of a client for an error.
func printable(name string) string {
	if len(name) > 64 || nhip.CheckText("", name) != nil {
		return "form"
	}
	return name
}

func (f *form) parseService(s *submission, _ time.Time) error {
	code := f.Get("service_code")
	if code == "" {
		return nhip.Errorf(nhip.CodeInvalid, "service_code", "is required")
	}
	var known bool
	if s.service, known = reports.FindService(code); !known {
		return nhip.Errorf(nhip.CodeNotFound, "service_code", "there is no service %.40q", code)
	}
	s.lang = f.Get("lang")
	return checkLang(s.lang)
}

func checkLang(lang string) error {
	if lang != "" && lang != "vi" && lang != "en" {
		return nhip.Errorf(nhip.CodeInvalid, "lang", "must be vi or en, got %.20q", lang)
	}
	return nil
}

func (f *form) parseAttributes(s *submission, now time.Time) error {
	for field, values := range f.Values {
		code, ok := attributeCode(field)
		if !ok {
			continue
		}
		a, known := s.service.Attribute(code)
		if !known {
			return nhip.Errorf(nhip.CodeInvalid, printable(field), "service %s has no such attribute", s.service.Code)
		}
		value, err := cleanLine(field, values[0])
		if err != nil {
			return rangeless(err)
		}
		if value == "" {
			continue // an empty value is the same as none
		}
		if err := s.answer(a, field, value, now); err != nil {
			return err
		}
	}
	return nil
}

// answer takes the answer to a question.
func (s *submission) answer(a *reports.Attribute, field, value string, now time.Time) error {
	if a.Datatype == reports.TypeList {
		if !slices.ContainsFunc(a.Values, func(c reports.Choice) bool { return c.Key == value }) {
			return nhip.Errorf(nhip.CodeInvalid, field, "must be one of the keys of its values, got %.40q", value)
		}
	}
	switch a.Code {
	case reports.AttributeTime:
		return s.takeTime(field, value, now)
	case reports.AttributeOwnPosition:
		s.own = value == reports.Yes
		return nil // it says what to keep, and is nothing to keep itself
	case reports.AttributeStop:
		s.stop = value
	case reports.AttributeBus:
		s.bus = value
	case reports.AttributeLine:
		s.line = value
	}
	s.attributes[a.Code] = []string{value}
	return nil
}

func (s *submission) takeTime(field, value string, now time.Time) error {
	t, err := time.Parse(time.RFC3339, value)
	switch {
	case err != nil:
		return nhip.Errorf(nhip.CodeInvalid, field,
			`must be a date with a time and an offset, as in "2026-02-16T22:58:02+07:00", got %.40q`, value)
	case t.After(now.Add(nhip.FutureTolerance)):
		return nhip.Errorf(nhip.CodeInvalid, field, "must not be in the future")
	case now.Sub(t) > oldest:
		return nhip.Errorf(nhip.CodeInvalid, field, "must be at most %d hours ago", int(oldest.Hours()))
	}
	s.at = t.UTC()
	if t.After(now) {
		s.at = now
	}
	return nil
}

// parsePosition reads lat and long, which come together.
func (f *form) parsePosition(s *submission, _ time.Time) error {
	lat, long := f.Get("lat"), f.Get("long")
	switch {
	case lat == "" && long == "":
		return nil
	case lat == "":
		return nhip.Errorf(nhip.CodeInvalid, "lat", "is required with long")
	case long == "":
		return nhip.Errorf(nhip.CodeInvalid, "long", "is required with lat")
	}
	var p orb.Point
	for i, c := range []struct {
		name, value string
		most        float64
	}{{"long", long, 180}, {"lat", lat, 90}} {
		v, err := strconv.ParseFloat(strings.TrimSpace(c.value), 64)
		if err != nil || !(math.Abs(v) <= c.most) {
			return nhip.Errorf(nhip.CodeInvalid, c.name, "must be degrees between -%v and %v, got %.40q", c.most, c.most,
				c.value)
		}
		p[i] = v
	}
	if err := nhip.CheckPoint(p); err != nil {
		return rangeless(err)
	}
	s.sender = &p
	return nil
}

func (f *form) parseTexts(s *submission, _ time.Time) error {
	s.text = cleanProse(f.Get("description"))
	if err := nhip.CheckProse("description", s.text, nhip.MaxReportText); err != nil {
		return rangeless(err)
	}
	s.mediaURL = strings.TrimSpace(f.Get("media_url"))
	return nhip.CheckMediaURL("media_url", s.mediaURL)
}

// parseContact reads what names the sender.
func (f *form) parseContact(s *submission, now time.Time) error {
	c := &s.contact
	c.Received = now
	for name, to := range map[string]*string{
		"first_name": &c.FirstName, "last_name": &c.LastName, "email": &c.Email, "phone": &c.Phone, "device_id": &c.DeviceID,
		"account_id": &c.AccountID, "address_string": &c.Address, "address_id": &c.AddressID,
	} {
		var err error
		if *to, err = cleanLine(name, f.Get(name)); err != nil {
			return rangeless(err)
		}
	}
	if c.Email != "" && !strings.Contains(c.Email, "@") {
		return nhip.Errorf(nhip.CodeInvalid, "email", "must have an @")
	}
	return nil
}

// rangeless returns a rule of the domain as the error of a request. What the client sent is not repeated: it may name
// a person, and errors reach logs of clients.
func rangeless(err error) error {
	if known, ok := err.(*nhip.Error); ok {
		rule, _, _ := strings.Cut(known.Rule, ", got ")
		return nhip.Errorf(nhip.CodeInvalid, fieldName(known.Field), "%s", rule)
	}
	return err
}

// fieldName returns the name of a field of the domain in a form.
func fieldName(domain string) string {
	if domain == "lon" {
		return "long"
	}
	return domain
}
