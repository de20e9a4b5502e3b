package collector

import (
	"sync"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/live"
	"nhip/collector/record"
)

// maxRecord is the maximum length of an intake record, in bytes. Most of it is for the trip updates of a large city,
// whose feed is about as long.
const maxRecord = 3 << 20

// scratch is the reusable memory of one Accept.
type scratch struct {
	outcome record.Outcome
	record  []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Accept decodes and checks a message, writes the outcome to the journal and calls done once that is on disk. The
// outcome contains the valid facts, and the payload if anything was rejected. Accept may be called from any goroutine;
// the messages of one device must come from one goroutine to keep their order.
func (c *Collector) Accept(m nhip.Message, done func(error)) { c.accept(m, nil, done) }

// accept is Accept. checked, if it is set, is called with the outcome before that is written.
func (c *Collector) accept(m nhip.Message, checked func(*record.Outcome), done func(error)) {
	c.beginClock()
	w := scratches.Get().(*scratch)
	o := &w.outcome
	c.evaluate(m, o)
	c.budget.apply(&m, c.feedOf(m.Topic), o)
	if len(o.Rejections) > 0 {
		o.DroppedBefore, o.LetterDropped = c.sampler.Sample(m.Sender(), len(m.Payload), time.Now())
	}
	if checked != nil {
		checked(o)
	}
	c.append(w, done)
	scratches.Put(w)
}

// append writes an outcome to the journal. The live state and the metrics change once it is on disk.
func (c *Collector) append(w *scratch, done func(error)) {
	o := &w.outcome
	w.record = record.Append(w.record[:0], o)
	if len(w.record) > maxRecord {
		rejectOversized(o, len(w.record))
		w.record = record.Append(w.record[:0], o)
	}
	counts := countsOf(o)
	changes := c.changes(o)
	c.intake.Append(w.record, func(seq uint64, err error) {
		if err == nil {
			c.metrics.count(counts)
			c.apply(seq, changes)
		}
		done(err)
	})
}

// noteDropped counts and logs a field that was dropped from a row.
func (c *Collector) noteDropped(topic, row string, field *nhip.Error) {
	c.metrics.dropped.WithLabelValues(field.Field).Inc()
	if c.dropLog.Allow() {
		c.log.Warn("invalid field dropped; its row is accepted", "topic", topic,
			"error", decode.InRow(row, field))
	}
}

// partLive is the part of nhip_panics_total for the live state.
const partLive = "live"

// changes returns the changes of the live state. A panic costs them, but not the message, which is stored.
func (c *Collector) changes(o *record.Outcome) (changes []live.Change) {
	defer c.guard.Recover(partLive, nil)
	return c.state.Changes(o)
}

// apply applies changes to the live state, in the goroutine that writes the journal for all.
func (c *Collector) apply(seq uint64, changes []live.Change) {
	defer c.guard.Recover(partLive, nil)
	c.state.Apply(seq, changes)
}

// rejectOversized rejects a whole message because its record would exceed maxRecord. An error instead would make the
// sender redeliver it for ever. The payload is cut so that the record is certain to fit.
func rejectOversized(o *record.Outcome, size int) {
	o.Facts.Reset()
	o.Rejections = o.Rejections[:0]
	o.Payload = o.Payload[:min(len(o.Payload), maxRecord/2)]
	err := nhip.Errorf(nhip.CodeOutOfRange, "", "makes a record of %d bytes; the maximum is %d", size, maxRecord)
	o.Reject(err, o.TopicRow())
}

// latencies returns how late positions may arrive and still be live, by agency: the longest declared by a feed.
func latencies(feeds []decode.Feed) map[string]time.Duration {
	byAgency := make(map[string]time.Duration)
	for _, f := range feeds {
		byAgency[f.Agency] = max(byAgency[f.Agency], f.Latency)
	}
	return byAgency
}
