package nhip

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

var alertTime = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

// goodAlert returns an alert that keeps all rules.
func goodAlert() *WrittenAlert {
	both := func(s string) LocalizedText { return LocalizedText{Vi: s, En: s} }
	return &WrittenAlert{
		ID: "ABCDEFGH", Agency: "hanoi", Status: AlertPublished, Created: alertTime, Updated: alertTime,
		Cause: "CONSTRUCTION", Effect: "DETOUR", Severity: "WARNING",
		Header: both("Tuyến 32 đi vòng 👷‍♂️ < 2 km"), Description: both("Một.\nHai."), URL: both("http://example.org/a?b=c"),
		Periods: []Period{
			{From: alertTime, To: alertTime.Add(time.Hour)},
			{From: alertTime.Add(time.Hour), To: alertTime.Add(2 * time.Hour)},
		},
		Informed: []InformedEntity{
			{Agency: "hanoi"},
			{RouteType: Some(3)},
			{Route: "32", Direction: Some(1)},
			{Stop: "S1", SubstituteStop: "S2"},
			{Trip: "T1", Route: "32"},
		},
	}
}

func TestWrittenAlertsAreChecked(t *testing.T) {
	for _, c := range []struct {
		field, rule string
		change      func(a *WrittenAlert)
	}{
		{"", "", func(*WrittenAlert) {}},
		{"", "", func(a *WrittenAlert) { a.Description, a.URL = LocalizedText{}, LocalizedText{} }},
		{"", "", func(a *WrittenAlert) { a.Informed = []InformedEntity{{Route: "32", Stop: "S1"}} }},
		{"id", "8 to 32", func(a *WrittenAlert) { a.ID = "a|b_cdefgh" }},
		{"agency", "required", func(a *WrittenAlert) { a.Agency = "" }},
		{"status", "required", func(a *WrittenAlert) { a.Status = "" }},
		{"status", "draft or published", func(a *WrittenAlert) { a.Status = "live" }},
		{"created", "required", func(a *WrittenAlert) { a.Created = time.Time{} }},
		{"updated", "before created", func(a *WrittenAlert) { a.Updated = alertTime.Add(-1) }},
		{"cause", "one of UNKNOWN_CAUSE", func(a *WrittenAlert) { a.Cause = "construction" }},
		{"effect", "required", func(a *WrittenAlert) { a.Effect = "" }},
		{"severity", "one of INFO", func(a *WrittenAlert) { a.Severity = "UNKNOWN_SEVERITY" }},
		{"header", "in vi and en", func(a *WrittenAlert) { a.Header = LocalizedText{} }},
		{"header.en", "required", func(a *WrittenAlert) { a.Header.En = " " }},
		{"header.vi", "required", func(a *WrittenAlert) { a.Header.Vi = "" }},
		{"description.en", "required", func(a *WrittenAlert) { a.Description.En = "" }},
		{"url.vi", "required", func(a *WrittenAlert) { a.URL.Vi = "" }},
		{"header.en", "one line", func(a *WrittenAlert) { a.Header.En = "a\nb" }},
		{"header.vi", "at most 200", func(a *WrittenAlert) { a.Header.Vi = strings.Repeat("đ", 201) }},
		{"description.vi", "at most 2000", func(a *WrittenAlert) { a.Description.Vi = strings.Repeat("a", 10<<10) }},
		{"header.en", "markup", func(a *WrittenAlert) { a.Header.En = "a <script>alert(1)</script>" }},
		{"description.en", "markup", func(a *WrittenAlert) { a.Description.En = "</b>" }},
		{"description.en", "markup", func(a *WrittenAlert) { a.Description.En = "<!--" }},
		{"header.en", "U+202E", func(a *WrittenAlert) { a.Header.En = "a\u202eb" }},
		{"header.en", "U+2066", func(a *WrittenAlert) { a.Header.En = "a\u2066b" }},
		{"header.en", "U+200B", func(a *WrittenAlert) { a.Header.En = "\u200b" }},
		{"header.en", "U+2028", func(a *WrittenAlert) { a.Header.En = "a\u2028b" }},
		{"header.en", "U+FFFD", func(a *WrittenAlert) { a.Header.En = "a\ufffdb" }},
		{"header.en", "UTF-8", func(a *WrittenAlert) { a.Header.En = "a\xffb" }},
		{"header.en", "control", func(a *WrittenAlert) { a.Header.En = "a\x1bb" }},
		{"header.en", "control", func(a *WrittenAlert) { a.Header.En = "a\x00b" }},
		{"description.vi", "control", func(a *WrittenAlert) { a.Description.Vi = "a\rb" }},
		{"url.en", "http or https", func(a *WrittenAlert) { a.URL.En = "javascript:alert(1)" }},
		{"url.en", "http or https", func(a *WrittenAlert) { a.URL.En = "https://u:p@example.org/" }},
		{"url.en", "http or https", func(a *WrittenAlert) { a.URL.En = "https:///x" }},
		{"url.en", "http or https", func(a *WrittenAlert) { a.URL.En = "https://example.org/'x" }},
		{"url.vi", "at most 500", func(a *WrittenAlert) { a.URL.Vi = "https://example.org/" + strings.Repeat("a", 500) }},
		{"periods", "at least one", func(a *WrittenAlert) { a.Periods = nil }},
		{"periods", "at most 20", func(a *WrittenAlert) { a.Periods = make([]Period, 21) }},
		{"periods[0].from", "required", func(a *WrittenAlert) { a.Periods[0].From = time.Time{} }},
		{"periods[1].to", "required", func(a *WrittenAlert) { a.Periods[1].To = time.Time{} }},
		{"periods[1].to", "after from", func(a *WrittenAlert) { a.Periods[1].To = a.Periods[1].From }},
		{"periods[1].from", "before it", func(a *WrittenAlert) { a.Periods[1].From = alertTime }},
		{"periods[0].from", "3660 days", func(a *WrittenAlert) { a.Periods[0].From = alertTime.AddDate(-11, 0, 0) }},
		{"periods[1].to", "366 days", func(a *WrittenAlert) { a.Periods[1].To = alertTime.AddDate(2, 0, 0) }},
		{"informed", "at least one", func(a *WrittenAlert) { a.Informed = nil }},
		{"informed", "at most 50", func(a *WrittenAlert) { a.Informed = make([]InformedEntity, 51) }},
		{"informed[15].substitute_stop", "15 times", func(a *WrittenAlert) {
			a.Informed = nil
			for i := range 20 {
				stop := string(rune('A' + i))
				a.Informed = append(a.Informed, InformedEntity{Stop: stop, SubstituteStop: "next to " + stop})
			}
		}},
		{"informed[1]", "repeats", func(a *WrittenAlert) { a.Informed[1] = a.Informed[0] }},
		{"informed[0]", "must name", func(a *WrittenAlert) { a.Informed[0] = InformedEntity{} }},
		{"informed[0].agency", "must be the agency", func(a *WrittenAlert) { a.Informed[0].Agency = "other" }},
		{"informed[2].route", "printable", func(a *WrittenAlert) { a.Informed[2].Route = "\x00" }},
		{"informed[2].route", "at most 256", func(a *WrittenAlert) { a.Informed[2].Route = strings.Repeat("r", 257) }},
		{"informed[2].direction", "0 or 1", func(a *WrittenAlert) { a.Informed[2].Direction = Some(2) }},
		{"informed[0].direction", "needs a route", func(a *WrittenAlert) { a.Informed[0].Direction = Some(1) }},
		{"informed[4].direction", "no trip", func(a *WrittenAlert) { a.Informed[4].Direction = Some(1) }},
		{"informed[2].route_type", "can't be given", func(a *WrittenAlert) { a.Informed[2].RouteType = Some(3) }},
		{"informed[4].start_date", "can't be given", func(a *WrittenAlert) { a.Informed[4].StartDate = "20260302" }},
		{"informed[2].substitute_stop", "needs a stop", func(a *WrittenAlert) { a.Informed[2].SubstituteStop = "S2" }},
		{"informed[3].substitute_stop", "about", func(a *WrittenAlert) { a.Informed[3].SubstituteStop = "S1" }},
	} {
		a := goodAlert()
		c.change(a)
		err := a.Validate()
		var known *Error
		switch {
		case c.field == "" && err == nil:
		case !errors.As(err, &known):
			t.Errorf("%s, %s: %v", c.field, c.rule, err)
		case known.Field != c.field || !strings.Contains(known.Rule, c.rule):
			t.Errorf("%s, %s: %v", c.field, c.rule, err)
		}
	}
}

func TestWrittenAlertsEnd(t *testing.T) {
	a := goodAlert()
	last := alertTime.Add(2 * time.Hour)
	if !a.Published(last.Add(-1)) || a.Published(last) || !a.End().Equal(last) {
		t.Error("the end of the last period does not end the alert")
	}
	a.Ended = alertTime.Add(time.Minute)
	if !a.Published(a.Ended.Add(-1)) || a.Published(a.Ended) {
		t.Error("a dispatcher does not end the alert")
	}
	a.Ended = last.Add(time.Hour)
	if !a.End().Equal(last) {
		t.Error("an alert ends after its last period")
	}
	a.Status = AlertDraft
	if a.Published(alertTime) {
		t.Error("a draft is published")
	}
	raw, _ := json.Marshal(a)
	if got := writtenAlertExpiry(raw); !got.Equal(last.Add(KeepWrittenAlerts)) {
		t.Errorf("is removed at %v", got)
	}
}

// FuzzWrittenAlert checks that any body is accepted or refused with a field and a rule, and that what is accepted can
// be encoded, read again and shown.
func FuzzWrittenAlert(f *testing.F) {
	good, _ := json.Marshal(goodAlert())
	f.Add(string(good))
	f.Add(`{"id":"ABCDEFGH","informed":[{"stop":"\u202e"}]}`)
	f.Add(`{"periods":[{"to":"9999-12-31T23:59:59Z"}]}`)
	f.Add(`{}`)
	kind, _ := DocumentKindOf(DocumentServiceAlert)
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) == 0 {
			return
		}
		err := kind.check("ABCDEFGH", json.RawMessage(body))
		var known *Error
		if err != nil {
			if !errors.As(err, &known) || known.Rule == "" || !strings.HasPrefix(known.Field, "body") {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		kind.Expiry(json.RawMessage(body))
		var a WrittenAlert
		if err := DecodeStrict([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(a)
		if err != nil || kind.Validate("ABCDEFGH", raw) != nil {
			t.Fatalf("%s is not accepted again: %v", raw, err)
		}
	})
}

// TestNoFeedHasTheNameOfWrittenAlerts: its alerts would be taken for those of dispatchers.
func TestNoFeedHasTheNameOfWrittenAlerts(t *testing.T) {
	r := ServiceReport{Feed: WrittenFeed, Time: alertTime}
	var known *Error
	if err := r.Validate(Window{Now: alertTime}); !errors.As(err, &known) || known.Field != "feed" {
		t.Errorf("%v", err)
	}
}
