package influx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"nhip"
	"nhip/internal/wait"

	"golang.org/x/time/rate"
)

// CopyOptions select what Copy copies.
type CopyOptions struct {
	From, To Options
	Progress string             // path of the file that remembers what has been copied
	Since    time.Time          // only spans that end later; zero: all
	Rate     int                // rows a second; 0: no limit
	Notify   func(CopyProgress) // called after each span; may be nil
}

// CopyProgress is how far a copy is.
type CopyProgress struct {
	Measurement string
	End         time.Time // of the span that was copied last
	Read        int64     // rows of the source
	Written     int64     // rows that the copy did not have or that have changed
	Deleted     int       // spans that were deleted in the copy, because the source lacks rows of them now
}

// Copy copies every row of a bucket to another one, in spans of an hour or a day of a measurement, and compares each
// span with what the other bucket then holds. A span that an earlier run copied, and whose rows have not changed since,
// is read and not written. Rows that the source has lost since are deleted in the copy. Copy can be interrupted at any
// time and run again. It refuses to delete rows of the copy that it has not written.
func Copy(ctx context.Context, o CopyOptions) (CopyProgress, error) {
	c := &copier{o: o, limit: rate.NewLimiter(rate.Inf, copyBatch)}
	if o.Rate > 0 {
		c.limit = rate.NewLimiter(rate.Limit(o.Rate), max(copyBatch, o.Rate))
	}
	defer c.close()
	err := c.run(ctx)
	if ctx.Err() != nil {
		err = ctx.Err() // whatever it has interrupted
	}
	return c.done, err
}

// copyBatch is how many rows are written at once.
const copyBatch = 5000

// copier copies a bucket.
type copier struct {
	o        CopyOptions
	from, to *DB
	progress *copyProgress
	limit    *rate.Limiter
	done     CopyProgress
}

func (c *copier) run(ctx context.Context) error {
	if err := c.open(ctx); err != nil {
		return err
	}
	var names []string
	err := c.patiently(ctx, func() (err error) {
		names, err = c.from.measurements(ctx)
		return c.from.explain(err)
	})
	if err != nil {
		return err
	}
	for _, name := range c.progress.withMeasurements(names) {
		if err := c.measurement(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (c *copier) open(ctx context.Context) error {
	if c.o.From.URL == c.o.To.URL && c.o.From.Bucket == c.o.To.Bucket && c.o.From.Org == c.o.To.Org {
		return nhip.Errorf(nhip.CodeInvalid, "To", "must be another bucket than the one that is copied")
	}
	var err error
	if c.from, err = openToCopy(ctx, c.o.From); err != nil {
		return err
	}
	if c.to, err = openToCopy(ctx, c.o.To); err != nil {
		return err
	}
	c.progress, err = openCopyProgress(c.o.Progress, c.from.opts, c.to.opts)
	return err
}

func openToCopy(ctx context.Context, o Options) (*DB, error) {
	o.precision, o.Registerer = time.Nanosecond, nil
	return Open(ctx, o)
}

func (c *copier) close() {
	for _, db := range []*DB{c.from, c.to} {
		if db != nil {
			db.Close()
		}
	}
	if c.progress != nil {
		_ = c.progress.close() // every record is synced already
	}
}

// copySpan is a part of a measurement.
type copySpan struct {
	measurement string
	begin, end  time.Time // inclusive, exclusive
}

// Spans are aligned, so that every run has the same ones.
const (
	shortSpan = time.Hour
	longSpan  = 24 * time.Hour
)

// spanAt returns the span of a measurement that contains a time. A city's positions of an hour are a million rows.
func spanAt(measurement string, at time.Time) copySpan {
	length := longSpan
	if measurement == PositionMeasurement || measurement == PositionRevision {
		length = shortSpan
	}
	begin := at.Truncate(length)
	return copySpan{measurement, begin, begin.Add(length)}
}

// measurement copies the spans that have rows, or had rows when they were copied before.
func (c *copier) measurement(ctx context.Context, name string) error {
	fields := make(fieldTypes)
	for _, db := range []*DB{c.from, c.to} { // one of them may not have the measurement yet, or any more
		if err := c.patiently(ctx, func() error { return db.explain(db.fieldTypes(ctx, name, fields)) }); err != nil {
			return err
		}
	}
	if err := c.patiently(ctx, func() error { return c.from.explain(c.from.checkTimes(ctx, name)) }); err != nil {
		return err
	}
	at := epoch
	if !c.o.Since.IsZero() {
		at = spanAt(name, c.o.Since).begin
	}
	for {
		var first time.Time
		var ok bool
		err := c.patiently(ctx, func() (err error) {
			first, ok, err = c.next(ctx, name, at)
			return err
		})
		if err != nil || !ok {
			return err
		}
		span := spanAt(name, first)
		if err := c.patiently(ctx, func() error { return c.span(ctx, span, fields) }); err != nil {
			return fmt.Errorf("from %s: %w", span.begin.Format(time.RFC3339), err)
		}
		at = span.end
	}
}

// next returns the time of the first row at or after a time, of those that the source has and those that were copied.
func (c *copier) next(ctx context.Context, measurement string, at time.Time) (time.Time, bool, error) {
	copied, known := c.progress.next(measurement, at)
	first, ok, err := c.from.firstRow(ctx, measurement, at)
	if err != nil {
		return time.Time{}, false, c.from.explain(err)
	}
	if known && (!ok || copied.Before(first)) {
		return copied, true, nil
	}
	return first, ok, nil
}

// span copies a span unless it is in the copy already.
func (c *copier) span(ctx context.Context, s copySpan, fields fieldTypes) error {
	before, known := c.progress.get(s)
	if known {
		now, err := c.read(ctx, c.from, s, fields, nil)
		if err != nil {
			return err
		}
		if now == before {
			return c.finish(s)
		}
	}
	ours := false // the copy has exactly what was written to it
	if known {
		there, err := c.read(ctx, c.to, s, fields, nil)
		if err != nil {
			return err
		}
		ours = there == before
	}
	want, same, err := c.write(ctx, s, fields)
	if err == nil && !same && ours {
		c.done.Deleted++
		if err = c.to.dialect.delete(ctx, s.measurement, s.begin, s.end.Add(-1)); err != nil {
			return c.to.explain(err)
		}
		want, same, err = c.write(ctx, s, fields)
	}
	if err != nil {
		return err
	}
	if !same {
		return nhip.Errorf(nhip.CodeInvalid, "", "the bucket at %s has other rows than those that were copied to it: use an "+
			"empty bucket, and stop whatever writes to it", c.to.opts.URL)
	}
	if err := c.progress.put(s, want); err != nil {
		return err
	}
	return c.finish(s)
}

func (c *copier) finish(s copySpan) error {
	c.done.Measurement, c.done.End = s.measurement, s.end
	if c.o.Notify != nil {
		c.o.Notify(c.done)
	}
	return nil
}

// write writes the rows of a span to the copy, and reports whether the copy then has exactly these.
func (c *copier) write(ctx context.Context, s copySpan, fields fieldTypes) (written digest, same bool, err error) {
	written, err = c.read(ctx, c.from, s, fields, func(lines []byte, rows int) error {
		c.done.Written += int64(rows)
		return c.store(ctx, lines)
	})
	if err != nil {
		return written, false, err
	}
	there, err := c.read(ctx, c.to, s, fields, nil)
	return written, there == written, err
}

// read reads a span in batches of lines, which sink gets unless it is nil, and returns the digest of its rows.
func (c *copier) read(
	ctx context.Context, db *DB, s copySpan, fields fieldTypes, sink func(lines []byte, rows int) error,
) (digest, error) {
	var sum digest
	var batch []byte
	rows := 0
	flush := func() error {
		if rows == 0 {
			return nil
		}
		if db == c.from {
			c.done.Read += int64(rows)
		}
		if err := c.limit.WaitN(ctx, rows); err != nil {
			return err
		}
		if sink != nil {
			if err := sink(batch, rows); err != nil {
				return err
			}
		}
		batch, rows = batch[:0], 0
		return nil
	}
	err := db.lines(ctx, s, fields, func(line []byte) error {
		sum.add(line)
		batch = append(batch, line...)
		if rows++; rows < copyBatch {
			return nil
		}
		return flush()
	})
	return sum, errors.Join(err, flush())
}

// Attempts to write a batch or to copy a span, and the delays between two.
const (
	copyAttempts   = 12
	firstCopyRetry = 100 * time.Millisecond
	lastCopyRetry  = 10 * time.Second
)

// store writes lines, and tries again while InfluxDB is unavailable or busy.
func (c *copier) store(ctx context.Context, lines []byte) error {
	return c.patiently(ctx, func() error { return c.to.Write(ctx, lines) })
}

// patiently runs f again while it fails because an InfluxDB is unavailable or busy.
func (c *copier) patiently(ctx context.Context, f func() error) error {
	delay := firstCopyRetry
	for attempt := 1; ; attempt++ {
		err := f()
		var failed *WriteError
		isWrite := errors.As(err, &failed)
		again := isWrite && failed.Kind == Retry || !isWrite && nhip.ErrorCode(err) == nhip.CodeUnavailable
		if err == nil || !again || attempt == copyAttempts {
			return err
		}
		pause := delay
		if isWrite {
			pause = max(delay, failed.RetryAfter)
		}
		if err := wait.Sleep(ctx, pause); err != nil {
			return err
		}
		delay = min(2*delay, lastCopyRetry)
	}
}

// measurements returns the names of the measurements of the bucket.
func (db *DB) measurements(ctx context.Context) ([]string, error) {
	var names []string
	err := db.each(ctx, "SHOW MEASUREMENTS", func(s *copySeries) error {
		for _, row := range s.Values {
			if name, ok := row[0].(string); ok {
				names = append(names, name)
			}
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}
