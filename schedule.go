package nhip

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Schedule is a report that the platform mails again and again: a document that staff set.
type Schedule struct {
	Name       string   `json:"name"`              // what people call it
	Report     string   `json:"report"`            // ReportMonthly or ReportExceedances
	Station    string   `json:"station,omitempty"` // only of this station
	Area       string   `json:"area,omitempty"`    // only of the stations of this area
	Lang       string   `json:"lang"`              // vi or en
	Recipients []string `json:"recipients"`        // e-mail addresses, 1 to MaxRecipients
	Every      string   `json:"every"`             // EveryDay, EveryWeek or EveryMonth
	Day        int      `json:"day,omitempty"`     // of the month, 1 to 31, or of the week, 1 is Monday; 0 for EveryDay
	At         string   `json:"at"`                // HH:MM in the time zone of the city
	Active     bool     `json:"active"`

	Owner   Actor     `json:"owner"`          // who made it, and whose rights it has
	Scope   Scope     `json:"scope,omitzero"` // what the owner saw when it was made
	Created time.Time `json:"created"`
}

// Reports of a Schedule.
const (
	ReportMonthly     = "monthly"     // of the month before
	ReportExceedances = "exceedances" // of the day before
)

// How often a Schedule is due.
const (
	EveryDay   = "day"
	EveryWeek  = "week"
	EveryMonth = "month"
)

// Bounds of schedules.
const (
	MaxSchedules    = 1000 // of all owners
	MaxOwnSchedules = 50   // of one owner
	MaxRecipients   = 20   // of one schedule
	maxMailAddress  = 254  // bytes (RFC 5321, erratum 1690)
	maxMailLocal    = 64   // bytes before the @
)

// Validate checks s. It returns an *Error that names the field.
func (s *Schedule) Validate() error {
	if err := CheckID("name", s.Name); err != nil {
		return err
	}
	for field, value := range map[string]string{"station": s.Station, "area": s.Area} {
		if err := CheckText(field, value); err != nil {
			return err
		}
	}
	switch {
	case s.Report != ReportMonthly && s.Report != ReportExceedances:
		return Errorf(CodeOutOfRange, "report", "must be monthly or exceedances, got %q", s.Report)
	case s.Station != "" && s.Area != "":
		return Errorf(CodeOutOfRange, "station", "can't be given with area")
	case s.Lang != "vi" && s.Lang != "en":
		return Errorf(CodeOutOfRange, "lang", "must be vi or en, got %q", s.Lang)
	case s.Created.IsZero():
		return Errorf(CodeMissing, "created", "is required")
	}
	if err := s.validateTimes(); err != nil {
		return err
	}
	if err := s.validateRecipients(); err != nil {
		return err
	}
	if err := s.Owner.Validate(); err != nil {
		return err
	}
	return s.Scope.Validate()
}

func (s *Schedule) validateTimes() error {
	last := 0
	switch s.Every {
	case EveryDay:
	case EveryWeek:
		last = 7
	case EveryMonth:
		last = 31
	default:
		return Errorf(CodeOutOfRange, "every", "must be day, week or month, got %q", s.Every)
	}
	switch {
	case last == 0 && s.Day != 0:
		return Errorf(CodeOutOfRange, "day", "must not be given for every day")
	case last > 0 && (s.Day < 1 || s.Day > last):
		return Errorf(CodeOutOfRange, "day", "must be between 1 and %d for every %s, got %d", last, s.Every, s.Day)
	}
	if at, err := time.Parse("15:04", s.At); err != nil || at.Format("15:04") != s.At {
		return Errorf(CodeMalformed, "at", "must be a time of day as in 07:30, got %q", s.At)
	}
	return nil
}

func (s *Schedule) validateRecipients() error {
	if n := len(s.Recipients); n < 1 || n > MaxRecipients {
		return Errorf(CodeOutOfRange, "recipients", "must be 1 to %d addresses, got %d", MaxRecipients, n)
	}
	for i, to := range s.Recipients {
		if err := CheckMailAddress("recipients", to); err != nil {
			return err
		}
		same := func(other string) bool { return strings.EqualFold(other, to) }
		if slices.ContainsFunc(s.Recipients[:i], same) {
			return Errorf(CodeOutOfRange, "recipients", "must not name %q twice", to)
		}
	}
	return nil
}

// CheckMailAddress checks that an address can stand in SMTP commands and headers as it is: a dot-atom, an @ and a host
// name (RFC 5321, without quoted names, address literals and names beyond ASCII).
func CheckMailAddress(field, s string) error {
	local, host, _ := strings.Cut(s, "@")
	ok := len(s) <= maxMailAddress && len(local) <= maxMailLocal && dotted(local, isMailAtom) && dotted(host, isHostRune)
	for label := range strings.SplitSeq(host, ".") {
		ok = ok && len(label) <= 63 && !strings.HasPrefix(label, "-") && !strings.HasSuffix(label, "-")
	}
	if !ok {
		return Errorf(CodeMalformed, field, "must be e-mail addresses as in lan@hanoi.example, got %q",
			s[:min(len(s), maxMailAddress)])
	}
	return nil
}

// dotted reports whether s is one or more parts, separated by dots, of such characters.
func dotted(s string, allowed func(rune) bool) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return !allowed(r) }) {
			return false
		}
	}
	return true
}

func isHostRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-'
}

// isMailAtom reports whether RFC 5322 allows a character in an atom.
func isMailAtom(r rune) bool { return isHostRune(r) || strings.ContainsRune("!#$%&'*+/=?^_`{|}~", r) }

// validateSchedule checks the body of a document.
func validateSchedule(_ string, body json.RawMessage) error {
	var s Schedule
	if err := DecodeStrict(body, &s); err != nil {
		return err
	}
	return s.Validate()
}
