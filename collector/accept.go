package collector

import (
	"sync"
	"time"

	"nhip"
	"nhip/collector/decode"
)

// maxRecord is the longest record of the intake journal, in bytes.
const maxRecord = 1 << 20

// scratch is what one Accept works with; it is used again to spare the garbage collector.
type scratch struct {
	outcome outcome
	record  []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// Accept decodes and checks a message, writes its outcome to the journal and calls done when that
// is on disk: the facts, or the payload with the reason it was turned away. It is safe from any
// goroutine; the messages of one device must come from one goroutine to keep their order.
func (c *Collector) Accept(m nhip.Message, done func(error)) {
	c.begin()
	w := scratches.Get().(*scratch)
	c.read(m, &w.outcome)
	if len(w.outcome.rejections) > 0 {
		w.outcome.skipped, w.outcome.unkept = c.sampler.sample(m.Sender(), len(m.Payload), time.Now())
	}
	c.record(w, done)
	scratches.Put(w)
}

// record writes an outcome to the journal. What it means for the live city waits for the disk, too.
func (c *Collector) record(w *scratch, done func(error)) {
	o := &w.outcome
	w.record = appendRecord(w.record[:0], o)
	if len(w.record) > maxRecord {
		o.tooBig(len(w.record))
		w.record = appendRecord(w.record[:0], o)
	}
	tally := o.tally()
	changed := c.city.changes(o)
	c.intake.Append(w.record, func(seq uint64, err error) {
		if err == nil {
			c.metrics.count(tally)
			c.city.apply(seq, changed)
		}
		done(err)
	})
}

// tooBig turns the whole message away: its record is longer than the journal takes. Refused for that
// alone it would come again for ever. So much of the payload is kept as is sure to fit.
func (o *outcome) tooBig(size int) {
	o.facts.Reset()
	o.rejections = o.rejections[:0]
	o.payload = o.payload[:min(len(o.payload), maxRecord/2)]
	o.reject(nhip.Errorf(nhip.OutOfRange, "", "makes a record of %d bytes; at most %d are possible", size, maxRecord), o.topicRow())
}

// latencies returns what the feeds declare, by agency: how late their positions may be and still
// count as live. Of several feeds of one agency the slowest counts.
func latencies(feeds []decode.Feed) map[string]time.Duration {
	byAgency := make(map[string]time.Duration)
	for _, f := range feeds {
		byAgency[f.Agency] = max(byAgency[f.Agency], f.Latency)
	}
	return byAgency
}
