package air

import (
	"context"
	"slices"
	"time"

	"nhip"
	"nhip/internal/wait"
)

// Timing of deliveries.
const (
	deliverPoll    = time.Second
	deliverTimeout = 20 * time.Second
	minRetry       = 5 * time.Second
	maxRetry       = 10 * time.Minute
	giveUpAfter    = 24 * time.Hour // an alert of the day before helps nobody
)

// RunDeliveries delivers alerts to their recipients until ctx ends, and returns its error. It retries failed
// deliveries. A recipient can recognize a repeated delivery by the id and the time of the alert.
func (p *Processor) RunDeliveries(ctx context.Context) error {
	deliverers := make(map[string]Deliverer)
	for _, d := range p.o.Deliverers {
		deliverers[d.Name()] = d
	}
	for wait.Sleep(ctx, deliverPoll) == nil {
		for _, d := range p.dueDeliveries(time.Now()) {
			to := deliverers[d.To]
			if to == nil {
				p.recordAttempt(&d, nil) // the recipient is not configured any more
				continue
			}
			err := p.deliver(ctx, to, &d.Alert)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			p.recordAttempt(&d, err)
		}
	}
	return ctx.Err()
}

func (p *Processor) deliver(ctx context.Context, to Deliverer, a *nhip.Alert) error {
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	return to.Deliver(ctx, a, p.describe(a.Station))
}

// dueDeliveries returns the first pending delivery of each recipient, if it is due. So every recipient gets its alerts
// in order.
func (p *Processor) dueDeliveries(now time.Time) []delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	var due []delivery
	seen := make(map[string]bool)
	for _, d := range p.alerts.Deliveries {
		if !seen[d.To] && !d.Next.After(now) {
			due = append(due, d)
		}
		seen[d.To] = true
	}
	return due
}

// recordAttempt removes a delivery after success or after giveUpAfter, and otherwise schedules the next attempt.
func (p *Processor) recordAttempt(d *delivery, err error) {
	p.mu.Lock()
	if i := slices.IndexFunc(p.alerts.Deliveries, d.same); i >= 0 {
		x := &p.alerts.Deliveries[i]
		x.Tries++
		if err == nil || time.Since(x.Made) > giveUpAfter {
			p.alerts.Deliveries = slices.Delete(p.alerts.Deliveries, i, i+1)
		} else {
			x.Next = time.Now().Add(min(minRetry<<min(x.Tries-1, 10), maxRetry))
		}
	}
	p.alerts.dirty = true
	p.mu.Unlock()
	if err != nil {
		p.metrics.undelivered.WithLabelValues(d.To).Inc()
		p.log.Warn("can't deliver an alert; delivery is retried", "to", d.To, "alert", d.Alert.ID, "error", err)
		return
	}
	if err := p.saveAlerts(); err != nil {
		p.log.Error("can't save that an alert is delivered; it may be delivered again", "error", err)
	}
}

// same reports whether two deliveries are of the same change of an alert to the same recipient.
func (d *delivery) same(o delivery) bool {
	return o.To == d.To && o.Alert.ID == d.Alert.ID && o.Alert.Time.Equal(d.Alert.Time) &&
		o.Alert.Grade == d.Alert.Grade
}
