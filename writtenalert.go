package nhip

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// WrittenFeed is the Feed of the service alerts that dispatchers write here. No realtime feed may have its name, so
// that no alert of a feed is taken for one of these.
const WrittenFeed = "nhip-dispatch"

// AlertStatus says whether riders may see a WrittenAlert.
type AlertStatus string

// States of writing.
const (
	AlertDraft     AlertStatus = "draft"
	AlertPublished AlertStatus = "published"
)

// Bounds of written alerts.
const (
	MaxAlertHeader      = 200                  // characters
	MaxAlertDescription = 2000                 // characters
	MaxAlertURL         = 500                  // bytes
	MaxAlertPeriods     = 20                   // of one alert
	MaxAlertInformed    = 50                   // of one alert
	MaxAlertAhead       = 366 * 24 * time.Hour // from the last change to the end of the last period
	MaxAlertAgo         = 10 * MaxAlertAhead   // from the begin of the first period to the making of the alert
	MaxAlertSubstitutes = 15                   // substitute stops of one alert: riders are told each as a line of text
	MaxWrittenAlerts    = 200                  // of one agency, that have not ended
	MaxEndedAlerts      = 1000                 // of one agency, that have ended and are kept
	KeepWrittenAlerts   = 90 * 24 * time.Hour  // from their end until they are removed
)

// AlertCauses are the causes of GTFS-realtime.
var AlertCauses = []string{
	"UNKNOWN_CAUSE", "OTHER_CAUSE", "TECHNICAL_PROBLEM", "STRIKE", "DEMONSTRATION", "ACCIDENT", "HOLIDAY", "WEATHER",
	"MAINTENANCE", "CONSTRUCTION", "POLICE_ACTIVITY", "MEDICAL_EMERGENCY",
}

// AlertEffects are the effects of GTFS-realtime.
var AlertEffects = []string{
	"NO_SERVICE", "REDUCED_SERVICE", "SIGNIFICANT_DELAYS", "DETOUR", "ADDITIONAL_SERVICE", "MODIFIED_SERVICE",
	"OTHER_EFFECT", "UNKNOWN_EFFECT", "STOP_MOVED", "NO_EFFECT", "ACCESSIBILITY_ISSUE",
}

// AlertSeverities are the severities of GTFS-realtime without the unknown one: who writes an alert knows it.
var AlertSeverities = []string{"INFO", "WARNING", "SEVERE"}

// WrittenAlert is a service alert that a dispatcher has written for riders. Each of its texts stands in both languages.
type WrittenAlert struct {
	ID      string      `json:"id"`
	Agency  string      `json:"agency"` // agency_id of the timetable; what it is about belongs to that agency
	Status  AlertStatus `json:"status"`
	Created time.Time   `json:"created"`
	Updated time.Time   `json:"updated"`
	Ended   time.Time   `json:"ended,omitzero"` // by a dispatcher; zero: it ends with its last period

	Cause       string           `json:"cause"`                // of AlertCauses
	Effect      string           `json:"effect"`               // of AlertEffects
	Severity    string           `json:"severity"`             // of AlertSeverities
	Header      LocalizedText    `json:"header"`               // one line
	Description LocalizedText    `json:"description,omitzero"` // may have line feeds
	URL         LocalizedText    `json:"url,omitzero"`         // http or https
	Periods     []Period         `json:"periods"`              // in their order, without overlaps; all have an end
	Informed    []InformedEntity `json:"informed"`             // what it is about, at least one
}

// Over reports whether the alert has ended at a time, by a dispatcher or with its last period.
func (a *WrittenAlert) Over(now time.Time) bool { return !now.Before(a.End()) }

// End returns when the alert ends or has ended.
func (a *WrittenAlert) End() time.Time {
	if len(a.Periods) == 0 {
		return a.Ended
	}
	last := a.Periods[len(a.Periods)-1].To
	if !a.Ended.IsZero() && a.Ended.Before(last) {
		return a.Ended
	}
	return last
}

// Published reports whether riders see the alert at a time, now or as one that will be active.
func (a *WrittenAlert) Published(now time.Time) bool {
	return a.Status == AlertPublished && !a.Over(now)
}

// CheckAlertID checks the id of a written alert: 8 to 32 of the letters A–Z and the digits. Outside, it follows the
// name of the feed and a separator, which it must not have.
func CheckAlertID(field, id string) error {
	if len(id) < 8 || len(id) > 32 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return Errorf(CodeInvalid, field, "must be the id of an alert: 8 to 32 capital letters and digits, got %.40q", id)
	}
	return nil
}

// Validate checks a. It returns an *Error that names the field. What a names is compared with a timetable elsewhere.
func (a *WrittenAlert) Validate() error {
	if err := CheckAlertID("id", a.ID); err != nil {
		return err
	}
	if err := CheckID("agency", a.Agency); err != nil {
		return err
	}
	for _, check := range []func() error{a.checkState, a.checkKinds, a.checkTexts, a.checkPeriods, a.checkInformed} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (a *WrittenAlert) checkState() error {
	switch {
	case a.Status == "":
		return Errorf(CodeMissing, "status", "is required")
	case a.Status != AlertDraft && a.Status != AlertPublished:
		return Errorf(CodeOutOfRange, "status", "must be draft or published, got %.40q", string(a.Status))
	case a.Created.IsZero():
		return Errorf(CodeMissing, "created", "is required")
	case a.Updated.Before(a.Created):
		return Errorf(CodeOutOfRange, "updated", "must not be before created")
	}
	return nil
}

func (a *WrittenAlert) checkKinds() error {
	for _, k := range []struct {
		field, value string
		known        []string
	}{{"cause", a.Cause, AlertCauses}, {"effect", a.Effect, AlertEffects}, {"severity", a.Severity, AlertSeverities}} {
		switch {
		case k.value == "":
			return Errorf(CodeMissing, k.field, "is required")
		case !slices.Contains(k.known, k.value):
			return Errorf(CodeOutOfRange, k.field, "must be one of %s, got %.40q", strings.Join(k.known, ", "), k.value)
		}
	}
	return nil
}

func (a *WrittenAlert) checkTexts() error {
	if a.Header == (LocalizedText{}) {
		return Errorf(CodeMissing, "header", "is required, in vi and en")
	}
	line := func(field, s string) error { return checkRiderText(field, s, MaxAlertHeader, false) }
	prose := func(field, s string) error { return checkRiderText(field, s, MaxAlertDescription, true) }
	for _, t := range []struct {
		field string
		text  LocalizedText
		check func(field, s string) error
	}{{"header", a.Header, line}, {"description", a.Description, prose}, {"url", a.URL, checkRiderURL}} {
		if t.text == (LocalizedText{}) {
			continue
		}
		for _, in := range []struct{ lang, text string }{{"vi", t.text.Vi}, {"en", t.text.En}} {
			field := t.field + "." + in.lang
			if strings.TrimSpace(in.text) == "" {
				return Errorf(CodeMissing, field, "is required: riders read each text in their language")
			}
			if err := t.check(field, in.text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *WrittenAlert) checkPeriods() error {
	switch n := len(a.Periods); {
	case n == 0:
		return Errorf(CodeMissing, "periods", "must have at least one period: alerts end by themselves")
	case n > MaxAlertPeriods:
		return Errorf(CodeOutOfRange, "periods", "must be at most %d, got %d", MaxAlertPeriods, n)
	}
	for i, p := range a.Periods {
		field := fmt.Sprintf("periods[%d]", i)
		switch {
		case p.From.IsZero():
			return Errorf(CodeMissing, field+".from", "is required")
		case p.To.IsZero():
			return Errorf(CodeMissing, field+".to", "is required: alerts end by themselves")
		case !p.To.After(p.From):
			return Errorf(CodeOutOfRange, field+".to", "must be after from")
		case i > 0 && p.From.Before(a.Periods[i-1].To):
			return Errorf(CodeOutOfRange, field+".from", "must not be before the end of the period before it")
		case p.From.Before(a.Created.Add(-MaxAlertAgo)):
			return Errorf(CodeOutOfRange, field+".from", "must be at most 3660 days ago")
		case p.To.After(a.Updated.Add(MaxAlertAhead)):
			return Errorf(CodeOutOfRange, field+".to", "must be at most 366 days ahead")
		}
	}
	return nil
}

func (a *WrittenAlert) checkInformed() error {
	switch n := len(a.Informed); {
	case n == 0:
		return Errorf(CodeMissing, "informed", "must name at least one agency, route, stop, trip or route type")
	case n > MaxAlertInformed:
		return Errorf(CodeOutOfRange, "informed", "must be at most %d, got %d", MaxAlertInformed, n)
	}
	substitutes := 0
	for i := range a.Informed {
		field := fmt.Sprintf("informed[%d]", i)
		if a.Informed[i].SubstituteStop != "" {
			substitutes++
		}
		if substitutes > MaxAlertSubstitutes {
			return Errorf(CodeOutOfRange, field+".substitute_stop", "must not be given more than %d times",
				MaxAlertSubstitutes)
		}
		if slices.Contains(a.Informed[:i], a.Informed[i]) {
			return Errorf(CodeInvalid, field, "repeats another one")
		}
		if err := a.checkEntity(field, &a.Informed[i]); err != nil {
			return err
		}
	}
	return nil
}

func (a *WrittenAlert) checkEntity(field string, e *InformedEntity) error {
	for _, id := range []struct{ name, value string }{
		{"agency", e.Agency},
		{"route", e.Route},
		{"stop", e.Stop},
		{"trip", e.Trip},
		{"substitute_stop", e.SubstituteStop},
	} {
		if err := CheckText(field+"."+id.name, id.value); err != nil {
			return err
		}
	}
	direction, directed := e.Direction.Get()
	typed := e.RouteType.Known()
	switch {
	case e.StartDate != "" || e.StartTime != "":
		return Errorf(CodeInvalid, field+".start_date", "and start_time can't be given: the periods tell the day")
	case e.Agency == "" && e.Route == "" && e.Stop == "" && e.Trip == "" && !typed:
		return Errorf(CodeMissing, field, "must name an agency, route, stop, trip or route type")
	case e.Agency != "" && e.Agency != a.Agency:
		return Errorf(CodeInvalid, field+".agency", "must be the agency of the alert, %q", a.Agency)
	case directed && direction != 0 && direction != 1:
		return Errorf(CodeOutOfRange, field+".direction", "must be 0 or 1, got %d", direction)
	case directed && (e.Route == "" || e.Trip != ""):
		return Errorf(CodeInvalid, field+".direction", "needs a route and no trip")
	case typed && (e.Route != "" || e.Trip != ""):
		return Errorf(CodeInvalid, field+".route_type", "can't be given with a route or trip")
	case e.SubstituteStop != "" && e.Stop == "":
		return Errorf(CodeInvalid, field+".substitute_stop", "needs a stop")
	}
	if e.SubstituteStop != "" && slices.ContainsFunc(a.Informed, func(other InformedEntity) bool {
		return other.Stop == e.SubstituteStop
	}) {
		return Errorf(CodeInvalid, field+".substitute_stop", "must not be a stop that the alert is about")
	}
	return nil
}

// validateWrittenAlert checks the body of a DocumentServiceAlert.
func validateWrittenAlert(id string, body json.RawMessage) error {
	var a WrittenAlert
	if err := DecodeStrict(body, &a); err != nil {
		return err
	}
	if a.ID != id {
		return Errorf(CodeInvalid, "id", "must be that of the document, %q", id)
	}
	return a.Validate()
}

// writtenAlertExpiry returns when an alert that has ended is removed.
func writtenAlertExpiry(body json.RawMessage) time.Time {
	var a WrittenAlert
	if json.Unmarshal(body, &a) != nil {
		return time.Time{}
	}
	return a.End().Add(KeepWrittenAlerts)
}
