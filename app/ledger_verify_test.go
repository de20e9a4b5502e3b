package app_test

import (
	"fmt"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/suitetest"

	gtfs "github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"
)

const verifyConfig = `
retention: {position: 400d, reading: 300d, arrival: 30d}
air: {alerts: [{name: dust, measure: VN_AQI, tendency: 100, hysteresis: 5}]}
`

// TestLedgerVerification verifies the ledger after everything that changes the database rightly: revisions, late data,
// reviews, acknowledgements, the retention policies of nhip and of InfluxDB, and a restart. Then it changes the
// database behind the collector's back, which must be found: rows deleted and rows added.
func TestLedgerVerification(t *testing.T) {
	dir := t.TempDir()
	p := apptest.Up(t, dir, verifyConfig)
	now := time.Now().UTC().Truncate(time.Hour)
	old := now.AddDate(-2, 0, 0)
	p.Publish(t, apptest.Message{Topic: "nhip/in/import/csv/hn-02", Payload: fmt.Sprintf(
		"time,quantity,value\n%s,pm25,20\n%s,pm25,21\n", old.Format(time.RFC3339), old.Add(time.Hour).Format(time.RFC3339))})
	for i := range 3 {
		p.Publish(t, apptest.Reading("hn-01", now.Add(-time.Duration(2-i)*time.Hour), 65))
	}
	p.Publish(t,
		apptest.Reading("hn-01", now, 66), // a revision
		apptest.Position("1", now.Add(time.Minute), 21, 105.8), apptest.Position("1", now.Add(time.Minute), 21.5, 105.8),
		apptest.Position("2", now.Add(-30*24*time.Hour), 21, 105.8), // late
		apptest.Position(`3 "x"\, '=`, now.Add(time.Minute), 21, 105.8),
		apptest.Position("1", now.Add(time.Minute), 91, 105.8)) // rejected
	apptest.AwaitAssessed(t, p.API(t), 5)
	actAsStaff(t, p, now)
	verified(t, p, "everything is stored", nil)

	if applied, err := p.Client(t).ApplyRetention(t.Context()); err != nil || !byStream(applied)["reading"].Deleted {
		t.Fatalf("retention applied: %+v, %v", applied, err)
	}
	verified(t, p, "the retention policy is applied", func(rows []client.LedgerRow) bool {
		deleted := 0
		for _, r := range rows {
			if r.Deleted {
				deleted++
			}
		}
		return deleted == 2 && rows[0].Device == "air/hn-02" && rows[0].Stored == 1 && rows[0].Counted.Stored == 0
	})
	p.Stop(t)
	p = apptest.Up(t, dir, verifyConfig)
	verified(t, p, "after a restart", nil)

	insert(t, p, fmt.Sprintf("reading,period=1h,quantity=pm25,station=hn-02 value=1,received=1i %d", old.UnixMilli()))
	verified(t, p, "a deleted row is back", nil)
	insert(t, p, fmt.Sprintf("reading,period=1h,quantity=pm10,station=hn-02 value=1,received=1i %d", old.UnixMilli()))
	differing(t, p, "a row that is too many where rows were deleted", "air/hn-02")
	deleteRows(t, p, influx.ReadingMeasurement, "station", "hn-02", time.Time{})

	insert(t, p, fmt.Sprintf("position,agency=hanoi,event=vp,vehicle=2 lat=1,lon=1,received=1i %d",
		now.Add(time.Second).UnixMilli()))
	differing(t, p, "a row of an hour that the device did not send in", "bus/hanoi/2")
	deleteRows(t, p, influx.PositionMeasurement, "vehicle", "2", now.Add(time.Millisecond))
	insert(t, p, fmt.Sprintf("reading,period=1h,quantity=pm25,station=unknown value=1,received=1i %d", old.UnixMilli()))
	differing(t, p, "a row of an unknown device", "air/unknown")
	deleteRows(t, p, influx.ReadingMeasurement, "station", "unknown", time.Time{})
	verified(t, p, "the rows that were too many are gone", nil)

	deleteRows(t, p, influx.ReviewMeasurement, "", "", time.Time{})
	differing(t, p, "a review is deleted", "say/review")
	p.Database(t).SetKeep(t, influxtest.FolderBucket, 168*time.Hour)
	deleteRows(t, p, influx.PositionMeasurement, "vehicle", "2", time.Time{})
	differing(t, p, "the retention of the bucket explains the late position only", "say/review")
	deleteRows(t, p, influx.PositionMeasurement, "vehicle", "1", time.Time{})
	differing(t, p, "a position is deleted", "bus/hanoi/1", "say/review")
}

// actAsStaff reviews readings twice with one id and acknowledges an alert.
func actAsStaff(t *testing.T, p *apptest.Platform, now time.Time) {
	t.Helper()
	api := p.Client(t)
	for range 2 {
		if _, err := api.CreateReview(t.Context(), client.NewReview{
			ID: "r1", Station: "hn-01", Quantity: "pm25", From: now.Add(-time.Hour), To: now,
			Action: nhip.ActionAnnotate, By: "Lan", Why: "đốt rác",
		}); err != nil {
			t.Fatal(err)
		}
	}
	awaittest.True(t, "the alert is open", func() bool {
		alerts, err := api.Alerts(t.Context())
		if err != nil || len(alerts.Open) != 1 {
			return false
		}
		_, err = api.AckAlert(t.Context(), alerts.Open[0].ID, "Lan", "đã biết")
		return err == nil
	})
	awaittest.True(t, "the user actions are stored", func() bool {
		page, err := api.Ledger(t.Context(), client.LedgerQuery{})
		if err != nil {
			return false
		}
		stored := map[string]int64{}
		for _, r := range page.Rows {
			stored[r.Device] += r.Stored
		}
		return stored["say/review"] == 1 && stored["say/ack"] >= 1
	})
}

// verifiedRows returns all rows of the ledger, verified in small pages.
func verifiedRows(t *testing.T, p *apptest.Platform) (rows []client.LedgerRow) {
	t.Helper()
	for page, err := range p.Client(t).LedgerPages(t.Context(), client.LedgerQuery{Verify: true, Limit: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, page.Rows...)
	}
	return rows
}

// verified checks that no row differs from the database.
func verified(t *testing.T, p *apptest.Platform, when string, check func([]client.LedgerRow) bool) {
	t.Helper()
	differing(t, p, when)
	if rows := verifiedRows(t, p); check != nil && !check(rows) {
		t.Errorf("%s: rows %+v", when, rows)
	}
}

// differing checks of which devices rows differ from the database.
func differing(t *testing.T, p *apptest.Platform, when string, devices ...string) {
	t.Helper()
	var differ []string
	awaittest.True(t, "nothing is pending", func() bool {
		differ = nil
		for _, r := range verifiedRows(t, p) {
			if r.Differs && (len(differ) == 0 || differ[len(differ)-1] != r.Device) {
				differ = append(differ, r.Device)
			}
			if r.Pending > 0 {
				return false
			}
		}
		return true
	})
	found := map[string]bool{}
	for _, d := range differ {
		found[d] = true
	}
	if len(found) != len(devices) {
		t.Errorf("%s: rows of %q differ, want %q", when, differ, devices)
	}
	for _, d := range devices {
		if !found[d] {
			t.Errorf("%s: rows of %q differ, want %q", when, differ, devices)
		}
	}
}

// insert writes a line to the database behind the collector's back.
func insert(t *testing.T, p *apptest.Platform, line string) {
	t.Helper()
	p.Database(t).Write(t, influxtest.FolderBucket, line)
}

// deleteRows deletes rows that have a value of a tag, from a time on, behind the collector's back.
func deleteRows(t *testing.T, p *apptest.Platform, measurement, tag, value string, from time.Time) {
	t.Helper()
	p.Database(t).Delete(t, influxtest.FolderBucket, influxtest.Deletion{
		Measurement: measurement, Tag: tag, Value: value, From: from,
	})
}

// TestLedgerVerificationSpeed stores 3 million positions of 2,500 buses (6,000 of 500 in the small form) and verifies
// the ledger.
func TestLedgerVerificationSpeed(t *testing.T) {
	fleet := suitetest.Pick(500, 2_500)
	facts := fleet * suitetest.Pick(12, 1_200)
	p := apptest.Up(t, t.TempDir(), "feeds:\n- {topic: \"nhip/in/gtfs-rt/+\", format: gtfs-rt, agency: hanoi}\n")
	from := time.Now().Add(-time.Duration(facts/fleet) * time.Minute).Truncate(time.Minute)
	var messages []apptest.Message
	for i := range facts / fleet {
		for first := 0; first < fleet; first += 500 { // a message has at most 64 KiB
			messages = append(messages, apptest.Message{
				Topic:   "nhip/in/gtfs-rt/city",
				Payload: fleetMessage(t, from.Add(time.Duration(i)*time.Minute), first, first+500),
			})
		}
	}
	began := time.Now()
	for len(messages) > 0 {
		n := min(50, len(messages))
		p.Publish(t, messages[:n]...)
		messages = messages[n:]
	}
	api := p.Client(t)
	sum := func(verify bool) (stored, differ, rows int64) {
		for page, err := range api.LedgerPages(t.Context(), client.LedgerQuery{Verify: verify, Limit: 10_000}) {
			if err != nil {
				t.Fatal(err)
			}
			for i := range page.Rows {
				rows++
				stored += page.Rows[i].Stored
				if page.Rows[i].Differs {
					differ++
				}
			}
		}
		return stored, differ, rows
	}
	for deadline := time.Now().Add(20 * time.Minute); ; time.Sleep(suitetest.Pick(50*time.Millisecond, time.Second)) {
		if stored, _, _ := sum(false); stored == int64(facts) {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("%d of %d facts are stored", stored, facts)
		}
	}
	t.Logf("%d facts stored in %s", facts, time.Since(began).Round(time.Second))
	began = time.Now()
	stored, differ, rows := sum(true)
	t.Logf("%d facts in %d rows verified in %s", stored, rows, time.Since(began).Round(time.Millisecond))
	if stored != int64(facts) || differ > 0 {
		t.Errorf("%d stored, %d rows differ", stored, differ)
	}
}

// fleetMessage returns a GTFS-realtime message with the positions of buses at a time.
func fleetMessage(t *testing.T, at time.Time, first, end int) string {
	t.Helper()
	msg := &gtfs.FeedMessage{Header: &gtfs.FeedHeader{
		GtfsRealtimeVersion: proto.String("2.0"), Timestamp: proto.Uint64(uint64(at.Unix())),
	}}
	for i := first; i < end; i++ {
		msg.Entity = append(msg.Entity, &gtfs.FeedEntity{Id: proto.String(fmt.Sprint(i)), Vehicle: &gtfs.VehiclePosition{
			Vehicle:   &gtfs.VehicleDescriptor{Id: proto.String(fmt.Sprint(i))},
			Position:  &gtfs.Position{Latitude: proto.Float32(21 + float32(i)/1e4), Longitude: proto.Float32(105.8)},
			Timestamp: proto.Uint64(uint64(at.Unix())),
		}})
	}
	raw, err := proto.Marshal(msg)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
