package gtfsrt

import (
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"nhip"
	"nhip/collector/decode"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
)

// Bounds of an alert. What is beyond them is left out.
const (
	maxAlertText    = 4 << 10 // bytes
	maxURL          = 1 << 10 // bytes
	maxTranslations = 20
	maxPeriods      = 100
	maxInformed     = 500
)

// addAlert adds an Alert, or rejects it. The error is one of the whole message.
func (f *feed) addAlert(row string, e entity) error {
	if len(f.report.Alerts) == maxAlerts {
		return nhip.Errorf(nhip.CodeOutOfRange, "", "must have at most %d alerts", maxAlerts)
	}
	row += " alert"
	a, err := f.alert(row, e)
	if err != nil {
		f.faults.Reject(decode.InRow(row, err))
		return nil
	}
	f.report.Alerts = append(f.report.Alerts, a)
	return nil
}

func (f *feed) alert(row string, e entity) (a nhip.ServiceAlert, _ error) {
	if len(e.alert) > maxAlert {
		return a, nhip.Errorf(nhip.CodeOutOfRange, "", "must be at most %d bytes, got %d", maxAlert, len(e.alert))
	}
	id := strings.TrimSpace(e.id)
	if err := nhip.CheckID("id", id); err != nil {
		return a, err
	}
	var msg gtfs.Alert
	if err := unmarshal.Unmarshal(e.alert, &msg); err != nil {
		return a, nhip.Errorf(nhip.CodeMalformed, "", "must be an Alert in Protobuf")
	}
	drop := func(err error) { f.drop(row, err) }
	a = nhip.ServiceAlert{
		Feed: f.report.Feed, ID: id, Agency: f.report.Agency, Time: f.repeated(),
		Cause: cause(&msg), Effect: effect(&msg), Severity: severity(&msg),
		Header:      translations("header_text", msg.GetHeaderText(), drop),
		Description: translations("description_text", msg.GetDescriptionText(), drop),
		URL:         links(msg.GetUrl(), drop),
	}
	if len(a.Header)+len(a.Description) == 0 && msg.Cause == nil && msg.Effect == nil {
		return a, nhip.Errorf(nhip.CodeMissing, "header_text", "is required, or description_text, cause or effect")
	}
	a.Informed = informed(msg.GetInformedEntity(), drop)
	if len(a.Informed) == 0 && len(msg.GetInformedEntity()) > 0 {
		return a, nhip.Errorf(nhip.CodeMissing, "informed_entity", "selects nothing that can be")
	}
	a.Periods = periods(msg.GetActivePeriod(), drop)
	if len(a.Periods) == 0 && len(msg.GetActivePeriod()) > 0 {
		return a, nhip.Errorf(nhip.CodeOutOfRange, "active_period", "has no period that can be") // else it is always active
	}
	return a, nil
}

// The values of enumerations of a newer version of GTFS-realtime.
const (
	unknownCause  = "UNKNOWN_CAUSE"
	unknownEffect = "UNKNOWN_EFFECT"
)

func cause(a *gtfs.Alert) string {
	if name, known := gtfs.Alert_Cause_name[int32(a.GetCause())]; known {
		return name
	}
	return unknownCause
}

// effect returns the effect. The bindings lack ACCESSIBILITY_ISSUE.
func effect(a *gtfs.Alert) string {
	const accessibility = 11
	if name, known := gtfs.Alert_Effect_name[int32(a.GetEffect())]; known {
		return name
	}
	if a.GetEffect() == accessibility {
		return "ACCESSIBILITY_ISSUE"
	}
	return unknownEffect
}

// severity returns the severity, or "" if it is unknown.
func severity(a *gtfs.Alert) string {
	switch a.GetSeverityLevel() {
	case gtfs.Alert_INFO, gtfs.Alert_WARNING, gtfs.Alert_SEVERE:
		return a.GetSeverityLevel().String()
	}
	return ""
}

// periods returns the periods that can be.
func periods(all []*gtfs.TimeRange, drop func(error)) (out []nhip.Period) {
	for i, p := range all {
		if i == maxPeriods {
			drop(nhip.Errorf(nhip.CodeOutOfRange, "active_period", "must be at most %d, got %d", maxPeriods, len(all)))
			break
		}
		from, to := p.GetStart(), p.GetEnd()
		if from > maxTimestamp || to > maxTimestamp || to != 0 && to <= from {
			drop(nhip.Errorf(nhip.CodeOutOfRange, "active_period", "must be Unix seconds that rise, got %d to %d", from, to))
			continue
		}
		out = append(out, nhip.Period{From: moment(from), To: moment(to)})
	}
	return out
}

// moment returns a time, zero for 0.
func moment(stamp uint64) time.Time {
	if stamp == 0 {
		return time.Time{}
	}
	return time.Unix(int64(stamp), 0).UTC()
}

// informed returns the selectors that select something. One with an invalid field is left out as a whole: without the
// field it would select more.
func informed(all []*gtfs.EntitySelector, drop func(error)) (out []nhip.InformedEntity) {
	for i, s := range all {
		if i == maxInformed {
			drop(nhip.Errorf(nhip.CodeOutOfRange, "informed_entity", "must be at most %d, got %d", maxInformed, len(all)))
			break
		}
		faulty := false
		one := selector(s, func(err error) { faulty = true; drop(err) })
		if !faulty && one != (nhip.InformedEntity{}) {
			out = append(out, one)
		}
	}
	return out
}

func selector(s *gtfs.EntitySelector, drop func(error)) nhip.InformedEntity {
	j := journeyOf(s.GetTrip(), drop)
	out := nhip.InformedEntity{
		Agency: text("informed_entity.agency_id", s.GetAgencyId(), drop),
		Route:  text("informed_entity.route_id", s.GetRouteId(), drop),
		Stop:   text("informed_entity.stop_id", s.GetStopId(), drop),
		Trip:   j.trip, StartDate: j.date, StartTime: j.start, Direction: j.direction,
	}
	if out.Route == "" {
		out.Route = j.route
	}
	if s.RouteType != nil && s.GetRouteType() >= 0 {
		out.RouteType = nhip.Some(int(s.GetRouteType()))
	}
	switch d := s.GetDirectionId(); {
	case s.DirectionId == nil:
	case d > 1:
		drop(nhip.Errorf(nhip.CodeOutOfRange, "informed_entity.direction_id", "must be 0 or 1, got %d", d))
	default:
		out.Direction = nhip.Some(int(d))
	}
	return out
}

// translations returns the texts of an alert, without control characters and bounded.
func translations(field string, s *gtfs.TranslatedString, drop func(error)) (out []nhip.Translation) {
	for i, t := range s.GetTranslation() {
		if i == maxTranslations {
			drop(nhip.Errorf(nhip.CodeOutOfRange, field, "must have at most %d translations", maxTranslations))
			break
		}
		words := plain(t.GetText())
		if len(words) > maxAlertText {
			drop(nhip.Errorf(nhip.CodeOutOfRange, field, "must be at most %d bytes, got %d; the rest is cut", maxAlertText,
				len(words)))
			words = cut(words, maxAlertText)
		}
		if words != "" {
			out = append(out, nhip.Translation{Language: language(t.GetLanguage()), Text: words})
		}
	}
	return out
}

// links returns the web addresses of an alert.
func links(s *gtfs.TranslatedString, drop func(error)) (out []nhip.Translation) {
	for i, t := range s.GetTranslation() {
		if i == maxTranslations {
			break
		}
		at, err := url.Parse(strings.TrimSpace(t.GetText()))
		if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || len(t.GetText()) > maxURL {
			drop(nhip.Errorf(nhip.CodeOutOfRange, "url", "must be an address with http or https of at most %d bytes", maxURL))
			continue
		}
		out = append(out, nhip.Translation{Language: language(t.GetLanguage()), Text: at.String()})
	}
	return out
}

// plain returns a text without control characters but line breaks.
func plain(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r != '\n' && unicode.IsControl(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s))
}

// cut returns the beginning of a text, of whole characters.
func cut(s string, most int) string {
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// languageTag matches what may be a BCP 47 tag.
var languageTag = regexp.MustCompile(`^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,5}$`)

func language(s string) string {
	if s = strings.TrimSpace(s); languageTag.MatchString(s) {
		return s
	}
	return ""
}
