package collector

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/geo/network"
	"nhip/internal/await"
	"nhip/internal/influx"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// waitFor bounds how long a test waits for what must come.
const waitFor = 10 * time.Second

// noon is when the tests' city begins.
var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

// hands is a clock that tests set.
type hands struct {
	mu sync.Mutex
	t  time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.t
}

func (h *hands) set(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = t
}

// shelf is a store whose faults a test chooses; it keeps what it was given. The real database is
// tested with the whole in cmd/nhip.
type shelf struct {
	mu     sync.Mutex
	fail   func(lines string) error
	lines  []string
	writes int
	forget bool // only count
	count  int  // rows
}

func (s *shelf) Write(_ context.Context, lines []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if s.fail != nil {
		if err := s.fail(string(lines)); err != nil {
			return err
		}
	}
	s.count += bytes.Count(lines, []byte("\n"))
	if s.forget {
		return nil
	}
	s.lines = append(s.lines, strings.Split(strings.TrimSpace(string(lines)), "\n")...)
	return nil
}

func (s *shelf) rows() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

// bench is a collector with its surroundings.
type bench struct {
	*Collector
	broker  string
	dir     string
	clock   *hands
	shelf   *shelf
	journal int64            // bytes; MinJournalBytes when 0
	free    int64            // bytes of the disk that are left alone
	tune    func(*Collector) // before its start; may be nil
	feed    *decode.Feed     // one more; may be nil
	network *network.Network // what buses are followed on; may be nil
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{broker: mqtttest.Start(t), dir: t.TempDir(), clock: &hands{t: noon}, shelf: &shelf{}}
}

// start runs a collector on the bench's folder until stop or the test's end.
func (b *bench) start(t *testing.T) {
	t.Helper()
	feeds := []decode.Feed{
		{Topic: "nhip/in/position/+", Format: "position", Agency: "hanoi", Latency: 2 * time.Minute},
		{Topic: "nhip/in/reading/+", Format: "reading", Agency: "hanoi"},
		{Topic: "/hfp/v2/#", Format: "hfp", Agency: "hsl"},
		{Topic: "airgradient/readings/+", Format: "airgradient", Agency: "hanoi"},
	}
	if b.feed != nil {
		feeds = append(feeds, *b.feed)
	}
	var err error
	b.Collector, err = New(Options{
		ID: "c", Dir: b.dir, Clock: b.clock, Store: b.shelf, Feeds: feeds,
		Broker: mqtt.Options{URL: b.broker, ClientID: "collector"},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		Network:      b.network,
		JournalBytes: max(b.journal, MinJournalBytes), MinFree: b.free, DeadBytes: 1 << 30, Late: nhip.LateWindow,
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.tune != nil {
		b.tune(b.Collector)
	}
	if err := b.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := b.Collector
	t.Cleanup(func() { b.stopped(t, c) })
}

func (b *bench) stopped(t *testing.T, c *Collector) {
	if b.Collector != c {
		return // stopped by the test
	}
	b.stop(t)
}

func (b *bench) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	if err := b.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	b.Collector = nil
}

// crash goes on from what is on disk now, as kill -9 leaves it: no last checkpoint and no snapshot.
func (b *bench) crash(t *testing.T) {
	t.Helper()
	left := t.TempDir()
	if err := os.CopyFS(left, os.DirFS(b.dir)); err != nil {
		t.Fatal(err)
	}
	b.stop(t)
	b.dir = left
}

func (b *bench) listen(t *testing.T, filter string) *mqtttest.Listener {
	t.Helper()
	return mqtttest.Listen(t, mqtt.Options{URL: b.broker, ClientID: "listener"}, filter)
}

// accept takes a message through the door and waits for its outcome.
func (b *bench) accept(t *testing.T, topic, payload string) {
	t.Helper()
	done := make(chan error, 1)
	b.Accept(nhip.Message{Topic: topic, Payload: []byte(payload), Received: b.clock.Now()}, func(err error) { done <- err })
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%s: %v", topic, err)
		}
	case <-time.After(waitFor):
		t.Fatalf("%s: no outcome", topic)
	}
}

func fix(at time.Time, lat float64) string {
	return fmt.Sprintf(`{"time":%q,"lat":%v,"lon":105.85,"route":"32"}`, at.Format(time.RFC3339), lat)
}

func pm(at time.Time, v float64) string {
	return fmt.Sprintf(`{"time":%q,"period":"1h","lat":21.02,"lon":105.81,"values":{"pm25":%v}}`, at.Format(time.RFC3339), v)
}

func isBus(lat string) func(mqtttest.Message) bool {
	return func(m mqtttest.Message) bool { return strings.Contains(m.Payload, `"lat":`+lat) }
}

func TestAcceptedFactsAreStoredAndLive(t *testing.T) {
	b := newBench(t)
	b.start(t)
	l := b.listen(t, mqtt.Live)
	b.accept(t, "nhip/in/position/29B%2F1", fix(noon, 21.03))
	b.accept(t, "nhip/in/reading/embassy", pm(noon, 69.2))
	live := make(map[string]string) // in any order
	l.Wait(t, "the bus and the station", func(m mqtttest.Message) bool {
		live[m.Topic] = m.Payload
		return live["nhip/live/bus/hanoi/29B%2F1"] != "" && live["nhip/live/air/embassy"] != ""
	})
	for topic, parts := range map[string][]string{
		"nhip/live/bus/hanoi/29B%2F1": {`"lat":21.03`, `"id":"29B/1"`, `"latency_s":120`}, "nhip/live/air/embassy": {`"value":69.2`},
	} {
		for _, part := range parts {
			if !strings.Contains(live[topic], part) {
				t.Errorf("%s is live as %s, without %s", topic, live[topic], part)
			}
		}
	}
	l.Wait(t, "the census", func(m mqtttest.Message) bool { return m.Payload == `{"buses":1,"stations":1}` })
	await.True(t, "both rows are stored", func() bool { return len(b.shelf.rows()) == 2 && b.Pending() == 0 })
	if row := b.shelf.rows()[0]; !strings.HasPrefix(row, "position,agency=hanoi,event=vp,route=32,vehicle=29B/1 ") || !strings.HasSuffix(row, fmt.Sprint(" ", noon.UnixMilli())) {
		t.Errorf("stored as %s", row)
	}
}

func TestWhatIsTurnedAwayIsCountedToldAndKept(t *testing.T) {
	b := newBench(t)
	b.start(t)
	l := b.listen(t, "nhip/dead/#")
	for _, c := range []struct {
		topic, payload string
		code           nhip.Code
		field          string
	}{
		{"nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":91,"lon":1}`, nhip.OutOfRange, "lat"},
		{"nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":0,"lon":0}`, nhip.NullIsland, "lat"},
		{"nhip/in/position/1", fix(noon.Add(6*time.Minute), 21), nhip.Future, "time"},
		{"nhip/in/position/1", fix(noon.AddDate(0, 0, -101), 21), nhip.TooOld, "time"},
		{"nhip/in/position/1", "\xff\x00", nhip.Malformed, ""},
		{"nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":1}`, nhip.Missing, "lon"},
		{"nhip/in/reading/1", `{"time":"2026-02-16T12:00:00Z","period":"1h","values":{"gold":1}}`, nhip.UnknownField, "values.gold"},
		{"somewhere/else", `{}`, nhip.NoFeed, "topic"},
	} {
		b.accept(t, c.topic, c.payload)
		m := l.Wait(t, string(c.code), func(mqtttest.Message) bool { return true })
		var got nhip.DeadLetter
		if err := json.Unmarshal([]byte(m.Payload), &got); err != nil {
			t.Fatal(err)
		}
		payload := got.Payload + string(got.PayloadB)
		if m.Topic != "nhip/dead/c/"+string(c.code) || got.Code != c.code || got.Field != c.field || got.Topic != c.topic || payload != c.payload || got.Rows != 1 {
			t.Errorf("%s: told as %s %s", c.payload, m.Topic, m.Payload)
		}
		if n := testutil.ToFloat64(b.metrics.rejected.WithLabelValues(string(c.code))); n != 1 {
			t.Errorf("%s is counted %v times", c.code, n)
		}
	}
	await.True(t, "all is kept", func() bool { return b.Pending() == 0 })
	if n := len(letters(t, b.dir)); n != 8 {
		t.Errorf("%d letters are kept, want 8", n)
	}
}

// letters reads what is kept of dead letters.
func letters(t *testing.T, dir string) (out []nhip.DeadLetter) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "dead", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			var l nhip.DeadLetter
			if err := json.Unmarshal(s.Bytes(), &l); err != nil {
				t.Fatal(err)
			}
			out = append(out, l)
		}
	}
	return out
}

func TestOneBadValueDoesNotCostTheOthers(t *testing.T) {
	b := newBench(t)
	b.start(t)
	b.accept(t, "nhip/in/reading/1", `{"time":"2026-02-16T12:00:00Z","period":"1h","values":{"pm25":69.2,"humidity":120,"pm10":110}}`)
	b.accept(t, "nhip/in/reading/1", fmt.Sprintf(`{"time":%q,"period":"1h","values":{"pm25":1,"pm10":2}}`, noon.AddDate(1, 0, 0).Format(time.RFC3339)))
	await.True(t, "the good rows are stored", func() bool { return len(b.shelf.rows()) == 2 && b.Pending() == 0 })
	got := letters(t, b.dir)
	if len(got) != 2 || got[0].Field != "values.humidity" || got[0].Rows != 1 {
		t.Fatalf("letters %+v", got)
	}
	if got[1].Code != nhip.Future || got[1].Rows != 2 {
		t.Errorf("rows with one fault are told as %+v", got[1])
	}
}

func TestDeadRunsAndMissingPlacesNeverMoveABus(t *testing.T) {
	b := newBench(t)
	b.start(t)
	l := b.listen(t, mqtt.LiveBuses)
	event := func(path, place string, second int) {
		b.accept(t, "/hfp/v2/"+path+"/ongoing/vp/bus/0018/01029", fmt.Sprintf(`{"VP":{"tst":"2026-02-16T12:00:%02d.000Z",%s}}`, second, place))
	}
	event("journey", `"lat":60.1,"long":24.9`, 0)
	event("journey", `"lat":null,"long":null`, 1)
	event("deadrun", `"lat":60.2,"long":24.9`, 2)
	event("journey", `"lat":60.3,"long":24.9`, 3)
	l.Wait(t, "the bus", isBus("60.3"))
	b.mu(func() {
		bus, err := b.city.bus(b.city.buses["nhip/live/bus/hsl/0018%2F01029"])
		if err != nil || bus.Lat != 60.3 || bus.Interval != 3 {
			t.Errorf("the bus %+v; the fixes between did not move it", bus)
		}
	})
	await.True(t, "all four are stored", func() bool { return len(b.shelf.rows()) == 4 })
}

func (b *bench) mu(f func()) {
	b.city.mu.Lock()
	defer b.city.mu.Unlock()
	f()
}

func TestLiveNeverStepsBack(t *testing.T) {
	b := newBench(t)
	b.start(t)
	l := b.listen(t, mqtt.Live)
	b.accept(t, "nhip/in/position/1", fix(noon, 21.5))
	b.accept(t, "nhip/in/reading/s", pm(noon, 5))
	l.Wait(t, "the bus", isBus("21.5"))
	b.accept(t, "nhip/in/position/1", fix(noon.Add(-time.Minute), 21.1))
	b.accept(t, "nhip/in/position/1", fix(noon, 21.2)) // the same time again
	b.accept(t, "nhip/in/reading/s", pm(noon.Add(-time.Hour), 4))
	b.accept(t, "nhip/in/position/1", fix(noon.Add(time.Minute), 21.6))
	for {
		m := l.Wait(t, "the next fix", func(m mqtttest.Message) bool { return strings.HasPrefix(m.Topic, "nhip/live/bus/") })
		if isBus("21.1")(m) || isBus("21.2")(m) {
			t.Fatalf("stepped back to %s", m.Payload)
		}
		if isBus("21.6")(m) {
			break
		}
	}
	b.mu(func() {
		if v := b.city.stations["nhip/live/air/s"].Values[nhip.PM25]; v.Value != 5 {
			t.Errorf("the station steps back to %v", v)
		}
	})
	await.True(t, "late ones are stored, and what was said again beside the first", func() bool { return len(b.shelf.rows()) == 6 })
}

func TestTheCityComesBackAfterARestart(t *testing.T) {
	b := newBench(t)
	b.start(t)
	b.accept(t, "nhip/in/position/1", fix(noon, 21.1))
	b.saveSnapshot()
	b.accept(t, "nhip/in/position/1", fix(noon.Add(10*time.Second), 21.2)) // behind the snapshot
	b.accept(t, "nhip/in/position/2", fix(noon, 21.3))
	b.crash(t)
	b.broker = mqtttest.Start(t) // and the broker forgot everything

	l := b.listen(t, mqtt.Live)
	b.start(t)
	l.Wait(t, "the first bus", func(m mqtttest.Message) bool { return m.Topic == "nhip/live/bus/hanoi/1" && isBus("21.2")(m) })
	l.Wait(t, "the census", func(m mqtttest.Message) bool { return m.Payload == `{"buses":2,"stations":0}` })
}

func TestWhatIsLongSilentLeavesTheMap(t *testing.T) {
	b := newBench(t)
	b.start(t)
	l := b.listen(t, mqtt.Live)
	b.accept(t, "nhip/in/position/1", fix(noon, 21.1))
	l.Wait(t, "the bus", isBus("21.1"))
	b.clock.set(noon.Add(nhip.BusLeavesAfter + time.Second))
	b.city.sweep(b.clock.Now())
	l.Wait(t, "the cleared topic", func(m mqtttest.Message) bool { return m.Topic == "nhip/live/bus/hanoi/1" && m.Payload == "" })
	l.Wait(t, "the census", func(m mqtttest.Message) bool { return m.Payload == `{"buses":0,"stations":0}` })
}

func TestTheDatabaseAway(t *testing.T) {
	b := newBench(t)
	var away sync.Map
	away.Store("away", true)
	b.shelf.fail = func(string) error {
		if v, _ := away.Load("away"); v == true {
			return &influx.WriteError{Kind: influx.Retry, Err: errors.New("connection refused")}
		}
		return nil
	}
	b.start(t)
	for i := range 20 {
		b.accept(t, "nhip/in/position/1", fix(noon.Add(time.Duration(i)*time.Second), 21.1))
	}
	await.True(t, "a write is tried", func() bool { return testutil.ToFloat64(b.metrics.writeErrors) > 0 })
	if b.Pending() == 0 || len(b.shelf.rows()) > 0 {
		t.Fatal("nothing waits")
	}
	away.Store("away", false)
	await.True(t, "all rows are stored", func() bool { return len(b.shelf.rows()) == 20 && b.Pending() == 0 })
}

func TestABadRowStandsAlone(t *testing.T) {
	b := newBench(t)
	b.shelf.fail = func(lines string) error {
		if strings.Contains(lines, "vehicle=7 ") {
			return &influx.WriteError{Kind: influx.Rejected, Status: 400, Err: errors.New("field type conflict")}
		}
		return nil
	}
	b.start(t)
	for i := range 16 {
		b.accept(t, fmt.Sprintf("nhip/in/position/%d", i), fix(noon, 21.1))
	}
	await.True(t, "the good rows are stored", func() bool { return len(b.shelf.rows()) == 15 && b.Pending() == 0 })
	got := letters(t, b.dir)
	if len(got) != 1 || got[0].Code != nhip.Refused || !strings.Contains(got[0].Line, "vehicle=7 ") || !strings.Contains(got[0].Rule, "field type conflict") {
		t.Errorf("letters %+v", got)
	}
}

func TestAfterTheEndNothingIsAcknowledged(t *testing.T) {
	b := newBench(t)
	b.start(t)
	c := b.Collector
	b.stop(t)
	done := make(chan error, 1)
	c.Accept(nhip.Message{Topic: "nhip/in/position/1", Payload: []byte(fix(noon, 21)), Received: noon}, func(err error) { done <- err })
	if err := <-done; err == nil {
		t.Error("acknowledged after the journal was closed")
	}
}

func TestAnIdThatNoTopicCarriesIsTurnedAway(t *testing.T) {
	b := newBench(t)
	b.start(t)
	b.accept(t, "nhip/in/position/"+strings.Repeat("%", 240), fix(noon, 21))
	b.accept(t, "nhip/in/reading/"+strings.Repeat("%", 240), pm(noon, 1))
	if n := testutil.ToFloat64(b.metrics.rejected.WithLabelValues(string(nhip.OutOfRange))); n != 2 {
		t.Errorf("%v rows are turned away, want 2", n)
	}
}

func TestSimulatedFactsStayAmongThemselves(t *testing.T) {
	b := newBench(t)
	b.start(t)
	b.accept(t, "nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":21,"lon":105,"origin":"simulated"}`)
	b.accept(t, "nhip/in/reading/1", `{"time":"2026-02-16T12:00:00Z","period":"1h","values":{"pm25":1},"origin":"simulated"}`)
	if n := testutil.ToFloat64(b.metrics.rejected.WithLabelValues(string(nhip.OutOfRange))); n != 2 {
		t.Errorf("%v rows are turned away, want 2", n)
	}
}

func TestABigBrokenPayloadIsToldInShortAndKeptWhole(t *testing.T) {
	b := newBench(t)
	b.start(t)
	l := b.listen(t, "nhip/dead/#")
	payload := strings.Repeat("\x00\xff", 30_000)
	b.accept(t, "nhip/in/position/1", payload)
	m := l.Wait(t, "the announcement", func(mqtttest.Message) bool { return true })
	if len(m.Payload) > 4<<10 || !strings.Contains(m.Payload, fmt.Sprintf(`"size":%d`, len(payload))) {
		t.Errorf("told in %d bytes: %.200s", len(m.Payload), m.Payload)
	}
	await.True(t, "it is kept", func() bool { return b.Pending() == 0 })
	if got := letters(t, b.dir); len(got) != 1 || string(got[0].PayloadB) != payload {
		t.Errorf("kept %d letters", len(got))
	}
}

func TestAnOldBacklogIsNoGhost(t *testing.T) {
	b := newBench(t)
	b.start(t)
	b.accept(t, "nhip/in/position/old", fix(noon.Add(-3*time.Hour), 21))
	b.accept(t, "nhip/in/reading/old", pm(noon.AddDate(0, 0, -31), 1))
	await.True(t, "both are stored", func() bool { return len(b.shelf.rows()) == 2 })
	b.mu(func() {
		if len(b.city.buses)+len(b.city.stations) != 0 {
			t.Errorf("on the map: %v %v", b.city.buses, b.city.stations)
		}
	})
}

func TestADayThatBeginsAgainIsNotHeldAgainstItsEnd(t *testing.T) {
	b := newBench(t)
	b.clock.set(noon.Add(time.Hour))
	b.start(t)
	b.accept(t, "nhip/in/position/1", fix(noon.Add(time.Hour), 21.5))
	b.accept(t, "nhip/in/reading/s", pm(noon.Add(time.Hour), 5))
	b.stop(t)
	b.clock.set(noon)
	b.start(t)
	l := b.listen(t, mqtt.Live)
	b.accept(t, "nhip/in/position/1", fix(noon, 21.1))
	l.Wait(t, "the bus at its new beginning", isBus("21.1"))
}

// TestAnErrorInMidBatchLosesNothing puts a record into the journal that is none.
func TestAnErrorInMidBatchLosesNothing(t *testing.T) {
	b := newBench(t)
	var away sync.Map
	b.shelf.fail = func(string) error {
		if _, ok := away.Load("away"); ok {
			return &influx.WriteError{Kind: influx.Retry, Err: errors.New("away")}
		}
		return nil
	}
	away.Store("away", true)
	b.start(t)
	for i := range 10 {
		b.accept(t, fmt.Sprintf("nhip/in/position/%d", i), fix(noon, 21))
	}
	done := make(chan error, 1)
	b.intake.Append([]byte("\xff\xff"), func(_ uint64, err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.accept(t, "nhip/in/position/10", fix(noon, 21))
	away.Delete("away")
	await.True(t, "all eleven rows are stored", func() bool { return len(b.shelf.rows()) == 11 && b.Pending() == 0 })
	if got := letters(t, b.dir); len(got) != 1 || string(got[0].PayloadB) != "\xff\xff" {
		t.Errorf("letters %+v", got)
	}
	b.stop(t)
	b.start(t) // the record does not keep the collector from starting
}

func TestAStopDoesNotWaitForADatabaseThatIsAway(t *testing.T) {
	b := newBench(t)
	b.shelf.fail = func(string) error { return &influx.WriteError{Kind: influx.Retry, Err: errors.New("away")} }
	b.start(t)
	b.accept(t, "nhip/in/position/1", fix(noon, 21))
	await.True(t, "a write is tried", func() bool { return testutil.ToFloat64(b.metrics.writeErrors) > 0 })
	began := time.Now()
	b.stop(t)
	if took := time.Since(began); took > finishTimeout {
		t.Errorf("the stop took %s", took)
	}
	b.shelf.fail = nil
	b.start(t)
	await.True(t, "the row comes from the journal", func() bool { return len(b.shelf.rows()) == 1 })
}

func TestFeedsAreChecked(t *testing.T) {
	for _, c := range []struct {
		feed decode.Feed
		want string
	}{
		{decode.Feed{Topic: "a/#", Format: "morse"}, `feeds[0].format: "morse" is not one of ` + strings.Join(Formats(), ", ")},
		{decode.Feed{Topic: "a/#/b", Format: "hfp"}, "feeds[0].topic: # must be the last level"},
	} {
		if _, err := bindFeeds([]decode.Feed{c.feed}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.feed, err, c.want)
		}
	}
}

func TestLettersAreNotWrittenTwiceAfterACrash(t *testing.T) {
	dir := t.TempDir()
	var two []letter
	for part, rule := range []string{"a", "b"} {
		l := newLetter(letterID{day: "2026-02-16", seq: 5, part: part})
		l.Rule = rule
		two = append(two, l)
	}
	bury := func(g *graveyard, letters []letter) int {
		t.Helper()
		fresh, ok := g.buryAll(t.Context(), letters, slog.New(slog.DiscardHandler))
		if err := g.close(); err != nil || !ok {
			t.Fatal(err, ok)
		}
		return len(fresh)
	}
	open := func(settled uint64) *graveyard {
		t.Helper()
		g, err := openGraveyard(dir, "c", doorPlot, settled)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	bury(open(4), two[:1])
	path := filepath.Join(dir, "2026-02-16.jsonl")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`{"id":"20260216-5.1","rec`) // the crash
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if n := bury(open(4), two); n != 1 {
		t.Errorf("%d letters are new, want 1", n)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(raw), "\n"); got != 2 || !strings.Contains(string(raw), `"rule":"b"`) {
		t.Errorf("the file holds\n%s", raw)
	}
}
