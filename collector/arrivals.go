package collector

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/pause"
)

// Bounds of arrivals on their way. They are made of positions, which are in the journal and can be
// followed again; so what does not fit while the database is away is left out, and counted.
const (
	arrivalsWaiting = 100_000
	arrivalsAtOnce  = 2_000
	arrivalsLinger  = time.Second
)

// arrivalPost brings arrivals to the database and to whoever listens.
type arrivalPost struct {
	store   Store
	queue   chan nhip.Arrival // to the database
	tell    chan nhip.Arrival // to the broker
	log     *slog.Logger
	metrics *metrics
}

func newArrivalPost(store Store, log *slog.Logger, m *metrics) *arrivalPost {
	return &arrivalPost{
		store: store, queue: make(chan nhip.Arrival, arrivalsWaiting), tell: make(chan nhip.Arrival, maxAnnouncements), log: log, metrics: m,
	}
}

// put never waits.
func (a *arrivalPost) put(x nhip.Arrival) {
	a.metrics.arrivals.Inc()
	select {
	case a.queue <- x:
	default:
		a.metrics.arrivalsLost.WithLabelValues("database").Inc()
	}
	select {
	case a.tell <- x:
	default:
		a.metrics.arrivalsLost.WithLabelValues("broker").Inc()
	}
}

// run writes arrivals until ctx ends; what waits then is tried once more.
func (a *arrivalPost) run(ctx context.Context) {
	var lines []byte
	n := 0
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), arrivalsLinger)
			defer cancel()
			for len(a.queue) > 0 {
				x := <-a.queue
				lines, n = influx.AppendArrival(lines, &x), n+1
			}
			if n > 0 && a.store.Write(last, lines) != nil {
				a.metrics.arrivalsLost.WithLabelValues("database").Add(float64(n))
			}
			return
		case x := <-a.queue:
			lines, n = influx.AppendArrival(lines, &x), n+1
			if n < arrivalsAtOnce && (len(a.queue) > 0 || pause.For(ctx, arrivalsLinger) && len(a.queue) > 0) {
				continue
			}
			if ctx.Err() != nil {
				continue
			}
			a.write(ctx, lines, n)
			lines, n = lines[:0], 0
		}
	}
}

// write tries until the database takes them, refuses them, or ctx ends.
func (a *arrivalPost) write(ctx context.Context, lines []byte, n int) {
	for {
		err := a.store.Write(ctx, lines)
		var known *influx.WriteError
		switch {
		case err == nil:
			return
		case errors.As(err, &known) && known.Kind != influx.Retry:
			a.log.Error("the database refuses arrivals", "rows", n, "error", err)
			a.metrics.arrivalsLost.WithLabelValues("database").Add(float64(n))
			return
		case !pause.For(ctx, diskRetry):
			a.metrics.arrivalsLost.WithLabelValues("database").Add(float64(n))
			return
		}
	}
}
