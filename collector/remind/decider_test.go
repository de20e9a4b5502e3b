package remind

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/collector/document"
	"nhip/collector/live"
	"nhip/internal/awaittest"
	"nhip/internal/journal"
	"nhip/internal/notify"
	"nhip/internal/outbound"
	"nhip/internal/recovery"
	"nhip/internal/task"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// setClock is a clock that a test sets.
type setClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *setClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *setClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// platform stands for the broker and the deduplicator: it applies what the Decider sends.
type platform struct {
	*Decider

	clock *setClock
	store *document.Store

	mu       sync.Mutex
	messages map[string]int // notifications over MQTT, by their events
	away     bool           // the broker is
	changes  int
}

func (p *platform) publish(_ context.Context, topic string, payload []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return false
	}
	if _, is := topics.ParseNotification(topic); is {
		var n nhip.ReminderNotification
		_ = json.Unmarshal(payload, &n)
		p.messages[n.Event]++
		return true
	}
	var d nhip.Document
	_ = json.Unmarshal(payload, &d)
	if repeated, err := p.store.Check(&d); err == nil && !repeated {
		p.changes++
		p.store.Apply(&d, "reminders")
	}
	return true
}

func (p *platform) told(event string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.messages[event]
}

// newPlatform returns a Decider that does not run, and leads.
func newPlatform(t testing.TB, change func(*Options)) *platform {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	p := &platform{clock: &setClock{t: noon}, messages: make(map[string]int)}
	j, err := journal.Open(t.TempDir(), journal.Options{MaxBytes: 64 << 20, MaxRecord: 1 << 20, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	p.store, err = document.Open(document.Options{Dir: t.TempDir(), Logger: log, Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	state, err := live.Restore(live.Options{
		Path: t.TempDir() + "/live", Private: t.TempDir() + "/private", Journal: j, Clock: p.clock,
		Metrics: live.NewMetrics(prometheus.NewRegistry()), Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Collector: "a", Clock: p.clock, Documents: p.store, State: state, Publish: p.publish,
		CaughtUp: func(context.Context) error { return nil }, Guard: recovery.NewGuard(prometheus.NewRegistry(), log),
		Logger: log, Registry: prometheus.NewRegistry(),
	}
	if change != nil {
		change(&o)
	}
	p.Decider = New(o)
	p.Census("a", []byte("{}"))
	p.RetainedReceived()
	return p
}

// run runs the Decider until stop is called.
func (p *platform) run(t testing.TB) (stop func()) {
	t.Helper()
	g := task.NewGroup()
	g.Go("decider", p.Run)
	stop = sync.OnceFunc(func() { _ = g.Stop(context.Background()) })
	t.Cleanup(stop)
	return stop
}

// fired puts a reminder that has fired and is not delivered.
func (p *platform) fired(t testing.TB, id string, hook *nhip.ReminderWebhook) {
	t.Helper()
	p.put(t, id, &nhip.Reminder{
		Kind: nhip.ReminderAir, State: nhip.ReminderFired, Station: "s", Scale: nhip.ScaleVNAQI, Above: 1, Webhook: hook,
		Outcome: &nhip.ReminderNotification{
			ID: id, Event: id + ".fired", Kind: nhip.ReminderAir, State: nhip.ReminderFired, Time: noon,
		},
	})
}

func (p *platform) put(t testing.TB, id string, r *nhip.Reminder) {
	t.Helper()
	r.Created, r.Expires, r.Token, r.Lang = noon, noon.Add(time.Hour), strings.Repeat("0", 64), "vi"
	if r.Webhook != nil {
		r.Owner = "app"
	}
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	d := &nhip.Document{Kind: nhip.DocumentReminder, ID: id, Request: id, Time: noon, Body: body}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	p.store.Apply(d, "test")
}

// delivered reports whether nothing of a reminder is left to deliver.
func (p *platform) delivered(id string) bool {
	for _, d := range p.store.List(nhip.DocumentReminder) {
		var r nhip.Reminder
		if d.ID == id && json.Unmarshal(d.Body, &r) == nil {
			return r.Delivered
		}
	}
	return false
}

// hook is the server of an app, which fails at first.
type hook struct {
	*httptest.Server

	mu     sync.Mutex
	fails  int
	tries  int
	events []string
	bad    string
}

const hookSecret = "the secret of the hook"

func startHook(t *testing.T, fails int) *hook {
	t.Helper()
	h := &hook{fails: fails}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, nhip.MaxNotification+1)
		n, _ := r.Body.Read(body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.tries++
		var unix int64
		_, _ = fmt.Sscanf(r.Header.Get("Nhip-Signature"), "t=%d,", &unix)
		if r.Header.Get("Nhip-Signature") != notify.Sign(hookSecret, time.Unix(unix, 0), body[:n]) ||
			n > nhip.MaxNotification {
			h.bad = r.Header.Get("Nhip-Signature")
		}
		if h.tries <= h.fails {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		h.events = append(h.events, r.Header.Get("Nhip-Event"))
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) host() string { return strings.TrimPrefix(h.URL, "https://") }

func (h *hook) state() (tries int, events []string, bad string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tries, h.events, h.bad
}

// TestWebhookIsRetriedAndToldOnce has a server that fails at first, and a Decider that is started anew.
func TestWebhookIsRetriedAndToldOnce(t *testing.T) {
	h := startHook(t, 1)
	p := newPlatform(t, func(o *Options) {
		o.Secrets, o.Client = map[string]string{h.host(): hookSecret}, h.Client()
	})
	stop := p.run(t)
	p.fired(t, "r1", &nhip.ReminderWebhook{URL: h.URL + "/push", Device: "d1"})
	awaittest.True(t, "delivered", func() bool { return p.delivered("r1") })
	tries, events, bad := h.state()
	if tries != 2 || fmt.Sprint(events) != "[r1.fired]" || bad != "" || p.told("r1.fired") != 1 {
		t.Errorf("%d tries, events %v, %d over MQTT, bad signature %q", tries, events, p.told("r1.fired"), bad)
	}
	stop()
	p.fired(t, "r2", nil)
	p.run(t)
	awaittest.True(t, "the next one is delivered", func() bool { return p.delivered("r2") })
	if tries, _, _ = h.state(); tries != 2 || p.told("r1.fired") != 1 || p.told("r2.fired") != 1 {
		t.Errorf("told again: %d tries", tries)
	}
}

// TestWebhookIsSpelledInAnyWay: schemes and hosts have no case.
func TestWebhookIsSpelledInAnyWay(t *testing.T) {
	asked := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "https://")
	p := newPlatform(t, func(o *Options) {
		o.Client, o.Secrets = server.Client(), map[string]string{host: hookSecret}
	})
	err := p.deliver.post(t.Context(), &nhip.ReminderWebhook{URL: "HTTPS://" + host}, nhip.ReminderNotification{})
	if err != nil || asked != 1 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

// TestPointlessWebhookIsGivenUp has a server that fails until the reminder has expired.
func TestPointlessWebhookIsGivenUp(t *testing.T) {
	h := startHook(t, 1_000_000)
	p := newPlatform(t, func(o *Options) {
		o.Secrets, o.Client = map[string]string{h.host(): hookSecret}, h.Client()
	})
	p.run(t)
	p.fired(t, "r1", &nhip.ReminderWebhook{URL: h.URL})
	awaittest.True(t, "tried", func() bool { tries, _, _ := h.state(); return tries > 0 })
	p.clock.set(noon.Add(time.Hour - time.Second))
	if p.delivered("r1") {
		t.Error("given up early")
	}
	p.clock.set(noon.Add(time.Hour + time.Second))
	awaittest.True(t, "it is removed", func() bool { return len(p.store.List(nhip.DocumentReminder)) == 0 })
}

// TestWebhooksReachNoStranger: hosts that the operator has not named, redirects, and internal addresses.
func TestWebhooksReachNoStranger(t *testing.T) {
	asked := false
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer inside.Close()
	redirects := httptest.NewTLSServer(http.RedirectHandler(inside.URL, http.StatusTemporaryRedirect))
	defer redirects.Close()
	host := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "https://") }
	guarded, err := notify.NewWebhookClient(outbound.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	follows := redirects.Client()
	follows.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // as in app
	for name, c := range map[string]struct {
		client *http.Client
		hosts  []string
		url    string
	}{
		"a host that is not named":      {inside.Client(), []string{"push.example"}, inside.URL},
		"http":                          {inside.Client(), []string{host(inside)}, "http://" + host(inside)},
		"a redirect":                    {follows, []string{host(redirects)}, redirects.URL},
		"an internal address":           {guarded, []string{host(inside)}, inside.URL},
		"a name of an internal address": {guarded, []string{"localhost"}, "https://localhost"},
	} {
		p := newPlatform(t, func(o *Options) {
			o.Client, o.Secrets = c.client, make(map[string]string)
			for _, h := range c.hosts {
				o.Secrets[h] = hookSecret
			}
		})
		if err := p.deliver.post(t.Context(), &nhip.ReminderWebhook{URL: c.url}, nhip.ReminderNotification{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if asked {
		t.Error("an internal server was asked")
	}
}

// TestOneCollectorDecides: the one that has been connected for the longest time, then the one with the least id, once all
// retained messages are there.
func TestOneCollectorDecides(t *testing.T) {
	connected := time.UnixMilli(1000)
	l := newLeader("b")
	l.connected(connected)
	for _, step := range []struct {
		name, collector, census string
		leads                   bool
	}{
		{"before the retained messages are there", "b", `{"since_ms":1000}`, false},
		{"alone", "", "", true},
		{"beside one that was away", "a", `{"since_ms":1001}`, true},
		{"beside one with the same time and a later id", "c", `{"since_ms":1000}`, true},
		{"beside one with the same time and an earlier id", "a", `{"since_ms":1000}`, false},
		{"after that one is gone", "a", "", true},
		{"beside one that was there before", "c", `{"since_ms":999}`, false},
		{"beside one that tells no time", "c", `{}`, false},
		{"after all are gone", "c", "", true},
	} {
		if step.collector != "" {
			l.receive(step.collector, []byte(step.census))
		}
		if l.leads() != step.leads {
			t.Errorf("%s: decides %t", step.name, !step.leads)
		}
		l.retainedReceived()
	}
	l.connected(connected.Add(time.Second))
	if l.leads() {
		t.Error("on a new connection")
	}
	l.receive("b", []byte(`{"since_ms":1000}`)) // of the connection before
	l.receive("c", []byte(`{"since_ms":1500}`))
	l.retainedReceived()
	if l.leads() {
		t.Error("back beside one that stayed")
	}
}

// TestWaitsWhileAnotherDecides: what another collector has fired is not fired again, but delivered once it is gone.
func TestWaitsWhileAnotherDecides(t *testing.T) {
	p := newPlatform(t, func(o *Options) { o.Collector = "b" })
	p.Census("b", []byte("{}"))
	p.run(t)
	p.fired(t, "r1", nil)
	awaittest.True(t, "it is known", func() bool { return len(p.book.undelivered()) == 1 })
	if p.told("r1.fired") > 0 {
		t.Error("delivered beside another collector")
	}
	p.Census("a", nil)
	awaittest.True(t, "delivered after it is gone", func() bool { return p.delivered("r1") })
}

// TestWrittenAlertsCount: published ones of dispatchers, until they end.
func TestWrittenAlertsCount(t *testing.T) {
	const about = `"severity":"SEVERE","header":{"vi":"Tắc đường","en":"Jam"},"informed":[{"route":"32"}],` +
		`"periods":[{"from":"2026-03-02T00:00:00Z","to":"2026-03-03T00:00:00Z"}]}`
	var documents []nhip.DocumentState
	for id, body := range map[string]string{
		"a": `{"status":"published",` + about, "b": `{"status":"draft",` + about,
		"c": `{"status":"published","ended":"2026-03-02T11:00:00Z",` + about, "d": `[]`,
	} {
		documents = append(documents, nhip.DocumentState{ID: id, Body: json.RawMessage(body)})
	}
	all := written(documents, noon)
	if len(all) != 1 || all[0].ID != "a" || !all[0].ActiveAt(noon) || all[0].Informed[0].Route != "32" ||
		all[0].Header[0].Text != "Tắc đường" {
		t.Errorf("%+v", all)
	}
}

// TestNotificationsFit: the longest texts, as JSON, fit into a notification.
func TestNotificationsFit(t *testing.T) {
	long := strings.Repeat(`"`, 256)
	n := nhip.ReminderNotification{
		ID: long, Event: long, Stop: long, StopName: long, Line: long, Headsign: long, Agency: long, Vehicle: long,
		Alert: long + long, Device: strings.Repeat("x", 512), Title: long, Body: long,
	}
	if size := len(encodeNotification(n)); size > nhip.MaxNotification {
		t.Errorf("%d bytes", size)
	}
}
