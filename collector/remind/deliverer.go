package remind

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"nhip"
	georemind "nhip/geo/remind"
	"nhip/internal/notify"
	"nhip/internal/outbound"
	"nhip/internal/topics"
)

// Bounds of deliveries, by the machine's clock.
const (
	maxDeliveries = 64 // at a time
	maxPerHost    = 16
	updateEvery   = 15 * time.Second // between two updates of a reminder
	hookTimeout   = 10 * time.Second
	firstRetry    = time.Second
	maxRetry      = time.Minute
)

// pointlessAfter is how long after the late end of its range, by the platform's clock, a bus is surely gone.
const pointlessAfter = 2 * time.Minute

// deliverer tells what has become of reminders: over MQTT, and to web hooks. A delivery that a kill interrupts is
// repeated with the same event.
type deliverer struct {
	*Decider

	tasks sync.WaitGroup

	mu    sync.Mutex
	busy  map[string]*attempts // by reminder
	hosts map[string]int       // requests at a time, by host
	now   int                  // deliveries at a time
}

// attempts are the deliveries of one outcome.
type attempts struct {
	event     string
	running   bool
	published bool
	settled   bool // delivered or given up
	tries     int
	next      time.Time
}

func newDeliverer(d *Decider) *deliverer {
	return &deliverer{Decider: d, busy: make(map[string]*attempts), hosts: make(map[string]int)}
}

// wait returns once nothing is being delivered.
func (d *deliverer) wait() { d.tasks.Wait() }

// start delivers the outcomes that are due, each in a goroutine of its own, within the bounds. It forgets the reminders
// that are not among the undelivered any more.
func (d *deliverer) start(ctx context.Context, undelivered []*entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := make(map[string]bool, len(undelivered))
	for _, e := range undelivered {
		known[e.id] = true
		a := d.busy[e.id]
		if a == nil || a.event != e.Outcome.Event {
			a = &attempts{event: e.Outcome.Event}
			d.busy[e.id] = a
		}
		host := hostOf(e.Webhook)
		if a.running || time.Now().Before(a.next) || d.now >= maxDeliveries || d.hosts[host] >= maxPerHost {
			continue
		}
		a.running = true
		d.now++
		d.hosts[host]++
		d.tasks.Go(func() {
			defer d.o.Guard.Recover("reminders", nil)
			defer d.done(a, host)
			d.attempt(ctx, e, a)
		})
	}
	for id, a := range d.busy {
		if known[id] || a.running {
			continue
		}
		if !a.settled && a.tries > 0 { // it has expired, or was removed
			d.metrics.webhooks.WithLabelValues(hookGivenUp).Inc()
		}
		delete(d.busy, id)
	}
}

func (d *deliverer) done(a *attempts, host string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a.running = false
	d.now--
	if d.hosts[host]--; d.hosts[host] <= 0 {
		delete(d.hosts, host)
	}
}

// attempt delivers an outcome once, and notes in its document that nothing is left to deliver, or when to try again.
func (d *deliverer) attempt(ctx context.Context, e *entry, a *attempts) {
	again := func() {
		a.next = time.Now().Add(min(firstRetry<<min(a.tries, 10), maxRetry))
		a.tries++
	}
	if !d.book.current(e) {
		return
	}
	if !a.published {
		if !d.o.Publish(ctx, topics.NotificationTopic(e.id), encodeNotification(*e.Outcome)) {
			again()
			return
		}
		a.published = true
	}
	switch err := d.post(ctx, e.Webhook, *e.Outcome); {
	case e.Webhook == nil:
	case err == nil:
		d.metrics.webhooks.WithLabelValues(hookDelivered).Inc()
	case ctx.Err() != nil:
		return
	case pointless(e, d.o.Clock.Now()):
		d.metrics.webhooks.WithLabelValues(hookGivenUp).Inc()
		d.log.Warn("web hook of a reminder given up", "host", hostOf(e.Webhook), "tries", a.tries+1, "error", err)
	default:
		d.metrics.webhooks.WithLabelValues(hookRetried).Inc()
		again()
		return
	}
	a.settled = true
	r := e.Reminder
	r.Delivered = true
	a.next = time.Now().Add(sendAgain) // the change may be lost
	d.send(ctx, e, &r)
}

// pointless reports whether nobody needs the outcome of a reminder any more.
func pointless(e *entry, now time.Time) bool {
	if late := e.Outcome.Late; !late.IsZero() && now.After(late.Add(pointlessAfter)) {
		return true
	}
	return !now.Before(e.Expires)
}

// update tells a change of what a reminder waits for. It is not journaled: the next one replaces it.
func (d *deliverer) update(ctx context.Context, e *entry, x *georemind.Decision, now time.Time) {
	n := x.Notification
	minutes, known := n.Minutes.Get()
	if !e.Updates || !known || minutes == e.minutes && n.Vehicle == e.vehicle || time.Since(e.told) < updateEvery {
		return
	}
	n.ID, n.Event = e.id, fmt.Sprintf("%s.%d", e.id, now.UnixMilli())
	host := hostOf(e.Webhook)
	d.mu.Lock()
	full := d.now >= maxDeliveries || d.hosts[host] >= maxPerHost
	if !full {
		d.now++
		d.hosts[host]++
	}
	d.mu.Unlock()
	if full {
		return // the next round tries again
	}
	e.told, e.minutes, e.vehicle = time.Now(), minutes, n.Vehicle
	hook := e.Webhook
	d.tasks.Go(func() {
		defer d.o.Guard.Recover("reminders", nil)
		defer d.done(new(attempts), host)
		d.o.Publish(ctx, topics.NotificationTopic(n.ID), encodeNotification(n))
		if hook != nil && d.post(ctx, hook, n) != nil {
			d.metrics.webhooks.WithLabelValues(hookDropped).Inc()
		}
	})
}

// post sends a notification to a web hook; nil is none. Its host must still be one that the operator allows.
func (d *deliverer) post(ctx context.Context, hook *nhip.ReminderWebhook, n nhip.ReminderNotification) error {
	if hook == nil {
		return nil
	}
	secret, allowed := d.o.Secrets[hostOf(hook)]
	if u, err := url.Parse(hook.URL); !allowed || d.o.Client == nil || err != nil || u.Scheme != "https" {
		return fmt.Errorf("%s is not a host in reminders.webhooks", hostOf(hook))
	}
	n.Device = hook.Device
	body := encodeNotification(n)
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return outbound.Redact(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Nhip-Event", n.Event)
	req.Header.Set("Nhip-Signature", notify.Sign(secret, time.Now(), body))
	resp, err := d.o.Client.Do(req)
	if err != nil {
		return outbound.Redact(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be reused
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the web hook answered %s", resp.Status)
	}
	return nil
}

// hostOf returns the host of a web hook with its port, as reminders.webhooks names it; "" without one.
func hostOf(hook *nhip.ReminderWebhook) string {
	if hook == nil {
		return ""
	}
	u, err := url.Parse(hook.URL)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// encodeNotification encodes a notification in at most nhip.MaxNotification bytes: names that are too long as JSON are
// left out.
func encodeNotification(n nhip.ReminderNotification) []byte {
	raw := marshal(n)
	if len(raw) > nhip.MaxNotification {
		n.StopName, n.Headsign, n.Body = "", "", ""
		raw = marshal(n)
	}
	if len(raw) > nhip.MaxNotification {
		n.Stop, n.Alert = "", ""
		raw = marshal(n)
	}
	return raw
}

// marshal encodes a notification, which holds only texts, numbers and times.
func marshal(n nhip.ReminderNotification) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(n); err != nil {
		panic("a notification can't be encoded: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
