package live

import (
	"context"
	"log/slog"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/wait"
)

// Bounds of the queued arrivals. Arrivals are derived from positions, which are journaled and can be tracked again:
// what exceeds the bounds during a database outage is dropped and counted.
const (
	arrivalQueue  = 100_000
	arrivalBatch  = 2_000
	arrivalLinger = time.Second // wait for more arrivals before a write
	writeRetry    = time.Second
)

// ArrivalWriter writes arrivals to the database and passes them to the Publisher.
type ArrivalWriter struct {
	store   Store
	queue   chan nhip.Arrival // for the database
	publish chan nhip.Arrival // for the Publisher
	listen  func(*nhip.Arrival)
	log     *slog.Logger
	metrics *Metrics
}

// Store is the database that arrivals are written to.
type Store interface {
	// Write stores rows of line protocol. An influx.WriteError describes a failure.
	Write(ctx context.Context, lines []byte) error
}

// NewArrivalWriter returns an ArrivalWriter whose Run is not called yet.
func NewArrivalWriter(store Store, log *slog.Logger, m *Metrics) *ArrivalWriter {
	return &ArrivalWriter{
		store: store, queue: make(chan nhip.Arrival, arrivalQueue), publish: make(chan nhip.Arrival, queueLength),
		log: log, metrics: m,
	}
}

// Listen calls f with each arrival. It must be called before the first one, and f must not block.
func (w *ArrivalWriter) Listen(f func(*nhip.Arrival)) { w.listen = f }

// put queues an arrival. It never blocks.
func (w *ArrivalWriter) put(a nhip.Arrival) {
	w.metrics.arrivals.Inc()
	if w.listen != nil {
		w.listen(&a)
	}
	w.enqueue(a)
	select {
	case w.publish <- a:
	default:
		w.metrics.arrivalsLost.WithLabelValues("broker").Inc()
	}
}

// putLate queues an arrival of the past for the database only: nobody waits for it. It never blocks.
func (w *ArrivalWriter) putLate(a nhip.Arrival) {
	w.metrics.arrivals.Inc()
	w.enqueue(a)
}

// enqueue queues an arrival for the database.
func (w *ArrivalWriter) enqueue(a nhip.Arrival) {
	select {
	case w.queue <- a:
	default:
		w.lost(1)
	}
}

func (w *ArrivalWriter) lost(rows int) {
	w.metrics.arrivalsLost.WithLabelValues("database").Add(float64(rows))
}

// Run writes arrivals until ctx ends. It then tries once to write those that are queued.
func (w *ArrivalWriter) Run(ctx context.Context) error {
	var lines []byte
	n := 0
	for {
		select {
		case <-ctx.Done():
			w.flush(ctx, lines, n)
			return ctx.Err()
		case a := <-w.queue:
			lines, n = influx.AppendArrival(lines, &a), n+1
			if n < arrivalBatch && w.more(ctx) || ctx.Err() != nil {
				continue
			}
			w.write(ctx, lines, n)
			lines, n = lines[:0], 0
		}
	}
}

// more reports whether an arrival is queued, now or after a moment.
func (w *ArrivalWriter) more(ctx context.Context) bool {
	return len(w.queue) > 0 || wait.Sleep(ctx, arrivalLinger) == nil && len(w.queue) > 0
}

// flush writes n encoded and all queued arrivals, once and with a time limit, after ctx has ended.
func (w *ArrivalWriter) flush(ctx context.Context, lines []byte, n int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), arrivalLinger)
	defer cancel()
	for len(w.queue) > 0 {
		a := <-w.queue
		lines, n = influx.AppendArrival(lines, &a), n+1
	}
	if n > 0 && w.store.Write(ctx, lines) != nil {
		w.lost(n)
	}
}

// write retries until the database accepts or rejects the rows, or ctx ends.
func (w *ArrivalWriter) write(ctx context.Context, lines []byte, n int) {
	for {
		refused, reason, err := influx.WriteDivided(ctx, lines, w.store.Write)
		switch {
		case err == nil:
			if refused > 0 {
				w.log.Error("arrivals rejected by the database", "rows", refused, "error", reason)
				w.lost(refused)
			}
			return
		case wait.Sleep(ctx, writeRetry) != nil:
			w.lost(n)
			return
		}
	}
}
