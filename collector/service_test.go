package collector

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"nhip/collector/decode"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	rt "github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
)

// feedMessage returns a FeedMessage of a time. entities is Protobuf as text.
func feedMessage(t *testing.T, at time.Time, incrementality, entities string) string {
	t.Helper()
	text := fmt.Sprintf("header { gtfs_realtime_version: \"2.0\" incrementality: %s timestamp: %d } %s",
		incrementality, at.Unix(), entities)
	var msg rt.FeedMessage
	if err := prototext.Unmarshal([]byte(text), &msg); err != nil {
		t.Fatal(err)
	}
	raw, err := proto.Marshal(&msg)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Entities of test feeds.
const (
	canceled = `entity { id: "c" trip_update { trip { trip_id: "T1" start_date: "20260216"
		schedule_relationship: CANCELED } } } `
	late = `entity { id: "d" trip_update { trip { trip_id: "T2" start_date: "20260216" }
		stop_time_update { stop_id: "S1" arrival { delay: %d } } } } `
	works = `entity { id: "w" alert { informed_entity { stop_id: "S1" } effect: DETOUR
		header_text { translation { language: "vi" text: "Đổi lộ trình" } } } } `
)

// realtime is the topic of the tests' feed.
const realtime = "nhip/in/gtfs-rt/city"

// startRealtime starts a collector with a GTFS-realtime feed on any topic of its format.
func startRealtime(t *testing.T) *harness {
	t.Helper()
	h := newHarness(t)
	h.feed = &decode.Feed{Topic: "nhip/in/gtfs-rt/+", Format: "gtfs-rt", Agency: "hanoi"}
	h.start(t)
	return h
}

// serviceTopics follows the retained service topics.
type serviceTopics struct {
	listener *mqtttest.Listener
	retained map[string]string
}

func (h *harness) serviceTopics(t *testing.T) *serviceTopics {
	t.Helper()
	return &serviceTopics{h.listen(t, topics.LiveService), make(map[string]string)}
}

// await waits until exactly the topics in want are retained, each with a payload that contains a text.
func (s *serviceTopics) await(t *testing.T, want map[string]string) {
	t.Helper()
	if s.are(want) {
		return
	}
	s.listener.Wait(t, fmt.Sprintf("the service topics %v", want), func(m mqtttest.Message) bool {
		if s.retained[m.Topic] = m.Payload; m.Payload == "" {
			delete(s.retained, m.Topic)
		}
		return s.are(want)
	})
}

func (s *serviceTopics) are(want map[string]string) bool {
	for topic, part := range want {
		if payload, ok := s.retained[topic]; !ok || !strings.Contains(payload, part) {
			return false
		}
	}
	return len(s.retained) == len(want)
}

func TestServiceReportsAreStoredAndPublished(t *testing.T) {
	h := startRealtime(t)
	live := h.serviceTopics(t)
	say := func(after time.Duration, entities string) {
		h.clock.set(noon.Add(after))
		h.accept(t, realtime, feedMessage(t, noon.Add(after), "FULL_DATASET", entities))
	}
	feed := "nhip/live/service/feed/city"
	trip := func(id string) string { return "nhip/live/service/trip/city/" + id + "|20260216|" }
	alert := "nhip/live/service/alert/city/w"

	say(0, canceled+fmt.Sprintf(late, 60)+works)
	live.await(t, map[string]string{
		feed: `"trips":2,"alerts":1`, trip("T1"): `"CANCELED"`, trip("T2"): `"arrival_delay":60`, alert: `"DETOUR"`,
	})
	say(30*time.Second, canceled+fmt.Sprintf(late, 90)+works) // repeated, with another forecast
	live.await(t, map[string]string{feed: "12:00:30", trip("T1"): "", trip("T2"): `:90`, alert: ""})
	say(60*time.Second, fmt.Sprintf(late, 90)) // the trip runs again, and the alert is over
	live.await(t, map[string]string{feed: `"trips":1,"alerts":0`, trip("T2"): ""})
	h.accept(t, realtime, feedMessage(t, noon.Add(20*time.Second), "FULL_DATASET", canceled)) // overtaken
	live.await(t, map[string]string{feed: "12:01:00", trip("T2"): ""})

	h.checkLedger(t, map[string]string{"service/city 12:00": "5 2 3 0 0 map[]"})
	stored := map[string]bool{}
	for _, row := range h.store.rows() {
		for _, kind := range []string{`kind="trip"`, `kind="alert"`} {
			if strings.HasPrefix(row, "service,agency=hanoi,feed=city ") && strings.Contains(row, kind) {
				stored[kind] = true
			}
		}
	}
	if len(h.store.rows()) != 2 || len(stored) != 2 {
		t.Errorf("stored:\n%s", strings.Join(h.store.rows(), "\n"))
	}
}

// TestServiceReportsAreRestoredAfterCrash restores from the snapshot and from the journal behind it.
func TestServiceReportsAreRestoredAfterCrash(t *testing.T) {
	h := startRealtime(t)
	h.accept(t, realtime, feedMessage(t, noon, "DIFFERENTIAL", canceled))
	h.keeper.saveSnapshot()
	h.accept(t, realtime, feedMessage(t, noon.Add(time.Second), "DIFFERENTIAL", works))
	h.crash(t)
	h.broker = mqtttest.Start(t)
	h.start(t)
	live := h.serviceTopics(t)
	live.await(t, map[string]string{
		"nhip/live/service/feed/city":              `"differential":true`,
		"nhip/live/service/trip/city/T1|20260216|": "CANCELED",
		"nhip/live/service/alert/city/w":           "DETOUR",
	})
	h.accept(t, realtime, feedMessage(t, noon.Add(2*time.Second), "DIFFERENTIAL", `entity { id: "c" is_deleted: true }`))
	live.await(t, map[string]string{"nhip/live/service/feed/city": `"trips":0`, "nhip/live/service/alert/city/w": ""})
}

// TestSilentFeedHoldsNoLonger: a full feed repeats what holds, one that sends each change once does not.
func TestSilentFeedHoldsNoLonger(t *testing.T) {
	h := startRealtime(t)
	live := h.serviceTopics(t)
	h.accept(t, realtime, feedMessage(t, noon, "FULL_DATASET", canceled+works))
	h.accept(t, realtime+"2", feedMessage(t, noon, "DIFFERENTIAL", canceled))
	h.clock.set(noon.Add(31 * time.Minute))
	h.state.Sweep(h.clock.Now())
	live.await(t, map[string]string{
		"nhip/live/service/feed/city": `"trips":0`, "nhip/live/service/alert/city/w": "",
		"nhip/live/service/feed/city2": `"trips":1`, "nhip/live/service/trip/city2/T1|20260216|": "",
	})
	h.clock.set(noon.Add(25 * time.Hour))
	h.state.Sweep(h.clock.Now())
	live.await(t, map[string]string{})
}

// TestFeedNamesItsTimetable: two timetables have the same ids, and each of two feeds names its own.
func TestFeedNamesItsTimetable(t *testing.T) {
	merged, err := gtfs.Merge(geotest.Line(21, 15*time.Minute), geotest.Line(21, 15*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for number, prefix := range map[int]string{0: "", 1: "", 2: "2:"} {
		h := newHarness(t)
		h.network = network.New(merged)
		h.feed = &decode.Feed{Topic: "nhip/in/gtfs-rt/+", Format: "gtfs-rt", Agency: "hanoi", Timetable: number}
		h.start(t)
		l := h.listen(t, topics.Live)
		h.accept(t, realtime, feedMessage(t, noon, "FULL_DATASET", `
			entity { id: "1" trip_update { trip { trip_id: "T4-0" route_id: "32" } stop_time_update { stop_id: "S3"
				schedule_relationship: SKIPPED } } }
			entity { id: "2" alert { informed_entity { stop_id: "S3" } effect: DETOUR } }
			entity { id: "3" vehicle { vehicle { id: "29B" } trip { trip_id: "T4-0" } stop_id: "S3" timestamp: 1771243200
				position { latitude: 21 longitude: 105.8 } } }`))
		want := map[string]string{
			"service/trip": `"stop":"` + prefix + `S3"`, "service/alert": `"stop":"` + prefix + `S3"`,
			"bus/hanoi/29B": `"trip":"` + prefix + `T4-0"`,
		}
		left := maps.Clone(want)
		l.Wait(t, fmt.Sprintf("timetable %d: %v", number, want), func(m mqtttest.Message) bool {
			for kind, part := range want {
				if strings.HasPrefix(m.Topic, "nhip/live/"+kind) && strings.Contains(m.Payload, part) {
					delete(left, kind)
				}
			}
			return len(left) == 0
		})
		h.stop(t)
	}
}

// faultyFields returns the fields of the dead letters, once nothing is pending.
func (h *harness) faultyFields(t *testing.T) (fields []string) {
	t.Helper()
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	for _, l := range storedLetters(t, h.dir) {
		fields = append(fields, l.Field)
	}
	return fields
}

// TestOptionalFieldCostsOnlyItself sends values that can't be in fields that a bus can do without.
func TestOptionalFieldCostsOnlyItself(t *testing.T) {
	h := startRealtime(t)
	const vehicle = `entity { id: "e%d" vehicle { vehicle { id: "v%d" } timestamp: 1771243200 trip { trip_id: "a" %s }
		position { latitude: 21 longitude: 105.8 %s } } } `
	var all strings.Builder
	for i, c := range []struct{ trip, position string }{
		{"", "bearing: -1"},
		{"", "bearing: 361"},
		{"", "bearing: nan"},
		{"", "speed: -1"},
		{"", "speed: inf"},
		{"direction_id: 5", ""},
		{`start_date: "16.02.2026"`, ""},
		{`start_time: "noon"`, ""},
		{`route_id: "\x01"`, ""},
	} {
		fmt.Fprintf(&all, vehicle, i, i, c.trip, c.position)
	}
	h.accept(t, realtime, feedMessage(t, noon, "FULL_DATASET", all.String()))
	if _, n := h.Census(); n.Buses != 9 || len(h.faultyFields(t)) > 0 {
		t.Errorf("%d of 9 buses, %v", n.Buses, h.faultyFields(t))
	}
	for field, want := range map[string]float64{
		"bearing": 3, "speed": 2, "direction": 1, "start_date": 1, "start_time": 1,
	} {
		if n := testutil.ToFloat64(h.metrics.dropped.WithLabelValues(field)); n != want {
			t.Errorf("%s dropped %v times, want %v", field, n, want)
		}
	}
}

// TestFaultsOfFeedNameEntityAndVehicle: a fault that only the collector finds.
func TestFaultsOfFeedNameEntityAndVehicle(t *testing.T) {
	h := startRealtime(t)
	h.accept(t, realtime, feedMessage(t, noon, "FULL_DATASET", `
		entity { id: "e7" vehicle { vehicle { id: "29B7" } timestamp: 1871243200 } }`))
	if got := h.faultyFields(t); len(got) != 1 || got[0] != `entity "e7" vehicle "29B7" time` {
		t.Errorf("%v", got)
	}
}
