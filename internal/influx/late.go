package influx

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/pause"
)

// reopenEvery is the pause between two tries to open a bucket whose InfluxDB is away.
const reopenEvery = 2 * time.Second

// Late is a bucket that opens as soon as InfluxDB answers, for roles that have work to do before it
// does. Until then everything is nhip.Unavailable.
type Late struct {
	db     atomic.Pointer[DB]
	why    atomic.Pointer[error] // what the last try met
	cancel context.CancelFunc
	done   chan struct{}
}

// OpenLate tries once, and when InfluxDB is away or busy goes on trying until Close. ctx bounds the
// first try. What waiting can't cure (a wrong token, say) is an error.
func OpenLate(ctx context.Context, o Options) (*Late, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	l := &Late{done: make(chan struct{})}
	err := l.open(ctx, o)
	if nhip.ErrorCode(err) == nhip.Invalid {
		return nil, err
	}
	own, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go func() {
		defer close(l.done)
		if err != nil {
			o.Logger.Warn("InfluxDB is away; it is tried again and again", "url", o.URL, "error", err)
			l.keepTrying(own, o)
		}
	}()
	return l, nil
}

func (l *Late) open(ctx context.Context, o Options) error {
	db, err := Open(ctx, o)
	if err != nil {
		l.why.Store(&err)
		return err
	}
	l.db.Store(db)
	return nil
}

// keepTrying ends with ctx or a bucket. What it meets is logged once as long as it stays the same.
func (l *Late) keepTrying(ctx context.Context, o Options) {
	for pause.For(ctx, reopenEvery) {
		before := (*l.why.Load()).Error()
		err := l.open(ctx, o)
		if err == nil {
			o.Logger.Info("InfluxDB is there", "url", o.URL)
			return
		}
		if ctx.Err() == nil && err.Error() != before {
			o.Logger.Warn("InfluxDB can't be opened yet", "url", o.URL, "error", err)
		}
	}
}

// Close gives the connections back.
func (l *Late) Close() {
	l.cancel()
	<-l.done
	if db := l.db.Load(); db != nil {
		db.Close()
	}
}

// get returns the bucket, or why there is none yet.
func (l *Late) get() (*DB, error) {
	if db := l.db.Load(); db != nil {
		return db, nil
	}
	return nil, *l.why.Load()
}

// Write is DB.Write.
func (l *Late) Write(ctx context.Context, lines []byte) error {
	db, err := l.get()
	if err != nil {
		return &WriteError{Kind: Retry, Err: err}
	}
	return db.Write(ctx, lines)
}

// Fleet is DB.Fleet.
func (l *Late) Fleet(ctx context.Context, from, to time.Time, yield func(nhip.Position) error) error {
	db, err := l.get()
	if err != nil {
		return unavailable(err)
	}
	return db.Fleet(ctx, from, to, yield)
}

// Arrivals is DB.Arrivals.
func (l *Late) Arrivals(ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error) error {
	db, err := l.get()
	if err != nil {
		return err
	}
	return db.Arrivals(ctx, from, to, yield)
}

// Readings is DB.Readings.
func (l *Late) Readings(ctx context.Context, q ReadingQuery, yield func(nhip.Judged) error) error {
	db, err := l.get()
	if err != nil {
		return unavailable(err)
	}
	return db.Readings(ctx, q, yield)
}

// Rollups is DB.Rollups.
func (l *Late) Rollups(ctx context.Context, q RollupQuery, yield func(Rolled) error) error {
	db, err := l.get()
	if err != nil {
		return unavailable(err)
	}
	return db.Rollups(ctx, q, yield)
}

// Oldest is DB.Oldest.
func (l *Late) Oldest(ctx context.Context, measurement string, until time.Time) (time.Time, bool, error) {
	db, err := l.get()
	if err != nil {
		return time.Time{}, false, unavailable(err)
	}
	return db.Oldest(ctx, measurement, until)
}

// Count is DB.Count.
func (l *Late) Count(ctx context.Context, measurement string, from, to time.Time) (int, error) {
	db, err := l.get()
	if err != nil {
		return 0, unavailable(err)
	}
	return db.Count(ctx, measurement, from, to)
}

// Delete is DB.Delete.
func (l *Late) Delete(ctx context.Context, measurement string, until time.Time) error {
	db, err := l.get()
	if err != nil {
		return unavailable(err)
	}
	return db.Delete(ctx, measurement, until)
}

// Said is DB.Said.
func (l *Late) Said(ctx context.Context, station string, quantity nhip.Quantity, at time.Time) ([]Said, error) {
	db, err := l.get()
	if err != nil {
		return nil, unavailable(err)
	}
	return db.Said(ctx, station, quantity, at)
}

// Reviews is DB.Reviews.
func (l *Late) Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error) {
	db, err := l.get()
	if err != nil {
		return nil, unavailable(err)
	}
	return db.Reviews(ctx, station, until)
}

// Tallies is DB.Tallies.
func (l *Late) Tallies(ctx context.Context, device string, from, to time.Time) (map[TallyKey]Tally, error) {
	db, err := l.get()
	if err != nil {
		return nil, unavailable(err)
	}
	return db.Tallies(ctx, device, from, to)
}

// Ping is DB.Ping.
func (l *Late) Ping(ctx context.Context) error {
	db, err := l.get()
	if err != nil {
		return unavailable(err)
	}
	return db.Ping(ctx)
}

// unavailable keeps an error that is one already. A fault that only shows once InfluxDB answers (a
// wrong token) is no fault of whoever asks.
func unavailable(err error) error {
	var known *nhip.Error
	if errors.As(err, &known) && known.Code == nhip.Unavailable {
		return err
	}
	return nhip.Errorf(nhip.Unavailable, "", "%v", err)
}
