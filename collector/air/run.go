package air

import (
	"cmp"
	"context"
	"errors"
	"time"

	"nhip/geo/qc"
	"nhip/geo/rollup"
	"nhip/internal/task"
	"nhip/internal/wait"
)

// New restores the state of a Processor. It starts to work with Run.
func New(o Options) (*Processor, error) {
	p := &Processor{
		o: o, log: o.Logger.With("component", "air"), rules: o.Rules, completeness: o.Completeness,
		wakeRecent: make(chan struct{}, 1), wakeDatabase: make(chan struct{}, 1), wakeCompare: make(chan struct{}, 1),
		stations: make(map[string]*station), lastRecord: o.LastRecord, reviews: make(map[string]*station),
		pause: comparisonPause,
	}
	if p.rules == nil {
		p.rules = qc.NewRules()
	}
	if p.completeness == 0 {
		p.completeness = rollup.DefaultCompleteness
	}
	if p.o.Zone == nil {
		p.o.Zone = time.UTC
	}
	p.metrics = newMetrics(o.Registry, p.o.Zone, p.completeness, p.totalRemaining)
	if err := p.restore(); err != nil {
		return nil, err
	}
	p.restoreAlerts()
	p.endRemovedRules()
	return p, p.restoreReviews()
}

// Run processes readings until ctx ends, and returns its error. Errors of the database are logged and retried.
func (p *Processor) Run(ctx context.Context) error {
	g := task.NewGroup()
	g.Go("database", p.runDatabase)
	c := newComparer(p)
	g.Go("comparison", func(ctx context.Context) error {
		return repeat(ctx, p.wakeCompare, func() { c.run(ctx) })
	})
	_ = repeat(ctx, p.wakeRecent, p.processRecent)
	err := g.Stop(context.WithoutCancel(ctx))
	p.finish(ctx)
	return cmp.Or(ctx.Err(), err)
}

// repeat calls do after each signal and at least each tickEvery, until ctx ends.
func repeat(ctx context.Context, signal <-chan struct{}, do func()) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		do()
		select {
		case <-ctx.Done():
		case <-signal:
		case <-tick.C:
		}
	}
	return ctx.Err()
}

// runDatabase does what needs the database until ctx ends. It works on as long as there is work, and pauses after an
// error.
func (p *Processor) runDatabase(ctx context.Context) error {
	return repeat(ctx, p.wakeDatabase, func() {
		for more := true; more && ctx.Err() == nil; more = p.hasWork() {
			if err := p.guardedStep(ctx); err != nil && ctx.Err() == nil {
				p.logRetry(err)
				_ = wait.Sleep(ctx, retryAfter)
				return
			}
		}
	})
}

// finish processes what arrived last, and writes it if the database takes it within tickEvery.
func (p *Processor) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tickEvery)
	defer cancel()
	p.processRecent()
	if !p.o.Stored(p.o.LastRecord) {
		return
	}
	if err := p.flush(ctx); err != nil && ctx.Err() == nil {
		p.logRetry(err)
	}
}

// errPanicked is the outcome of work that a panic has ended.
var errPanicked = errors.New("processing of readings failed; this is a fault of nhip")

// guardedStep is step, whose panic is an error.
func (p *Processor) guardedStep(ctx context.Context) (err error) {
	defer p.o.Guard.Recover(partAir, func() { err = errPanicked })
	return p.step(ctx)
}

// step does the work that needs the database: it loads stations, writes results, and processes one chunk of old
// hours and one month. The error is one of the database.
func (p *Processor) step(ctx context.Context) error {
	if !p.o.Stored(p.o.LastRecord) {
		return nil // rows from before the start are missing in the database
	}
	if err := p.recoverReviews(ctx); err != nil {
		return err
	}
	if err := p.load(ctx); err != nil {
		return err
	}
	for _, do := range []func(context.Context) error{p.flush, p.backfill, p.flush, p.sumPeriods, p.flush} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// hasWork reports whether step has something to do now.
func (p *Processor) hasWork() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.o.Stored(p.o.LastRecord) {
		return false
	}
	first, recent := p.windowHour(), p.recentHour()
	for _, s := range p.stations {
		unloaded := !s.loading && s.last >= first
		backfill := len(s.dirty.within(0, recent)) > 0 && p.o.Stored(p.lastRecord)
		if unloaded || backfill || p.hasDuePeriod(s) {
			return true
		}
	}
	return false
}

// logRetry logs an error of the database, at most once in logEvery.
func (p *Processor) logRetry(err error) {
	if errors.Is(err, context.Canceled) || time.Since(p.lastLogged) < logEvery {
		return
	}
	p.lastLogged = time.Now()
	p.log.Warn("database unavailable; processing of readings is retried", "error", err)
}
