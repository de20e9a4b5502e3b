package collector

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestAcceptedFactsAreStoredAndPublished(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	l := h.listen(t, topics.Live)
	h.accept(t, "nhip/in/position/29B%2F1", positionAt(noon, 21.03))
	h.accept(t, "nhip/in/reading/embassy", pm25At(noon, 69.2))
	live := make(map[string]string) // payload by topic
	l.Wait(t, "the bus and the station", func(m mqtttest.Message) bool {
		live[m.Topic] = m.Payload
		return live["nhip/live/bus/hanoi/29B%2F1"] != "" && live["nhip/live/air/embassy"] != ""
	})
	for topic, parts := range map[string][]string{
		"nhip/live/bus/hanoi/29B%2F1": {`"lat":21.03`, `"id":"29B/1"`, `"latency_s":120`},
		"nhip/live/air/embassy":       {`"value":69.2`},
	} {
		for _, part := range parts {
			if !strings.Contains(live[topic], part) {
				t.Errorf("%s: %s, want %s in it", topic, live[topic], part)
			}
		}
	}
	l.Wait(t, "the census", isCensus(`{"buses":1,"stations":1,"filters":["#"],"since_ms":`))
	awaittest.True(t, "both rows are stored", func() bool { return len(h.store.rows()) == 2 && h.Pending() == 0 })
	row, prefix := h.store.rows()[0], "position,agency=hanoi,event=vp,vehicle=29B/1 "
	if !strings.HasPrefix(row, prefix) || !strings.HasSuffix(row, fmt.Sprint(" ", noon.UnixMilli())) {
		t.Errorf("stored row %s", row)
	}
}

func TestRejectedMessagesAreCountedAnnouncedAndKept(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	l := h.listen(t, "nhip/dead/#")
	for _, c := range []struct {
		topic, payload string
		code           nhip.Code
		field          string
	}{
		{"nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":91,"lon":1}`, nhip.CodeOutOfRange, "lat"},
		{"nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":0,"lon":0}`, nhip.CodeNullIsland, "lat"},
		{"nhip/in/position/1", positionAt(noon.Add(6*time.Minute), 21), nhip.CodeFuture, "time"},
		{"nhip/in/position/1", positionAt(noon.AddDate(0, 0, -101), 21), nhip.CodeTooOld, "time"},
		{"nhip/in/position/1", "\xff\x00", nhip.CodeMalformed, ""},
		{"nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":1}`, nhip.CodeMissing, "lon"},
		{
			"nhip/in/reading/1", `{"time":"2026-02-16T12:00:00Z","period":"1h","values":{"gold":1}}`,
			nhip.CodeUnknownField, "values.gold",
		},
		{"somewhere/else", `{}`, nhip.CodeNoFeed, "topic"},
	} {
		h.accept(t, c.topic, c.payload)
		m := l.Wait(t, string(c.code), anyMessage)
		var got nhip.DeadLetter
		if err := json.Unmarshal([]byte(m.Payload), &got); err != nil {
			t.Fatal(err)
		}
		payload := got.Payload + string(got.PayloadB)
		if m.Topic != "nhip/dead/c/"+string(c.code) || got.Code != c.code || got.Field != c.field ||
			got.Topic != c.topic || payload != c.payload || got.Rows != 1 {
			t.Errorf("%s: announced as %s %s", c.payload, m.Topic, m.Payload)
		}
		if n := testutil.ToFloat64(h.metrics.rejected.WithLabelValues(string(c.code))); n != 1 {
			t.Errorf("%s: counted %v times, want once", c.code, n)
		}
	}
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	if n := len(storedLetters(t, h.dir)); n != 8 {
		t.Errorf("%d letters stored, want 8", n)
	}
}

func TestInvalidRowsAreRejectedAlone(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/reading/1",
		`{"time":"2026-02-16T12:00:00Z","period":"1h","values":{"pm25":69.2,"humidity":120,"pm10":110}}`)
	h.accept(t, "nhip/in/reading/1", fmt.Sprintf(
		`{"time":%q,"period":"1h","values":{"pm25":1,"pm10":2}}`, noon.AddDate(1, 0, 0).Format(time.RFC3339)))
	awaittest.True(t, "the valid rows are stored", func() bool { return len(h.store.rows()) == 2 && h.Pending() == 0 })
	got := storedLetters(t, h.dir)
	if len(got) != 2 || got[0].Field != "values.humidity" || got[0].Rows != 1 {
		t.Fatalf("letters %+v", got)
	}
	if got[1].Code != nhip.CodeFuture || got[1].Rows != 2 {
		t.Errorf("two rows with the same error: %+v", got[1])
	}
}

func TestDeadrunsAndMissingPositionsDoNotMoveBus(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	l := h.listen(t, topics.LiveBuses)
	event := func(path, position string, second int) {
		h.accept(t, "/hfp/v2/"+path+"/ongoing/vp/bus/0018/01029",
			fmt.Sprintf(`{"VP":{"tst":"2026-02-16T12:00:%02d.000Z",%s}}`, second, position))
	}
	event("journey", `"lat":60.1,"long":24.9`, 0)
	event("journey", `"lat":null,"long":null`, 1)
	event("deadrun", `"lat":60.2,"long":24.9`, 2)
	event("journey", `"lat":60.3,"long":24.9`, 3)
	l.Wait(t, "the bus", isBus("60.3"))
	if bus, ok := h.state.Bus("hsl", "0018/01029"); !ok || bus.Lat != 60.3 || bus.Interval != 3 {
		t.Errorf("bus %+v, want an interval of 3 s between the positions that moved it", bus)
	}
	awaittest.True(t, "all four are stored", func() bool { return len(h.store.rows()) == 4 })
}

func TestLiveStateNeverGoesBackInTime(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	l := h.listen(t, topics.Live)
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.5))
	h.accept(t, "nhip/in/reading/s", pm25At(noon, 5))
	l.Wait(t, "the bus", isBus("21.5"))
	h.accept(t, "nhip/in/position/1", positionAt(noon.Add(-time.Minute), 21.1))
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.2)) // a revision
	h.accept(t, "nhip/in/reading/s", pm25At(noon.Add(-time.Hour), 4))
	h.accept(t, "nhip/in/position/1", positionAt(noon.Add(time.Minute), 21.6))
	for {
		m := l.Wait(t, "the next position", func(m mqtttest.Message) bool {
			return strings.HasPrefix(m.Topic, "nhip/live/bus/")
		})
		if isBus("21.1")(m) || isBus("21.2")(m) {
			t.Fatalf("published an older position: %s", m.Payload)
		}
		if isBus("21.6")(m) {
			break
		}
	}
	if s, ok := h.state.Station("s"); !ok || s.Values[nhip.PM25].Value != 5 {
		t.Errorf("station %+v, want the newer value 5", s)
	}
	awaittest.True(t, "late rows and the revision are stored", func() bool { return len(h.store.rows()) == 6 })
}

func TestLiveStateIsRestoredAfterCrash(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.1))
	h.keeper.saveSnapshot()
	h.accept(t, "nhip/in/position/1", positionAt(noon.Add(10*time.Second), 21.2)) // after the snapshot
	h.accept(t, "nhip/in/position/2", positionAt(noon, 21.3))
	h.crash(t)
	h.broker = mqtttest.Start(t) // without retained messages

	l := h.listen(t, topics.Live)
	h.start(t)
	l.Wait(t, "the first bus", func(m mqtttest.Message) bool {
		return m.Topic == "nhip/live/bus/hanoi/1" && isBus("21.2")(m)
	})
	l.Wait(t, "the census", isCensus(`{"buses":2,"stations":0,"filters":["#"],"since_ms":`))
}

func TestExpiredBusesAreCleared(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	l := h.listen(t, topics.Live)
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.1))
	l.Wait(t, "the bus", isBus("21.1"))
	h.clock.set(noon.Add(nhip.BusExpiresAfter + time.Second))
	h.state.Sweep(h.clock.Now())
	l.Wait(t, "the cleared topic", func(m mqtttest.Message) bool {
		return m.Topic == "nhip/live/bus/hanoi/1" && m.Payload == ""
	})
	l.Wait(t, "the census", isCensus(`{"buses":0,"stations":0,"filters":["#"],"since_ms":`))
}

func TestRowsWaitForDatabase(t *testing.T) {
	h := newHarness(t)
	down := h.store.outage()
	down.Store(true)
	h.start(t)
	for i := range 20 {
		h.accept(t, "nhip/in/position/1", positionAt(noon.Add(time.Duration(i)*time.Second), 21.1))
	}
	awaittest.True(t, "a write fails", func() bool { return testutil.ToFloat64(h.metrics.writeErrors) > 0 })
	if h.Pending() == 0 || len(h.store.rows()) > 0 {
		t.Fatal("no row is pending")
	}
	down.Store(false)
	awaittest.True(t, "all rows are stored", func() bool { return len(h.store.rows()) == 20 && h.Pending() == 0 })
}

func TestRowRejectedByDatabaseDoesNotBlockOthers(t *testing.T) {
	h := newHarness(t)
	h.store.fail = rejectVehicle7
	h.start(t)
	for i := range 16 {
		h.accept(t, fmt.Sprintf("nhip/in/position/%d", i), positionAt(noon, 21.1))
	}
	awaittest.True(t, "the other rows are stored", func() bool { return len(h.store.rows()) == 15 && h.Pending() == 0 })
	got := storedLetters(t, h.dir)
	if len(got) != 1 || got[0].Code != nhip.CodeRefused || !strings.Contains(got[0].LineProtocol, "vehicle=7 ") ||
		!strings.Contains(got[0].Rule, "field type conflict") {
		t.Errorf("letters %+v", got)
	}
}

func TestStoppedCollectorDoesNotAcknowledge(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	c := h.Collector
	h.stop(t)
	done := make(chan error, 1)
	m := nhip.Message{Topic: "nhip/in/position/1", Payload: []byte(positionAt(noon, 21)), Received: noon}
	c.Accept(m, func(err error) { done <- err })
	if err := <-done; err == nil {
		t.Error("a message was acknowledged after the journal was closed")
	}
}

func TestIDsTooLongForTopicAreRejected(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/position/"+strings.Repeat("%", 240), positionAt(noon, 21))
	h.accept(t, "nhip/in/reading/"+strings.Repeat("%", 240), pm25At(noon, 1))
	if n := testutil.ToFloat64(h.metrics.rejected.WithLabelValues(string(nhip.CodeOutOfRange))); n != 2 {
		t.Errorf("%v rows rejected, want 2", n)
	}
}

func TestSimulatedFactsAreRejectedAmongReal(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":21,"lon":105,"origin":"simulated"}`)
	h.accept(t, "nhip/in/reading/1",
		`{"time":"2026-02-16T12:00:00Z","period":"1h","values":{"pm25":1},"origin":"simulated"}`)
	if n := testutil.ToFloat64(h.metrics.rejected.WithLabelValues(string(nhip.CodeOutOfRange))); n != 2 {
		t.Errorf("%v rows rejected, want 2", n)
	}
}

func TestLongPayloadIsAnnouncedCutAndStoredWhole(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	l := h.listen(t, "nhip/dead/#")
	payload := strings.Repeat("\x00\xff", 30_000)
	h.accept(t, "nhip/in/position/1", payload)
	m := l.Wait(t, "the announcement", anyMessage)
	if len(m.Payload) > 4<<10 || !strings.Contains(m.Payload, fmt.Sprintf(`"size":%d`, len(payload))) {
		t.Errorf("announced in %d bytes: %.200s", len(m.Payload), m.Payload)
	}
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	if got := storedLetters(t, h.dir); len(got) != 1 || string(got[0].PayloadB) != payload {
		t.Errorf("%d letters stored, want one with the whole payload", len(got))
	}
}

func TestExpiredFactsAreStoredButNotLive(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/position/old", positionAt(noon.Add(-3*time.Hour), 21))
	h.accept(t, "nhip/in/reading/old", pm25At(noon.AddDate(0, 0, -31), 1))
	awaittest.True(t, "both are stored", func() bool { return len(h.store.rows()) == 2 })
	if n := h.state.Census(); n.Buses+n.Stations != 0 {
		t.Errorf("live: %+v, want none", n)
	}
}

func TestReplayedDayCanBeRestarted(t *testing.T) {
	h := newHarness(t)
	h.clock.set(noon.Add(time.Hour))
	h.start(t)
	h.accept(t, "nhip/in/position/1", positionAt(noon.Add(time.Hour), 21.5))
	h.accept(t, "nhip/in/reading/s", pm25At(noon.Add(time.Hour), 5))
	h.stop(t)
	h.clock.set(noon)
	h.start(t)
	l := h.listen(t, topics.Live)
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.1))
	l.Wait(t, "the bus at its earlier time", isBus("21.1"))
}

// TestUnreadableRecordLosesNoOthers appends a record that is not an outcome to the intake.
func TestUnreadableRecordLosesNoOthers(t *testing.T) {
	h := newHarness(t)
	down := h.store.outage()
	down.Store(true)
	h.start(t)
	for i := range 10 {
		h.accept(t, fmt.Sprintf("nhip/in/position/%d", i), positionAt(noon, 21))
	}
	done := make(chan error, 1)
	h.intake.Append([]byte("\xff\xff"), func(_ uint64, err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	h.accept(t, "nhip/in/position/10", positionAt(noon, 21))
	down.Store(false)
	awaittest.True(t, "all eleven rows are stored", func() bool { return len(h.store.rows()) == 11 && h.Pending() == 0 })
	if got := storedLetters(t, h.dir); len(got) != 1 || string(got[0].PayloadB) != "\xff\xff" {
		t.Errorf("letters %+v", got)
	}
	h.stop(t)
	h.start(t) // must succeed despite the record
}

func TestStopDoesNotWaitForFailingDatabase(t *testing.T) {
	h := newHarness(t)
	h.store.outage().Store(true)
	h.start(t)
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21))
	awaittest.True(t, "a write fails", func() bool { return testutil.ToFloat64(h.metrics.writeErrors) > 0 })
	began := time.Now()
	h.stop(t)
	if took := time.Since(began); took > finishTimeout {
		t.Errorf("Stop took %s, want at most %s", took, finishTimeout)
	}
	h.store.fail = nil
	h.start(t)
	awaittest.True(t, "the row is stored from the outbox", func() bool { return len(h.store.rows()) == 1 })
}

func TestBindFeedsRejectsInvalidFeeds(t *testing.T) {
	for _, c := range []struct {
		feed decode.Feed
		want string
	}{
		{
			decode.Feed{Topic: "a/#", Format: "morse"},
			`feeds[0].format: "morse" is not one of ` + strings.Join(Formats(), ", "),
		},
		{decode.Feed{Topic: "a/#/b", Format: "hfp"}, "feeds[0].topic: # must be the last level"},
	} {
		if _, err := bindFeeds([]decode.Feed{c.feed}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.feed, err, c.want)
		}
	}
}
