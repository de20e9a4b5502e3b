package collector

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/airgradient"
	"nhip/collector/decode/gtfsrt"
	"nhip/collector/decode/hfp"
	"nhip/collector/decode/position"
	"nhip/collector/decode/purpleair"
	"nhip/collector/decode/reading"
	"nhip/collector/decode/sensorcommunity"
	"nhip/collector/decode/stationfile"
	"nhip/collector/decode/tasmota"
	"nhip/collector/decode/ufms"
	"nhip/internal/mqtt"
)

// formats lists every decoder; a new format is one line here and a folder under decode.
func formats() []decode.Decoder {
	return []decode.Decoder{
		airgradient.Decoder,
		gtfsrt.Decoder,
		hfp.Decoder,
		position.Decoder,
		purpleair.Decoder,
		reading.Decoder,
		sensorcommunity.Decoder,
		stationfile.Decoder,
		tasmota.Decoder,
		ufms.Decoder,
	}
}

// Formats returns the names of the wire formats that feeds may name, sorted.
func Formats() []string {
	var names []string
	for _, d := range formats() {
		names = append(names, d.Format)
	}
	slices.Sort(names)
	return names
}

// feed is a configured feed with its decoder.
type feed struct {
	decode.Feed
	decoder decode.Decoder
	version string // "format/version"
}

func bindFeeds(feeds []decode.Feed) ([]feed, error) {
	var bound []feed
	for i, f := range feeds {
		at := slices.IndexFunc(formats(), func(d decode.Decoder) bool { return d.Format == f.Format })
		if at < 0 {
			return nil, fmt.Errorf("feeds[%d].format: %q is not one of %s", i, f.Format, strings.Join(Formats(), ", "))
		}
		if err := mqtt.CheckFilter(f.Topic); err != nil {
			return nil, fmt.Errorf("feeds[%d].%w", i, err)
		}
		d := formats()[at]
		bound = append(bound, feed{Feed: f, decoder: d, version: d.Format + "/" + strconv.Itoa(d.Version)})
	}
	return bound, nil
}

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
	o := &w.outcome
	c.read(m, o)
	w.record = appendRecord(w.record[:0], o)
	tally := o.tally()
	changed := c.city.changes(&o.facts)
	letters := announcements(o)
	c.journal.Append(w.record, func(seq uint64, err error) {
		if err == nil {
			c.metrics.count(tally)
			c.city.apply(seq, changed)
			c.out.announce(letters)
		}
		done(err)
	})
	scratches.Put(w)
}

// read fills o with what became of m.
func (c *Collector) read(m nhip.Message, o *outcome) {
	o.facts.Reset()
	*o = outcome{
		received: m.Received, topic: m.Topic, payload: m.Payload,
		facts: o.facts, rejections: o.rejections[:0],
	}
	f := c.feedOf(m.Topic)
	if f == nil {
		o.reject(nhip.Errorf(nhip.NoFeed, "topic", "no feed is configured for it"), 1)
		return
	}
	o.decoder = f.version
	in := decode.Input{Topic: m.Topic, Payload: m.Payload, Received: m.Received, Feed: &f.Feed, Reject: o.rejectRow}
	if err := f.decoder.Decode(in, &o.facts); err != nil {
		o.facts.Reset() // a decoder that fails may leave a part
		o.rejections = o.rejections[:0]
		o.reject(err, 1)
		return
	}
	c.validate(o)
}

func (c *Collector) feedOf(topic string) *feed {
	for i := range c.feeds {
		if mqtt.Match(c.feeds[i].Topic, topic) {
			return &c.feeds[i]
		}
	}
	return nil
}

// validate keeps the rows that pass and rejects the others: one broken sensor in a box does not
// cost the box its other values.
func (c *Collector) validate(o *outcome) {
	now := c.clock.Now()
	o.facts.Positions = slices.DeleteFunc(o.facts.Positions, func(p nhip.Position) bool {
		return o.reject(p.Validate(now), 1) || o.reject(fits("vehicle", mqtt.LiveBusTopic(p.Agency, p.Vehicle)), 1) || o.reject(c.real(p.Origin), 1)
	})
	o.facts.Readings = slices.DeleteFunc(o.facts.Readings, func(r nhip.Reading) bool {
		return o.reject(r.Validate(now), 1) || o.reject(fits("station", mqtt.LiveAirTopic(r.Station)), 1) ||
			o.reject(c.real(r.Origin), 1)
	})
}

// fits refuses an id that its live topic can't carry: escaped, it may be three times as long.
func fits(field, topic string) error {
	if len(topic) > mqtt.MaxTopic {
		return nhip.Errorf(nhip.OutOfRange, field, "makes a topic of %d bytes; at most %d are possible", len(topic), mqtt.MaxTopic)
	}
	return nil
}

// real refuses simulated facts where real ones are kept.
func (c *Collector) real(o nhip.Origin) error {
	if o == nhip.Simulated && !c.simulated {
		return nhip.Errorf(nhip.OutOfRange, "origin", "simulated facts are not taken in among real ones")
	}
	return nil
}

// rejectRow turns one row away that a decoder can't read.
func (o *outcome) rejectRow(fault error) { o.reject(fault, 1) }

// reject notes why rows are turned away and reports whether they are. Rows with one and the same
// fault (a message's time, say) share one rejection.
func (o *outcome) reject(err error, rows int) bool {
	if err == nil {
		return false
	}
	fault := nhip.Error{Code: nhip.Malformed, Rule: err.Error()}
	var known *nhip.Error
	if errors.As(err, &known) {
		fault = *known
	}
	for i := range o.rejections {
		if o.rejections[i].err == fault {
			o.rejections[i].rows += rows
			return true
		}
	}
	o.rejections = append(o.rejections, rejection{err: fault, rows: rows})
	return true
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
