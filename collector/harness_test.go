package collector

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/geo/network"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus"
)

// waitFor is the time limit for expected events.
const waitFor = awaittest.Timeout

// noon is the start time of the test clock.
var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

// fakeClock is a clock that stands still until set.
type fakeClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *fakeClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// fakeStore is a database that fails on demand and keeps the rows in memory. The tests of the whole platform use a
// real one.
type fakeStore struct {
	mu        sync.Mutex
	fail      func(lines string) error // may be nil
	lines     []string
	countOnly bool // don't keep lines
	count     int  // rows
}

func (s *fakeStore) Write(_ context.Context, lines []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(string(lines)); err != nil {
			return err
		}
	}
	s.count += bytes.Count(lines, []byte("\n"))
	if s.countOnly {
		return nil
	}
	s.lines = append(s.lines, strings.Split(strings.TrimSpace(string(lines)), "\n")...)
	return nil
}

func (s *fakeStore) rows() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

// setFail sets fail while the collector is running.
func (s *fakeStore) setFail(fail func(lines string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// outage makes all writes fail while the result is true.
func (s *fakeStore) outage() (down *atomic.Bool) {
	down = new(atomic.Bool)
	s.fail = func(string) error {
		if down.Load() {
			return &influx.WriteError{Kind: influx.Retry, Err: errors.New("connection refused")}
		}
		return nil
	}
	return down
}

// rejectVehicle7 is a fakeStore.fail that rejects the rows of vehicle 7.
func rejectVehicle7(lines string) error {
	if strings.Contains(lines, "vehicle=7 ") {
		return &influx.WriteError{Kind: influx.Rejected, Status: 400, Err: errors.New("field type conflict")}
	}
	return nil
}

// harness is a collector with its environment.
type harness struct {
	*Collector
	broker       string
	account      mqtt.Options // of the broker; the zero value logs in without
	hfp          bool
	private      bool                 // stations that no fleet has named are private
	registry     *prometheus.Registry // of the running collector
	dir          string
	clock        *fakeClock
	store        *fakeStore
	db           Store            // a database instead of store; may be nil
	journalBytes int64            // at least MinJournalBytes
	minFree      int64            // bytes
	tune         func(*Collector) // called before Start; may be nil
	feed         *decode.Feed     // an additional feed; may be nil
	network      *network.Network // timetable; may be nil
	budget       Budget           // none by default
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	return &harness{broker: mqtttest.Start(t), dir: t.TempDir(), clock: &fakeClock{t: noon}, store: &fakeStore{}}
}

// start runs a collector on the harness's folder until stop or the end of the test.
func (h *harness) start(t *testing.T) {
	t.Helper()
	feeds := []decode.Feed{
		{Topic: "nhip/in/position/+", Format: "position", Agency: "hanoi", Latency: 2 * time.Minute},
		{Topic: "nhip/in/reading/+", Format: "reading", Agency: "hanoi"},
		{Topic: "/hfp/v2/#", Format: "hfp", Agency: "hsl"},
		{Topic: "airgradient/readings/+", Format: "airgradient", Agency: "hanoi"},
	}
	if h.feed != nil {
		feeds = append(feeds, *h.feed)
	}
	store := h.db
	if store == nil {
		store = h.store
	}
	account := h.account
	if account.URL == "" {
		account = mqtt.Options{URL: h.broker, ClientID: "collector"}
	}
	h.registry = prometheus.NewRegistry()
	c, err := New(Options{
		ID: "c", Dir: h.dir, Clock: h.clock, Store: store, Feeds: feeds,
		Broker: account, HFP: h.hfp, Private: h.private,
		Logger: slog.New(slog.DiscardHandler), Registry: h.registry,
		Network: h.network, Budget: h.budget,
		JournalBytes: max(h.journalBytes, MinJournalBytes), MinFree: h.minFree, DeadBytes: 1 << 30, Late: nhip.LateWindow,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Collector = c
	if h.tune != nil {
		h.tune(c)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if h.Collector == c { // not stopped by the test
			h.stop(t)
		}
	})
}

func (h *harness) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	if err := h.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	h.Collector = nil
}

// crash continues with a copy of the current files, without a last checkpoint or snapshot, as kill -9 leaves them.
func (h *harness) crash(t *testing.T) {
	t.Helper()
	copied := t.TempDir()
	for err := os.CopyFS(copied, os.DirFS(h.dir)); err != nil; err = os.CopyFS(copied, os.DirFS(h.dir)) {
		if !errors.Is(err, fs.ErrNotExist) { // a file may be replaced meanwhile
			t.Fatal(err)
		}
		copied = t.TempDir()
	}
	h.stop(t)
	h.dir = copied
}

func (h *harness) listen(t *testing.T, filter string) *mqtttest.Listener {
	t.Helper()
	return mqtttest.Listen(t, mqtt.Options{URL: h.broker, ClientID: "listener"}, filter)
}

// accept sends a message to the collector and waits until it is acknowledged.
func (h *harness) accept(t *testing.T, topic, payload string) {
	t.Helper()
	done := make(chan error, 1)
	m := nhip.Message{Topic: topic, Payload: []byte(payload), Received: h.clock.Now()}
	h.Accept(m, func(err error) { done <- err })
	select {
	case err := <-done:
		if err != nil {
			t.Fatalf("%s: %v", topic, err)
		}
	case <-time.After(waitFor):
		t.Fatalf("%s: not acknowledged", topic)
	}
}

// positionAt returns a payload of format "position".
func positionAt(at time.Time, lat float64) string {
	return fmt.Sprintf(`{"time":%q,"lat":%v,"lon":105.85,"route":"32"}`, at.Format(time.RFC3339), lat)
}

// pm25At returns a payload of format "reading".
func pm25At(at time.Time, v float64) string {
	return fmt.Sprintf(`{"time":%q,"period":"1h","lat":21.02,"lon":105.81,"values":{"pm25":%v}}`,
		at.Format(time.RFC3339), v)
}

func isBus(lat string) func(mqtttest.Message) bool {
	return func(m mqtttest.Message) bool { return strings.Contains(m.Payload, `"lat":`+lat) }
}

// isCensus recognises a census by its begin.
func isCensus(begin string) func(mqtttest.Message) bool {
	return func(m mqtttest.Message) bool { return strings.HasPrefix(m.Payload, begin) }
}

func anyMessage(mqtttest.Message) bool { return true }

// storedLetters reads the dead letters from disk.
func storedLetters(t *testing.T, dir string) (out []nhip.DeadLetter) {
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
