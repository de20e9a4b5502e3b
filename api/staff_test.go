package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/topics"
)

// post returns the answer to a POST request of staff.
func post(t *testing.T, a *API, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer s3cret")
	w := httptest.NewRecorder()
	a.server.Handler.ServeHTTP(w, r)
	return w
}

func TestReviewNeedsAStationAndTimes(t *testing.T) {
	a := withSilent(t)
	review := func(station, from string) string {
		return `{"station":"` + station + `","from":"` + from + `","to":"2018-02-16T05:00:00Z","action":"strike",` +
			`"by":"Lan","why":"lọc bụi bẩn"}`
	}
	for _, c := range []struct {
		body, field string
		status      int
	}{
		{review("never", "2018-02-16T03:00:00Z"), "station", http.StatusNotFound},
		{review("old", "2018-02-16"), "from", http.StatusBadRequest},
		{review("old", "2018-02-17T03:00:00Z"), "from", http.StatusBadRequest},
		{strings.Replace(review("old", "2018-02-16T03:00:00Z"), "why", "reason", 1), "reason", http.StatusBadRequest},
		{review("old", "2018-02-16T03:00:00Z"), "", http.StatusServiceUnavailable}, // there is no broker to publish it
	} {
		w := post(t, a, "/v1/reviews", c.body)
		var got struct{ Field string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != c.status || got.Field != c.field {
			t.Errorf("%s: %d %s, want %d and field %q", c.body, w.Code, w.Body, c.status, c.field)
		}
	}
	for _, path := range []string{"/v1/exceedances?station=never", "/v1/reviews?station=never"} {
		w := get(t, a, path, "Authorization", "Bearer s3cret")
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"field":"station"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestSecondAcknowledgementIsAnsweredWithTheFirst(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.Token = "s3cret" })
	alert := nhip.Alert{ID: "dust/m00", Rule: "dust", Station: "m00", Grade: 1, Since: noon, Time: noon}
	alert.AckBy, alert.AckNote, alert.AckTime = "Lan", "đã biết", noon.Add(-time.Minute)
	raw, err := json.Marshal(alert)
	if err != nil {
		t.Fatal(err)
	}
	a.events.Receive(topics.EventTopic(topics.Alert, alert.ID), raw)
	w := post(t, a, "/v1/alerts/dust%2Fm00/ack", `{"by":"Minh"}`)
	want := `{"alert":"dust/m00","by":"Lan","note":"đã biết","time":"2026-02-16T11:59:00Z"}`
	if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// versionsHistory has one reading at noon.
type versionsHistory struct{ recordHistory }

func (versionsHistory) ReadingVersions(
	_ context.Context, station string, quantity nhip.Quantity, at time.Time,
) ([]influx.ReadingVersion, error) {
	r := nhip.Reading{Station: station, Quantity: quantity, Time: at, Period: 90 * time.Minute, Value: 20}
	return []influx.ReadingVersion{{AssessedReading: nhip.AssessedReading{Reading: r}, Received: at}}, nil
}

func TestPeriodOfAValueIsText(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.History, o.Token = &versionsHistory{}, "s3cret" })
	w := get(t, a, "/v1/stations/s/value?quantity=pm25&time=2026-02-16T12:00:00Z", "Authorization", "Bearer s3cret")
	if body := w.Body.String(); strings.Count(body, `"period":"90m"`) != 2 || strings.Contains(body, "000000000") {
		t.Errorf("%d %s", w.Code, body)
	}
}

// noVersions has neither stations nor readings.
type noVersions struct{ recordHistory }

func (noVersions) Stations(context.Context) ([]string, error) { return nil, nil }

func (noVersions) ReadingVersions(
	context.Context, string, nhip.Quantity, time.Time,
) ([]influx.ReadingVersion, error) {
	return nil, nil
}

func TestValueOfAnUnknownStationNamesTheStation(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.History, o.Token = &noVersions{}, "s3cret" })
	w := get(t, a, "/v1/stations/nowhere/value?quantity=pm25&time=2026-02-16T12:00:00Z", "Authorization", "Bearer s3cret")
	if body := w.Body.String(); w.Code != http.StatusNotFound || !strings.Contains(body, `"field":"id"`) {
		t.Errorf("%d %s", w.Code, body)
	}
}
