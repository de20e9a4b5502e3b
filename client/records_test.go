package client_test

import (
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/client"
)

func TestReadingsFollowPages(t *testing.T) {
	c, received := serve(t,
		`{"readings":[{"quantity":"pm25","value":3.5,"period":"1h","flag":1}],"next":"2026-02-16T15:00:00Z"}`,
		`{"readings":[{"quantity":"pm25","value":null,"period":"1h","flag":4,"tests":"spike=4"}]}`)
	q := client.ReadingQuery{
		Station: "a b", From: time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC), Period: "raw", Quality: nhip.QualityRaw,
	}
	var rows []client.ReadingRow
	for x, err := range c.Readings(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, *x)
	}
	if len(rows) != 2 || rows[0].Value.Or(0) != 3.5 || rows[1].Value.Known() || rows[1].Tests != "spike=4" {
		t.Errorf("%+v", rows)
	}
	first, second := (*received)[0].uri, (*received)[1].uri
	if !strings.HasPrefix(first, "/v1/stations/a%20b/readings?from=2026-02-16T00%3A00%3A00Z&level=raw&limit=") ||
		!strings.Contains(second, "cursor=2026-02-16T15%3A00%3A00Z") || (*received)[0].token != "Bearer s3cret" {
		t.Errorf("%s\n%s", first, second)
	}
}

func TestRecordsOfAStation(t *testing.T) {
	c, received := serve(t, `{"indices":[{"scale":"WHO","value":1.5}]}`,
		`{"rows":[{"station":"s","average":"24h","number":0,"evaluated":0,"max":null,"max_time":null}]}`,
		`{"properties":{"id":"s","kind":"reference","zone":"Asia/Tokyo"}}`)
	indices, err := c.Indices(t.Context(), client.IndexQuery{Station: "s", Daily: true, Scale: nhip.ScaleWHO})
	if err != nil || len(indices) != 1 || indices[0].Value != 1.5 {
		t.Errorf("%+v %v", indices, err)
	}
	rows, err := c.Exceedances(t.Context(), client.ExceedanceQuery{Station: "s", Quality: nhip.QualityAutomatic})
	if err != nil || len(rows) != 1 || rows[0].Max.Known() || rows[0].Average != "24h" {
		t.Errorf("%+v %v", rows, err)
	}
	s, err := c.Station(t.Context(), "s")
	if err != nil || s.Zone != "Asia/Tokyo" || s.Kind != "reference" {
		t.Errorf("%+v %v", s, err)
	}
	for i, want := range []string{
		"/v1/stations/s/aqi?index=WHO&period=day", "/v1/exceedances?level=automatic&station=s",
		"/v1/stations/s",
	} {
		if (*received)[i].uri != want {
			t.Errorf("%s, want %s", (*received)[i].uri, want)
		}
	}
}
