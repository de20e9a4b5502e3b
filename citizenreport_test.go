package nhip

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func validReport() CitizenReport {
	now := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	return CitizenReport{
		ID: "ABCDEFGH22", Service: "smoke", Status: ReportOpen, Received: now, Updated: now, At: now,
		Lat: Some(21.0), Lon: Some(105.8), Place: ReportAtStop, Text: "a\nb",
	}
}

func TestReportsAreChecked(t *testing.T) {
	good := validReport()
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(r *CitizenReport){
		"id":         func(r *CitizenReport) { r.ID = "../../etc" },
		"status":     func(r *CitizenReport) { r.Status = "done" },
		"received":   func(r *CitizenReport) { r.Received = time.Time{} },
		"updated":    func(r *CitizenReport) { r.Updated = r.Received.Add(-1) },
		"at":         func(r *CitizenReport) { r.At = time.Time{} },
		"service":    func(r *CitizenReport) { r.Service = "" },
		"place":      func(r *CitizenReport) { r.Place = "" },
		"lat":        func(r *CitizenReport) { r.Lat = Some(91.0) },
		"lon":        func(r *CitizenReport) { r.Lon = Some(-181.0) },
		"text":       func(r *CitizenReport) { r.Text = "a\x1b[31m" },
		"answer":     func(r *CitizenReport) { r.Answer = strings.Repeat("ạ", MaxReportText+1) },
		"notes":      func(r *CitizenReport) { r.Notes = make([]ReportNote, MaxNotes+1) },
		"attributes": func(r *CitizenReport) { r.Attributes = map[string][]string{"a": {"\x00"}} },
		"media_url":  func(r *CitizenReport) { r.MediaURL = "http://example.com/a.jpg" },
		"assignee":   func(r *CitizenReport) { r.Assignee = "\n" },
	} {
		r := validReport()
		change(&r)
		err, _ := r.Validate().(*Error)
		if err == nil || err.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestMediaURLsAreChecked(t *testing.T) {
	for s, ok := range map[string]bool{
		"": true, "https://example.com/a.jpg?x=1": true, "https://user:pass@example.com/": false,
		"javascript:alert(1)": false, "https:///a": false, "https://a b/": false, "https://a/\n": false,
		"https://a/\"onload": false, "https://e/" + strings.Repeat("a", 1000): false, "data:image/png;base64,": false,
	} {
		if (CheckMediaURL("media_url", s) == nil) != ok {
			t.Errorf("%q", s)
		}
	}
}

// TestAuditOfReportsNamesNobody: the audit log is kept for longer than what senders wrote.
func TestAuditOfReportsNamesNobody(t *testing.T) {
	r := validReport()
	r.Text, r.MediaURL, r.Place, r.Answer = "S3CRET", "https://example.com/S3CRET", ReportAtSender, "answer"
	r.Attributes = map[string][]string{"line": {"S3CRET"}}
	r.Lat = Some(21.123456)
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	contact, err := json.Marshal(ReportContact{Report: r.ID, Received: r.Received, Phone: "S3CRET"})
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]json.RawMessage{DocumentReport: raw, DocumentContact: contact} {
		kind, ok := DocumentKindOf(name)
		if !ok || kind.Validate(r.ID, body) != nil || kind.Validate("OTHEROTHER", body) == nil {
			t.Errorf("%s: %v", name, kind.Validate(r.ID, body))
		}
		if kind.Validate(r.ID, json.RawMessage(`{"nonsense":1}`)) == nil {
			t.Errorf("%s: an unknown field is accepted", name)
		}
		audited := string(kind.Audited(body))
		if strings.Contains(audited, "S3CRET") || strings.Contains(audited, "21.123456") {
			t.Errorf("%s: %s", name, audited)
		}
		if name == DocumentReport && !strings.Contains(audited, `"answer":"answer"`) {
			t.Errorf("%s: %s", name, audited)
		}
	}
}

func TestContactsAreChecked(t *testing.T) {
	c := ReportContact{Report: "ABCDEFGH22", Received: time.Unix(1, 0)}
	if err := c.Validate(); err != nil || !c.Empty() {
		t.Error(err, c.Empty())
	}
	c.Phone = "09\x00"
	if err := c.Validate(); err == nil || c.Empty() {
		t.Error(err, c.Empty())
	}
}
