package collector

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/deadletter"
	"nhip/collector/ledger"
	"nhip/collector/record"
	"nhip/internal/influx"
	"nhip/internal/topics"

	"github.com/cespare/xxhash/v2"
)

// entry is what rows add to the ledger.
type entry struct {
	device string
	hour   int64 // Unix hours
	class  rowClass
	code   nhip.Code // reason of rejected rows
	rows   int64
}

// rowClass is the result of classifying a row.
type rowClass int

const (
	queued rowClass = iota
	duplicate
	rejected
	lost
)

type seriesKey struct {
	quantity nhip.Quantity
	period   time.Duration
}

func (e *entry) addTo(tx *ledger.Tx) {
	c := tx.Counts(e.device, e.hour)
	c.Received += e.rows
	switch e.class {
	case queued:
		c.Queued += e.rows
	case duplicate:
		c.Duplicate += e.rows
	case rejected:
		c.Reject(e.code, e.rows)
	case lost:
		c.Queued += e.rows
		c.Lost += e.rows
	}
}

// takeMissing takes the records into the batch that the reader skipped after the last one.
func (d *deduplicator) takeMissing() {
	if at := d.reader.Position(); at > d.batch.last {
		d.missing(d.batch.last+1, at)
		d.batch.last = at
	}
}

// missing counts records that the intake does not have. Those that a ledger has covered are not lost. Rows of others
// may be in the outbox, if that is ahead of the ledger; they are counted as received.
func (d *deduplicator) missing(from, to uint64) {
	if from = max(from, d.processed+1); from > to {
		return
	}
	found := map[uint64]bool{}
	if from <= d.enqueued {
		err := eachOutboxRecord(d.outbox, 1, d.outbox.LastSeq(), func(_ uint64, rec *outboxRecord) {
			for _, row := range rec.rows {
				if row.seq >= from && row.seq <= to {
					found[row.seq] = true
					d.count(rec.devices[row.device], row.hour, queued)
				}
			}
		})
		if err != nil {
			d.log.Error("can't read the outbox; rows in it may be counted as lost, too", "error", err)
		}
	}
	n := int64(to+1-from) - int64(len(found))
	if n == 0 {
		return
	}
	d.losses.loseIntake(from, to, n)
	d.batch.entries = append(d.batch.entries,
		entry{device: nhip.LostDevice, hour: hourOf(d.clock.Now().UnixMilli()), class: lost, rows: n})
}

// classifyRecord adds one intake record to the batch. An unreadable record becomes a dead letter, and so does one at
// which a panic occurs.
func (d *deduplicator) classifyRecord(seq uint64, raw []byte) {
	if seq > d.batch.last+1 {
		d.missing(d.batch.last+1, seq-1)
	}
	d.batch.last = seq
	d.batch.outcome.Reset()
	entries, letters, replays := len(d.batch.entries), len(d.batch.letters), len(d.batch.replays)
	defer d.guard.Recover(partDeduplicator, func() {
		d.batch.letters, d.batch.replays = d.batch.letters[:letters], d.batch.replays[:replays]
		d.rejectRest(seq, raw, d.batch.entries[entries:])
	})
	d.classifyRows(seq, raw)
}

// partDeduplicator is the part of nhip_panics_total for the deduplicator.
const partDeduplicator = "deduplicator"

// rejectRest rejects the rows of a record that were not counted before a panic. The dead letter has the whole record.
func (d *deduplicator) rejectRest(seq uint64, raw []byte, counted []entry) {
	o := &d.batch.outcome
	rows := int64(len(o.Facts.Positions) + len(o.Facts.Readings) + len(o.Facts.UserActions) + o.Facts.Service.Changes())
	for i := range o.Rejections {
		rows += int64(o.Rejections[i].Rows)
	}
	for i := range counted {
		rows -= counted[i].rows
	}
	if len(counted) == 0 {
		rows = max(rows, 1) // the record may not have been read
	}
	if rows <= 0 {
		d.log.Error("dead letters of a journal record lost after a panic", "seq", seq)
		return
	}
	rest := record.Outcome{Received: o.Received, Topic: o.Topic, Payload: raw}
	if rest.Received.IsZero() {
		rest.Received = d.clock.Now().UTC()
	}
	device := deviceOf(o)
	err := nhip.Errorf(nhip.CodeInternal, "", "the deduplicator failed on it; this is a fault of nhip")
	for range rows {
		rest.Reject(err, record.RowRef{Device: device})
	}
	d.metrics.rejected.WithLabelValues(string(nhip.CodeInternal)).Inc()
	d.log.Error("journal record stored as a dead letter after a panic", "seq", seq, "rows", rows)
	d.batch.entries = append(d.batch.entries, entry{
		device: device, hour: hourOf(rest.Received.UnixMilli()), class: rejected, code: nhip.CodeInternal, rows: rows,
	})
	d.batch.letters = append(d.batch.letters, deadletter.FromOutcome(&rest, seq)...)
}

// deviceOf returns the device of a record's first fact, in the ledger, or else that of its topic: records of facts
// alone have none.
func deviceOf(o *record.Outcome) string {
	switch {
	case o.Topic != "":
	case len(o.Facts.Positions) > 0:
		return topics.BusDevice(o.Facts.Positions[0].Agency, o.Facts.Positions[0].Vehicle)
	case len(o.Facts.Readings) > 0:
		return topics.AirDevice(o.Facts.Readings[0].Station)
	case o.Facts.Service != nil:
		return topics.ServiceDevice(o.Facts.Service.Feed)
	}
	return record.TopicDevice(o.Topic)
}

func (d *deduplicator) classifyRows(seq uint64, raw []byte) {
	o := &d.batch.outcome
	if err := record.Read(raw, o); err != nil {
		d.log.Error("unreadable journal record stored as a dead letter", "seq", seq, "error", err)
		d.metrics.rejected.WithLabelValues(string(nhip.CodeInternal)).Inc()
		o.Reset()
		o.Received, o.Payload = time.Now().UTC(), raw
		o.Reject(nhip.Errorf(nhip.CodeInternal, "", "%v", err), o.TopicRow())
	}
	for i := range o.Facts.Positions {
		d.addPosition(seq, &o.Facts.Positions[i], o.PositionHashes[i])
	}
	for i := range o.Facts.Readings {
		d.addReading(seq, &o.Facts.Readings[i], o.ReadingHashes[i])
	}
	for i := range o.Facts.UserActions {
		d.addUserAction(seq, &o.Facts.UserActions[i], o.UserActionHashes[i])
	}
	if o.Facts.Service != nil {
		d.addService(seq, o.Facts.Service)
	}
	for i := range o.Rejections {
		d.addRejection(&o.Rejections[i])
	}
	if o.Resubmission != nil {
		d.addResubmission(seq, o)
	}
	d.batch.letters = append(d.batch.letters, deadletter.FromOutcome(o, seq)...)
	d.batch.replays = append(d.batch.replays, deadletter.ReplaysOf(o, d.clock.Now())...)
}

// resubmitted is the series of rows that are written again. It is in ledgers on disk and must not change.
const resubmitted = "resubmitted"

// addResubmission queues a row that the database refused before. A letter that was replayed already is a duplicate: its
// row is in the database, or in another letter.
func (d *deduplicator) addResubmission(seq uint64, o *record.Outcome) {
	r := o.Resubmission
	ms, _ := parseRow(r.Line)
	f := ledger.Fact{
		Device: r.Device, Series: resubmitted, Time: ms, Print: xxhash.Sum64String(strings.Join(o.ReplayOf, " ")),
	}
	if outcome, _ := d.ledger.Classify(&f); outcome == ledger.Duplicate {
		d.metrics.duplicates.Inc()
		d.count(r.Device, r.Hour, duplicate)
		return
	}
	d.addRow(seq, r.Device, r.Hour, r.Revised, func(dst []byte) []byte { return append(append(dst, r.Line...), '\n') })
	d.count(r.Device, r.Hour, queued)
}

func (d *deduplicator) addPosition(seq uint64, p *nhip.Position, hash uint64) {
	f := ledger.Fact{
		Device: topics.BusDevice(p.Agency, p.Vehicle), Series: p.Event, Time: p.Time.UnixMilli(), Print: hash,
	}
	d.adjustUndated(&f, undatedPositionPeriod)
	received := d.batch.outcome.Received
	d.classify(seq, &f, mayBeRevised, func(dst []byte, revision int) []byte {
		return influx.AppendPositionRow(dst, p, received, influx.PositionRow{
			Revision: revision, UnknownRoute: p.Route != "" && !d.routes.tagged(f.Device, p.Route),
		})
	})
}

// undatedPositionPeriod is the reporting period of vehicles without a clock, whose devices report every 10 to 30 s.
const undatedPositionPeriod = 10 * time.Second

func (d *deduplicator) addReading(seq uint64, r *nhip.Reading, hash uint64) {
	f := ledger.Fact{
		Device: topics.AirDevice(r.Station), Series: d.seriesOf(r), Time: r.Time.UnixMilli(), Print: hash,
	}
	d.adjustUndated(&f, r.Period)
	received := d.batch.outcome.Received
	isNew := d.classify(seq, &f, mayBeRevised, func(dst []byte, revision int) []byte {
		if revision > 0 {
			return influx.AppendReadingRevision(dst, r, received, revision)
		}
		return influx.AppendReading(dst, r, received)
	})
	if isNew {
		d.batch.readings = append(d.batch.readings, *r)
	}
}

// seriesOf returns the name of a reading's series, as in "pm25/1h".
func (d *deduplicator) seriesOf(r *nhip.Reading) string {
	key := seriesKey{r.Quantity, r.Period}
	name, ok := d.series[key]
	if !ok {
		name = seriesName(r)
		d.series[key] = name
	}
	return name
}

// adjustUndated changes a fact of a device without a clock so that equal payloads within three quarters of a reporting
// period count as one fact. The last quarter allows for a device that reports early, because a measured value may well
// be the same as one period ago.
func (d *deduplicator) adjustUndated(f *ledger.Fact, period time.Duration) {
	if o := &d.batch.outcome; o.Facts.Undated {
		f.Print, f.Within = o.PayloadHash, period-period/4
	}
}

// revisability says what another content for the same fact is.
type revisability bool

const (
	mayBeRevised revisability = true  // a revision, which is stored beside the first
	neverRevised revisability = false // a duplicate: the first content stays
)

// classify compares a fact with the ledger, counts it and adds its row unless it is a duplicate. It reports whether
// the fact is new. line encodes the row; a revision has a number from 1 on.
func (d *deduplicator) classify(
	seq uint64, f *ledger.Fact, r revisability, line func(dst []byte, revision int) []byte,
) (isNew bool) {
	hour := hourOf(f.Time)
	outcome, n := d.ledger.Classify(f)
	if outcome == ledger.Revised && r == neverRevised {
		outcome = ledger.Duplicate
	}
	switch outcome {
	case ledger.Duplicate:
		d.metrics.duplicates.Inc()
		d.count(f.Device, hour, duplicate)
	case ledger.TooMany:
		d.rejectStuckClock(f.Device, hour)
	default:
		if outcome == ledger.Revised {
			d.metrics.revisions.Inc()
		}
		d.addRow(seq, f.Device, hour, outcome == ledger.Revised, func(dst []byte) []byte { return line(dst, n) })
		d.count(f.Device, hour, queued) // last: a row at which a panic occurs is not queued
	}
	return outcome == ledger.New
}

// addRow adds a row to the outbox record, unless the outbox has contained it since before the start.
func (d *deduplicator) addRow(seq uint64, device string, hour int64, revised bool, line func(dst []byte) []byte) {
	if seq <= d.enqueued {
		return
	}
	rec := d.batch.record
	rec.lines = line(rec.lines)
	rec.add(seq, device, hour, revised)
}

func (d *deduplicator) count(device string, hour int64, class rowClass) {
	d.batch.entries = append(d.batch.entries, entry{device: device, hour: hour, class: class, rows: 1})
}

// rejectStuckClock rejects a row whose device has sent too many revisions of one moment, as a device with a stuck
// clock does. There is no dead letter, because the payload of accepted facts is not kept.
func (d *deduplicator) rejectStuckClock(device string, hour int64) {
	d.metrics.rejected.WithLabelValues(string(nhip.CodeStuckClock)).Inc()
	d.batch.entries = append(d.batch.entries,
		entry{device: device, hour: hour, class: rejected, code: nhip.CodeStuckClock, rows: 1})
}

func (d *deduplicator) addRejection(r *record.Rejection) {
	o := &d.batch.outcome
	at := r.Time
	if at.IsZero() {
		at = o.Received
	}
	device := r.Device
	if device == "" { // in journals of older versions
		device = record.TopicDevice(o.Topic)
	}
	d.batch.entries = append(d.batch.entries, entry{
		device: device, hour: hourOf(at.UnixMilli()), class: rejected, code: r.Err.Code, rows: int64(r.Rows),
	})
}
