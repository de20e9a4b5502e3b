package air

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/task"

	"github.com/google/go-cmp/cmp"
)

// recipient is a Deliverer that stores alerts, or fails.
type recipient struct {
	mu        sync.Mutex
	failing   bool
	delivered []nhip.Alert
}

func (r *recipient) Name() string { return "recipient" }

func (r *recipient) Deliver(_ context.Context, a *nhip.Alert, _ *nhip.Station) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failing {
		return errors.New("recipient unavailable")
	}
	r.delivered = append(r.delivered, *a)
	return nil
}

func (r *recipient) grades() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []int
	for _, a := range r.delivered {
		out = append(out, a.Grade)
	}
	return out
}

func testAlerts(t *testing.T, db *influx.DB) {
	to := &recipient{failing: true}
	h := &harness{
		db: db, dir: t.TempDir(), clock: &manualClock{t: noon}, updates: make(map[string]LiveUpdate),
		deliver: []Deliverer{to},
		rules: []alert.Rule{
			{Name: "dust", Measure: "pm25", Thresholds: [3]float64{50, math.NaN(), 150}, Hysteresis: 5},
			{Name: "silent", Measure: alert.MeasureSilent, Thresholds: [3]float64{math.NaN(), math.NaN(), 180}},
		},
	}
	h.start(t)
	h.store(t, series("hn-01", nhip.PM25, time.Hour, noon, 60)...)
	h.waitIdle(t)
	awaittest.True(t, "alert open", func() bool { return len(h.OpenAlerts()) == 1 })
	id := h.OpenAlerts()[0].ID
	// After a restart the alert is not raised again, and its delivery is retried.
	h.stop()
	h.start(t)
	h.waitIdle(t)
	h.Ack(nhip.Ack{Alert: id, By: "Lan", Time: noon})
	to.mu.Lock()
	to.failing = false
	to.mu.Unlock()
	g := task.NewGroup()
	g.Go("deliveries", h.RunDeliveries)
	t.Cleanup(func() { _ = g.Stop(context.Background()) })
	awaittest.True(t, "alert delivered", func() bool { return len(to.grades()) == 1 })
	awaittest.True(t, "alert acknowledged", func() bool { return h.OpenAlerts()[0].AckBy == "Lan" })
	h.clock.set(noon.Add(time.Hour))
	h.store(t, series("hn-01", nhip.PM25, time.Hour, noon.Add(time.Hour), 170)...)
	awaittest.True(t, "grade 3", func() bool { return h.OpenAlerts()[0].Grade == 3 && h.OpenAlerts()[0].ID == id })
	h.clock.set(noon.Add(2 * time.Hour))
	h.store(t, series("hn-01", nhip.PM25, time.Hour, noon.Add(2*time.Hour), 20)...)
	awaittest.True(t, "alert ended", func() bool { return len(h.OpenAlerts()) == 0 })
	h.clock.set(noon.Add(6 * time.Hour))
	awaittest.True(t, "alert about silence", func() bool {
		open := h.OpenAlerts()
		return len(open) == 1 && open[0].Rule == "silent"
	})
	awaittest.True(t, "each change delivered once", func() bool { return cmp.Equal(to.grades(), []int{1, 3, 0, 3}) })
}
