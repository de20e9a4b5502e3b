package open311

import (
	"context"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/reports"
	"nhip/internal/wait"
)

// Retention deletes what is no longer needed: what names senders, some time after their reports, and closed reports a
// year after their last change, which then are in the audit log only. Each api does it: a repeated deletion changes
// nothing.
type Retention struct {
	Reports     *reports.State
	Store       Store
	Clock       nhip.Clock
	KeepContact time.Duration
	Ready       func() bool // the state is complete, and the collectors can be reached
	Failed      func(report string, err error)
}

const (
	keepClosed = 366 * 24 * time.Hour

	// With more reports than crowded there would soon be no room for new ones.
	crowded     = nhip.MaxReports * 9 / 10
	keepCrowded = 30 * 24 * time.Hour

	sweepEvery = time.Minute // by the machine's clock
	maxSweep   = 100         // deletions at a time
)

// retainer makes the changes of Retention.
var retainer = access.Caller{Name: "retention", Key: "retention", Role: nhip.RoleAdmin}

// Run deletes until ctx ends, and returns its error.
func (t *Retention) Run(ctx context.Context) error {
	for {
		if t.Ready() {
			t.sweep(ctx)
		}
		if err := wait.Sleep(ctx, sweepEvery); err != nil {
			return err
		}
	}
}

// sweep deletes what is too old now.
func (t *Retention) sweep(ctx context.Context) {
	now := t.Clock.Now()
	old := t.Reports.OldContacts(func(c *nhip.ReportContact) bool {
		return t.KeepContact > 0 && now.Sub(c.Received) > t.KeepContact
	})
	for _, id := range old[:min(len(old), maxSweep)] {
		if err := t.Store.SetContact(ctx, id, nil, retainer); err != nil {
			t.Failed(id, err)
			return
		}
	}
	keep := keepClosed
	if n, _ := t.Reports.Len(); n > crowded {
		keep = keepCrowded
	}
	closed := t.Reports.OldReports(func(r *nhip.CitizenReport) bool {
		return r.Status == nhip.ReportClosed && now.Sub(r.Updated) > keep
	})
	for _, id := range closed[:min(len(closed), maxSweep)] {
		if err := t.Store.RemoveReport(ctx, id, retainer); err != nil {
			t.Failed(id, err)
			return
		}
	}
}
