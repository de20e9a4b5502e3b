package app_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
)

// alertSurfaces are where riders of the line R1 at its stop S12 see service alerts, in each interface.
var alertSurfaces = []string{
	"/v1/service-alerts", "/v1/service-alerts?stop=S12", "/v1/routes/R1", "/v1/stops/S12/arrivals",
	"/gtfs-rt/alerts.pb?format=json", "/api/where/arrivals-and-departures-for-stop/HN_S12.json?key=app",
	"/siri/lite/stop-monitoring.json?MonitoringRef=HN_S12",
}

// lineAlert returns the content of an alert of the line R1 from now until a time.
func lineAlert(to time.Time) client.ServiceAlertText {
	return client.ServiceAlertText{
		Agency: "HN", Status: nhip.AlertPublished, Cause: "CONSTRUCTION", Effect: "DETOUR", Severity: "WARNING",
		Header:  nhip.LocalizedText{Vi: "Tuyến 01 đi vòng", En: "Line 01 is diverted"},
		Periods: []nhip.Period{{To: to}}, Informed: []nhip.InformedEntity{{Route: "R1"}},
	}
}

// sees reports whether an address shows an alert.
func sees(t *testing.T, p *apptest.Platform, path, alert string) bool {
	t.Helper()
	resp, err := http.Get(p.HTTP + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s %v", path, resp.StatusCode, body, err)
	}
	return strings.Contains(string(body), alert)
}

// writeServiceAlerts writes two alerts, as dispatchers do: BRIEF001, which ends by itself after three seconds, and
// LASTING1. All interfaces show them, a stream of the line too.
func writeServiceAlerts(t *testing.T, p *apptest.Platform) {
	t.Helper()
	c, dispatcher := p.API(t), p.Client(t)
	events := alertEvents(t, p)
	var now struct{ Time time.Time }
	apptest.Decode(t, c.Get(t, "/v1/service-alerts"), &now)
	draft := lineAlert(now.Time.Add(time.Hour))
	draft.Status = nhip.AlertDraft
	_, err := dispatcher.WriteServiceAlert(t.Context(), client.NewServiceAlert{ID: "LASTING1", ServiceAlertText: draft})
	if err != nil {
		t.Fatal(err)
	}
	if sees(t, p, "/v1/service-alerts?upcoming=true", "LASTING1") {
		t.Error("riders see a draft")
	}
	brief := client.NewServiceAlert{ID: "BRIEF001", ServiceAlertText: lineAlert(now.Time.Add(3 * time.Second))}
	if _, err := dispatcher.WriteServiceAlert(t.Context(), brief); err != nil {
		t.Fatal(err)
	}
	for _, path := range alertSurfaces {
		if !strings.HasPrefix(path, "/gtfs-rt/") && !sees(t, p, path, "BRIEF001") {
			t.Errorf("%s does not show an alert that was written", path)
		}
	}
	lasting, err := dispatcher.ChangeServiceAlert(t.Context(), "LASTING1", 1, lineAlert(now.Time.Add(time.Hour)))
	if err != nil || lasting.Version != 2 || lasting.State != "active" {
		t.Fatalf("%+v %v", lasting, err)
	}
	for _, path := range alertSurfaces {
		awaittest.True(t, path+" shows the one alert and no longer the other", func() bool {
			return sees(t, p, path, "LASTING1") && !sees(t, p, path, "BRIEF001")
		})
	}
	awaittest.True(t, "the stream has told the begin of both and one end", func() bool { return len(events) == 3 })
	first, second, last := <-events, <-events, <-events
	if told := first + second; !strings.Contains(told, "service-alert BRIEF001") ||
		!strings.Contains(told, "service-alert LASTING1") || last != "gone BRIEF001" {
		t.Errorf("the stream tells %s, %s, %s", first, second, last)
	}
	awaitAudit(t, p, "LASTING1", 2)
	ended, err := dispatcher.WrittenServiceAlerts(t.Context(), "ended", "HN")
	if err != nil || len(ended) != 1 || ended[0].ID != "BRIEF001" || !ended[0].Ended.IsZero() {
		t.Errorf("ended: %+v %v", ended, err)
	}
}

// alertEvents returns what a stream of the line 01 tells of service alerts, as its event and the alert's id.
func alertEvents(t *testing.T, p *apptest.Platform) <-chan string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+"/v1/live?lines=01&form=short", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	told := make(chan string, 10)
	go func() {
		lines, event := bufio.NewScanner(resp.Body), ""
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ":")
			value = strings.TrimPrefix(value, " ")
			if field == "event" {
				event = value
			}
			var of struct{ Feed, ID string }
			if field == "data" && json.Unmarshal([]byte(value), &of) == nil && of.Feed == nhip.WrittenFeed {
				told <- event + " " + of.ID
			}
		}
	}()
	return told
}

// awaitAudit waits until the audit log has so many changes of an alert, and returns them, the newest first.
func awaitAudit(t *testing.T, p *apptest.Platform, alert string, changes int) (entries []nhip.AuditEntry) {
	t.Helper()
	awaittest.True(t, "the audit log has the changes of the alert", func() bool {
		var got struct{ Entries []nhip.AuditEntry }
		a := p.API(t).Get(t, "/v1/audit?object=service-alert/"+alert, "Authorization", "Bearer "+p.Token(t))
		apptest.Decode(t, a, &got)
		entries = got.Entries
		return len(entries) == changes
	})
	for i, e := range entries {
		first := i == len(entries)-1
		if e.Kind != nhip.DocumentServiceAlert || e.By != "operator" || first != (e.Before == nil) || e.After == nil {
			t.Errorf("%+v", e)
		}
	}
	return entries
}

// endServiceAlert ends the alert of writeServiceAlerts that has outlived a restart.
func endServiceAlert(t *testing.T, p *apptest.Platform) {
	t.Helper()
	for _, path := range alertSurfaces {
		awaittest.True(t, path+" shows the alert after a restart", func() bool { return sees(t, p, path, "LASTING1") })
	}
	ended, err := p.Client(t).EndServiceAlert(t.Context(), "LASTING1")
	if err != nil || ended.State != "ended" || ended.Version != 3 {
		t.Fatalf("%+v %v", ended, err)
	}
	for _, path := range alertSurfaces {
		awaittest.True(t, path+" shows an ended alert no longer", func() bool { return !sees(t, p, path, "LASTING1") })
	}
	entries := awaitAudit(t, p, "LASTING1", 3)
	var after nhip.WrittenAlert
	if err := json.Unmarshal(entries[0].After, &after); err != nil || after.Ended.IsZero() {
		t.Errorf("%s %v", entries[0].After, err)
	}
}
