package schedule

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/internal/airreport"
	"nhip/internal/damage"
	"nhip/internal/influx"
	"nhip/internal/notify"
	"nhip/internal/notify/smtptest"

	"github.com/prometheus/client_golang/prometheus"
)

var hanoi = time.FixedZone("+07", 7*3600)

// begin is the time at which the tests begin: 10:00 of 16 February in Hanoi.
var begin = time.Date(2026, 2, 16, 3, 0, 0, 0, time.UTC)

type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// testDocuments are documents by kind and id.
type testDocuments struct {
	mu  sync.Mutex
	all map[string]map[string]nhip.DocumentState
}

func (d *testDocuments) List(kind string) (out []nhip.DocumentState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, doc := range d.all[kind] {
		out = append(out, doc)
	}
	return out
}

func (d *testDocuments) Find(kind, id string) (nhip.DocumentState, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc, ok := d.all[kind][id]
	return doc, ok
}

func (d *testDocuments) set(t *testing.T, kind, id string, at time.Time, body any) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all[kind] == nil {
		d.all[kind] = make(map[string]nhip.DocumentState)
	}
	d.all[kind][id] = nhip.DocumentState{
		Kind: kind, ID: id, Version: d.all[kind][id].Version + 1, Time: at, Body: raw,
	}
}

func (d *testDocuments) remove(kind, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all[kind], id)
}

// testHistory has a mean of 50 µg/m³ PM2.5 of each month and day at each of two stations.
type testHistory struct{ err error }

func (h *testHistory) Rollups(_ context.Context, q influx.RollupQuery, yield func(influx.RollupRow) error) error {
	for _, station := range []string{"hn-01", "hn-02"} {
		if q.Station != "" && q.Station != station || h.err != nil {
			continue
		}
		end := q.From.Add(q.To.Sub(q.From) / 2).In(hanoi)
		end = time.Date(end.Year(), end.Month(), 1, 0, 0, 0, 0, hanoi)
		if q.Period == nhip.PeriodDay {
			end = end.AddDate(0, 0, 1)
		}
		err := yield(influx.RollupRow{Rollup: nhip.Rollup{
			Station: station, Quantity: nhip.PM25, Period: q.Period, Time: end.UTC(),
			RollupStats: nhip.RollupStats{Mean: 50, Max: 60, Min: 40, Count: 700, Capture: 100, Flag: nhip.FlagGood},
		}})
		if err != nil {
			return err
		}
	}
	return h.err
}

func (h *testHistory) Days(_ context.Context, q influx.DayQuery, yield func(*influx.DaySeries) error) error {
	end := q.To.Add(-time.Hour).UnixMilli()
	for _, station := range []string{"hn-01", "hn-02"} {
		s := &influx.DaySeries{Station: station, Quantity: nhip.PM25, Days: []influx.MeanAt{{End: end, Value: 50.5}}}
		if err := yield(s); err != nil {
			return err
		}
	}
	return h.err
}

func (h *testHistory) Means(context.Context, influx.MeanQuery, func(influx.MeanSeries) error) error {
	return h.err
}

// testScopes sees the stations that a scope names, and knows the zone ward/a.
type testScopes struct{}

func (testScopes) Sees(scope nhip.Scope, s *nhip.Station) bool {
	return !scope.LimitsStations() || slices.Contains(scope.Stations, s.ID) || len(scope.Zones) > 0
}
func (testScopes) HasZone(zone string) bool { return zone == "ward/a" }

// harness is a Sender with a mail server.
type harness struct {
	*Sender
	clock  *testClock
	docs   *testDocuments
	past   *testHistory
	server *smtptest.Server
	dir    string
	mailer Mailer // nil: that of the server
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{
		clock: &testClock{now: begin}, docs: &testDocuments{all: make(map[string]map[string]nhip.DocumentState)},
		past: new(testHistory), server: smtptest.Start(t), dir: t.TempDir(),
	}
	h.docs.set(t, nhip.DocumentKey, "lan", begin, nhip.Key{
		Name: "Lan", Role: nhip.RoleAnalyst, Created: begin.Add(-time.Hour),
	})
	h.start(t)
	return h
}

// start starts anew, as after a kill.
func (h *harness) start(t *testing.T) {
	t.Helper()
	registry, log := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	var mailer Mailer = &notify.Mailer{Host: "127.0.0.1", Port: h.server.Port, From: "nhip@example.org", Plain: true}
	if h.mailer != nil {
		mailer = h.mailer
	}
	var err error
	h.Sender, err = New(Options{
		Path: filepath.Join(h.dir, "schedules.json"), Clock: h.clock, Zone: hanoi, Documents: h.docs, Mailer: mailer,
		Reports: Reports{
			Reader: &airreport.Reader{
				History: h.past, Clock: h.clock, Zone: func(string) *time.Location { return hanoi },
			},
			Zone: hanoi, PublicURL: "https://air.example",
		},
		Scopes: testScopes{},
		Stations: func() []*nhip.Station {
			return []*nhip.Station{
				{ID: "hn-01", Name: nhip.LocalizedText{Vi: "Hoàn Kiếm", En: "Hoan Kiem"}, Area: "west"},
				{ID: "hn-02", Area: "east"},
			}
		},
		Damage: damage.NewLog(log, registry), Logger: log, Registry: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// daily is a schedule of every day at 7:00.
func daily(change func(*nhip.Schedule)) nhip.Schedule {
	s := nhip.Schedule{
		Name: "Mỗi ngày", Report: nhip.ReportExceedances, Lang: "vi", Recipients: []string{"a@example.org", "b@example.org"},
		Every: nhip.EveryDay, At: "07:00", Active: true, Owner: nhip.Actor{Name: "Lan", Key: "lan", Role: nhip.RoleAnalyst},
		Created: begin,
	}
	if change != nil {
		change(&s)
	}
	return s
}

func (h *harness) set(t *testing.T, s nhip.Schedule) {
	t.Helper()
	h.docs.set(t, nhip.DocumentSchedule, "s", h.clock.Now(), s)
}

// at sets the clock to a number of days after begin, at a time of day in Hanoi, and steps.
func (h *harness) at(t *testing.T, days int, clock string) {
	t.Helper()
	of, err := time.Parse("15:04", clock)
	if err != nil {
		t.Fatal(err)
	}
	h.clock.set(time.Date(2026, 2, 16+days, of.Hour(), of.Minute(), 0, 0, hanoi))
	h.step(t.Context())
}

func (h *harness) shown(t *testing.T) nhip.ScheduleState {
	t.Helper()
	states, err := h.States(t.Context(), nhip.ScheduleQuery{IDs: []string{"s", "none"}})
	if err != nil || !states.Mails || len(states.States) != 1 {
		t.Fatalf("%+v, %v", states, err)
	}
	return states.States["s"]
}

// recipients returns who got mails, in the order in which they did.
func (h *harness) recipients() string {
	var out []string
	for _, m := range h.server.Mails() {
		out = append(out, m.To[0][:1])
	}
	return strings.Join(out, "")
}

// decoded is a mail with its parts by media type.
type decoded struct {
	header mail.Header
	parts  map[string]string
}

func decode(t *testing.T, m smtptest.Mail) decoded {
	t.Helper()
	msg, err := mail.ReadMessage(strings.NewReader(m.Data))
	if err != nil {
		t.Fatal(err)
	}
	d := decoded{msg.Header, make(map[string]string)}
	d.read(t, msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
	return d
}

func (d *decoded) read(t *testing.T, contentType, encoding string, body io.Reader) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(kind, "multipart/") {
		r := multipart.NewReader(body, params["boundary"])
		for {
			part, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			d.read(t, part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
		}
	}
	switch encoding {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	d.parts[kind] = string(raw)
}
