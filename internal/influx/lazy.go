package influx

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/task"
	"nhip/internal/wait"
)

// Delays between two attempts to open a bucket: the first, and the longest.
const (
	firstReopen = 100 * time.Millisecond
	lastReopen  = 2 * time.Second
)

// LazyDB is a bucket that is opened as soon as InfluxDB answers, for roles that can work before that. Until then
// every method returns an error with the code Unavailable.
type LazyDB struct {
	History // of the bucket

	o       Options
	db      atomic.Pointer[DB]
	lastErr atomic.Pointer[error] // of the last attempt to open the bucket
	group   *task.Group           // retries to open the bucket
}

// NewLazy returns a bucket that is opened by Open or OpenAfter. The error means that the options are invalid.
func NewLazy(o Options) (*LazyDB, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	l := &LazyDB{o: o, group: task.NewGroup()}
	l.History = History{l}
	var err error = nhip.Errorf(nhip.CodeUnavailable, "", "InfluxDB at %s is not open yet", o.URL)
	l.lastErr.Store(&err)
	return l, nil
}

// OpenLazy is NewLazy and Open.
func OpenLazy(ctx context.Context, o Options) (*LazyDB, error) {
	l, err := NewLazy(o)
	if err != nil {
		return nil, err
	}
	if err := l.Open(ctx); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Open tries to open the bucket. If InfluxDB is unavailable or busy, it retries in the background until Close. ctx
// bounds the first attempt. Open returns an error for wrong options, such as a wrong token, which a retry does not
// help.
func (l *LazyDB) Open(ctx context.Context) error {
	err := l.open(ctx)
	if nhip.ErrorCode(err) == nhip.CodeInvalid {
		return err
	}
	if err != nil {
		l.o.Logger.Warn("InfluxDB is unavailable; retrying", "url", l.o.URL, "error", err)
		l.group.Go("open InfluxDB", l.retryOpen)
	}
	return nil
}

// OpenAfter opens the bucket in the background once await has returned nil, for a database that is being started.
func (l *LazyDB) OpenAfter(await func(ctx context.Context) error) {
	l.group.Go("open InfluxDB", func(ctx context.Context) error {
		if err := await(ctx); err != nil {
			return ctx.Err()
		}
		return l.retryOpen(ctx)
	})
}

func (l *LazyDB) open(ctx context.Context) error {
	db, err := Open(ctx, l.o)
	if err != nil {
		l.lastErr.Store(&err)
		return err
	}
	l.db.Store(db)
	return nil
}

// retryOpen tries to open the bucket until it succeeds or ctx ends. It logs an error only if it differs from the one
// before.
func (l *LazyDB) retryOpen(ctx context.Context) error {
	for delay := firstReopen; ; delay = min(2*delay, lastReopen) {
		if err := wait.Sleep(ctx, delay); err != nil {
			return err
		}
		before := (*l.lastErr.Load()).Error()
		err := l.open(ctx)
		if err == nil {
			l.o.Logger.Info("InfluxDB is available", "url", l.o.URL)
			return nil
		}
		if ctx.Err() == nil && err.Error() != before {
			l.o.Logger.Warn("InfluxDB bucket can't be opened; retrying", "url", l.o.URL, "error", err)
		}
	}
}

// Close stops the attempts to open the bucket and closes it.
func (l *LazyDB) Close() {
	_ = l.group.Stop(context.Background()) // retryOpen returns no error but its context's
	if db := l.db.Load(); db != nil {
		db.Close()
	}
}

// get returns the bucket, or the error of the last attempt to open it.
func (l *LazyDB) get() (*DB, error) {
	if db := l.db.Load(); db != nil {
		return db, nil
	}
	return nil, *l.lastErr.Load()
}

// Write calls DB.Write.
func (l *LazyDB) Write(ctx context.Context, lines []byte) error {
	db, err := l.get()
	if err != nil {
		return &WriteError{Kind: Retry, Err: err}
	}
	return db.Write(ctx, lines)
}

// Select calls DB.Select.
func (l *LazyDB) Select(ctx context.Context, s *Selection, yield func(*Row) error) error {
	db, err := l.get()
	if err != nil {
		return unavailable(err)
	}
	return db.Select(ctx, s, yield)
}

// Expiry calls DB.Expiry.
func (l *LazyDB) Expiry(ctx context.Context) (time.Duration, error) {
	db, err := l.get()
	if err != nil {
		return 0, unavailable(err)
	}
	return db.Expiry(ctx)
}

// Delete calls DB.Delete.
func (l *LazyDB) Delete(ctx context.Context, measurement string, until time.Time) error {
	db, err := l.get()
	if err != nil {
		return unavailable(err)
	}
	return db.Delete(ctx, measurement, until)
}

// Stations calls DB.Stations.
func (l *LazyDB) Stations(ctx context.Context) ([]string, error) {
	db, err := l.get()
	if err != nil {
		return nil, unavailable(err)
	}
	return db.Stations(ctx)
}

// Ping calls DB.Ping.
func (l *LazyDB) Ping(ctx context.Context) error {
	db, err := l.get()
	if err != nil {
		return unavailable(err)
	}
	return db.Ping(ctx)
}

// unavailable returns err with the code Unavailable. An error that only appears once InfluxDB answers, such as a
// wrong token, is not the fault of the caller and must not have the code Invalid.
func unavailable(err error) error {
	var known *nhip.Error
	if errors.As(err, &known) && known.Code == nhip.CodeUnavailable {
		return err
	}
	return nhip.Errorf(nhip.CodeUnavailable, "", "%v", err)
}
