package collector

import (
	"time"

	"nhip"
	"nhip/collector/ledger"
	"nhip/internal/influx"
	"nhip/internal/mqtt"
)

// entry is what a row adds to the ledger.
type entry struct {
	device string
	hour   int64
	verdict
	code nhip.Code // of turnedAway
	rows int64
}

// verdict is what becomes of rows.
type verdict int

const (
	queued verdict = iota
	duplicate
	turnedAway
)

type seriesKey struct {
	quantity nhip.Quantity
	period   time.Duration
}

func (e *entry) addTo(tx *ledger.Tx) {
	c := tx.Counts(e.device, e.hour)
	c.Received += e.rows
	switch e.verdict {
	case queued:
		c.Queued += e.rows
	case duplicate:
		c.Duplicate += e.rows
	case turnedAway:
		c.Reject(e.code, e.rows)
	}
}

// judge takes one record of the intake into the parcel. One that can't be read becomes a dead letter.
func (k *clerk) judge(seq uint64, record []byte) {
	k.last = seq
	o := &k.outcome
	if err := readRecord(record, o); err != nil {
		k.log.Error("a journal record can't be read; it is kept among the dead letters", "seq", seq, "error", err)
		k.metrics.rejected.WithLabelValues(string(nhip.Internal)).Inc()
		o.reset()
		o.received, o.payload = time.Now().UTC(), record
		o.reject(nhip.Errorf(nhip.Internal, "", "%v", err), o.topicRow())
	}
	for i := range o.facts.Positions {
		k.position(seq, &o.facts.Positions[i], o.positionPrints[i])
	}
	for i := range o.facts.Readings {
		k.reading(seq, &o.facts.Readings[i], o.readingPrints[i])
	}
	for i := range o.facts.Sayings {
		k.saying(seq, &o.facts.Sayings[i], o.sayingPrints[i])
	}
	for i := range o.rejections {
		k.rejection(&o.rejections[i])
	}
	if r := o.resubmit; r != nil {
		k.note(r.device, r.hour, queued)
		k.put(seq, r.device, r.hour, r.revised, func(dst []byte) []byte { return append(append(dst, r.line...), '\n') })
	}
	k.letters = append(k.letters, o.letters(seq)...)
	k.notes = append(k.notes, o.notes(k.clock.Now())...)
}

// position judges a position and puts it into the parcel where it is new.
func (k *clerk) position(seq uint64, p *nhip.Position, print uint64) {
	f := ledger.Fact{Device: mqtt.BusDevice(p.Agency, p.Vehicle), Series: p.Event, Time: p.Time.UnixMilli(), Print: print}
	k.undated(&f, undatedFix)
	received := k.outcome.received
	k.weigh(seq, &f, func(dst []byte, revision int) []byte {
		if revision > 0 {
			return influx.AppendPositionRevision(dst, p, received, revision)
		}
		return influx.AppendPosition(dst, p, received)
	})
}

// undatedFix is the reporting period of a vehicle without a clock: boxes report each 10 to 30 s.
const undatedFix = 10 * time.Second

func (k *clerk) reading(seq uint64, r *nhip.Reading, print uint64) {
	f := ledger.Fact{Device: mqtt.AirDevice(r.Station), Series: k.seriesOf(r), Time: r.Time.UnixMilli(), Print: print}
	k.undated(&f, r.Period)
	received := k.outcome.received
	isNew := k.weigh(seq, &f, func(dst []byte, revision int) []byte {
		if revision > 0 {
			return influx.AppendReadingRevision(dst, r, received, revision)
		}
		return influx.AppendReading(dst, r, received)
	})
	if isNew {
		k.readings = append(k.readings, *r)
	}
}

// saying judges what a person said. Its id and its time are its identity, so a second one is the first again.
func (k *clerk) saying(seq uint64, s *nhip.Saying, print uint64) {
	f := ledger.Fact{Device: mqtt.SayDevice(s.Kind()), Series: s.ID(), Time: s.When().UnixMilli(), Print: print}
	received := k.outcome.received
	isNew := k.weigh(seq, &f, func(dst []byte, _ int) []byte {
		if s.Ack != nil {
			return influx.AppendAck(dst, s.Ack, received)
		}
		return influx.AppendReview(dst, s.Review, received)
	})
	if isNew {
		k.sayings = append(k.sayings, *s)
	}
}

// seriesOf names what a reading is one of, as in "pm25/1h".
func (k *clerk) seriesOf(r *nhip.Reading) string {
	key := seriesKey{r.Quantity, r.Period}
	name, ok := k.series[key]
	if !ok {
		name = string(r.Quantity) + "/" + nhip.FormatPeriod(r.Period)
		k.series[key] = name
	}
	return name
}

// undated turns a fact into one of a device without a clock, where it is: the same payload within a
// reporting period is the same fact. A quarter of the period is left to a box that reports early, for
// the air may well be the same as a period ago.
func (k *clerk) undated(f *ledger.Fact, period time.Duration) {
	if k.outcome.facts.Undated {
		f.Print, f.Within = k.outcome.saidAs, period-period/4
	}
}

// weigh asks the book about a fact, and tells whether it was never said. line writes it; a revision has a number.
func (k *clerk) weigh(seq uint64, f *ledger.Fact, line func(dst []byte, revision int) []byte) (isNew bool) {
	hour := hourOf(f.Time)
	v, n := k.book.Judge(f)
	switch v {
	case ledger.Duplicate:
		k.metrics.duplicates.Inc()
		k.note(f.Device, hour, duplicate)
	case ledger.TooMany:
		k.tooMany(f.Device, hour)
	default:
		if v == ledger.Revised {
			k.metrics.revisions.Inc()
		}
		k.note(f.Device, hour, queued)
		k.put(seq, f.Device, hour, v == ledger.Revised, func(dst []byte) []byte { return line(dst, n) })
	}
	return v == ledger.New
}

// put writes a row into the parcel, unless it is in the outbox since a former life.
func (k *clerk) put(seq uint64, device string, hour int64, revised bool, line func(dst []byte) []byte) {
	if seq <= k.shipped {
		return
	}
	k.parcel.lines = line(k.parcel.lines)
	k.parcel.add(seq, device, hour, revised)
}

func (k *clerk) note(device string, hour int64, v verdict) {
	k.entries = append(k.entries, entry{device: device, hour: hour, verdict: v, rows: 1})
}

// tooMany turns a row away because its device has said too many things of one moment, as a clock that
// stands still makes it do. There is no payload to keep any more.
func (k *clerk) tooMany(device string, hour int64) {
	k.metrics.rejected.WithLabelValues(string(nhip.StuckClock)).Inc()
	k.entries = append(k.entries, entry{device: device, hour: hour, verdict: turnedAway, code: nhip.StuckClock, rows: 1})
}

func (k *clerk) rejection(r *rejection) {
	o := &k.outcome
	at := r.time
	if at.IsZero() {
		at = o.received
	}
	device := r.device
	if device == "" { // of a journal that an older version wrote
		device = topicDevice(o.topic)
	}
	k.entries = append(k.entries, entry{
		device: device, hour: hourOf(at.UnixMilli()), verdict: turnedAway, code: r.err.Code, rows: int64(r.rows),
	})
}

// hourOf returns the Unix hour of a time in ms.
func hourOf(ms int64) int64 {
	const hour = int64(time.Hour / time.Millisecond)
	if ms < 0 {
		return (ms+1)/hour - 1
	}
	return ms / hour
}
