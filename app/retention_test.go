package app_test

import (
	"fmt"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
)

// checkRetention imports readings of two years ago, publishes one of now, and deletes the old ones. Their hourly means
// stay.
func checkRetention(t *testing.T, checked effects) {
	t.Helper()
	p := apptest.Up(t, t.TempDir(), "retention: {position: 400d, reading: 300d, arrival: 30d}")
	c, api := p.API(t), p.Client(t)
	old := time.Now().AddDate(-2, 0, 0).Truncate(time.Hour).UTC()
	rows := "time,quantity,value\n"
	for i := range 30 {
		rows += fmt.Sprintf("%s,pm25,%d\n", old.Add(time.Duration(i)*time.Hour).Format(time.RFC3339), 20+i%5)
	}
	p.Publish(t, apptest.Message{Topic: "nhip/in/import/csv/hn-01", Payload: rows},
		apptest.Reading("hn-01", time.Now().Truncate(time.Hour), 20))
	apptest.AwaitAssessed(t, c, 32)
	var streams map[string]nhip.Retention
	awaittest.True(t, "the roll-ups of the readings are stored", func() bool {
		plan, err := api.Retention(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		streams = byStream(plan)
		return streams["reading"].Held == ""
	})
	checked.check(t, "retention.position", streams["position"].Keep == 400)
	checked.check(t, "retention.arrival", streams["arrival"].Keep == 30)
	readings := streams["reading"]
	checked.check(t, "retention.reading", readings.Keep == 300 && readings.Rows == 30)
	count := func(period string) int {
		var got struct{ Readings []struct{} }
		apptest.Decode(t, c.Get(t, apitest.Query("/v1/stations/hn-01/readings", "period", period, "quantity", "pm25",
			"from", old.Add(-time.Hour).Format(time.RFC3339), "to", old.AddDate(0, 0, 7).Format(time.RFC3339))), &got)
		return len(got.Readings)
	}
	if n := count("raw"); n != 30 {
		t.Errorf("the plan deletes readings: %d are left", n)
	}
	applied, err := api.ApplyRetention(t.Context())
	if err != nil || !byStream(applied)["reading"].Deleted {
		t.Errorf("retention applied: %+v, %v", applied, err)
	}
	awaittest.True(t, "the readings are deleted, and their hours are not", func() bool {
		return count("raw") == 0 && count("hour") == 30
	})
	if plan, err := api.Retention(t.Context()); err != nil || byStream(plan)["reading"].Next.IsZero() {
		t.Errorf("plan after the deletion: %+v, %v", plan, err)
	}
}

func byStream(all []nhip.Retention) map[string]nhip.Retention {
	streams := make(map[string]nhip.Retention)
	for _, s := range all {
		streams[s.Stream] = s
	}
	return streams
}
