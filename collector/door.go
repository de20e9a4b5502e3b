package collector

import (
	"errors"
	"log/slog"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/mqtt"

	"github.com/cespare/xxhash/v2"
)

// door is what stands between a message and the journal: which decoder reads it, and the checks.
type door struct {
	feeds     []feed
	clock     nhip.Clock
	late      time.Duration // how old facts may be
	simulated bool          // simulated facts are taken in
	log       *slog.Logger
}

// Decoded is what a message says, and why parts of it are turned away.
type Decoded struct {
	Facts    nhip.Facts
	Rejected []nhip.Error
}

// Decode runs a message through the decoder of a feed, whatever its topic filter, and through all checks
// at the door of a collector: what Accept does, without a journal. late is how old facts may be.
func Decode(f decode.Feed, m nhip.Message, clock nhip.Clock, late time.Duration) (*Decoded, error) {
	f.Topic = "#"
	feeds, err := bindFeeds([]decode.Feed{f})
	if err != nil {
		return nil, err
	}
	d := door{feeds: feeds, clock: clock, late: late, simulated: true, log: slog.New(slog.DiscardHandler)}
	var o outcome
	d.read(m, &o)
	said := &Decoded{Facts: o.facts}
	for i := range o.rejections {
		for range o.rejections[i].rows {
			said.Rejected = append(said.Rejected, o.rejections[i].err)
		}
	}
	return said, nil
}

// read fills o with what became of m.
func (d *door) read(m nhip.Message, o *outcome) {
	o.reset()
	o.received, o.topic, o.payload = m.Received, m.Topic, m.Payload
	f := d.feedOf(m.Topic)
	if f == nil {
		o.reject(nhip.Errorf(nhip.NoFeed, "topic", "no feed is configured for it"), o.topicRow())
		return
	}
	o.decoder = f.version
	if err := d.decode(f, o); err != nil {
		o.facts.Reset() // a decoder that fails may leave a part
		o.rejections = o.rejections[:0]
		o.reject(err, o.topicRow())
		return
	}
	d.validate(o)
	if o.facts.Undated {
		o.saidAs = xxhash.Sum64(o.payload)
	}
}

// decode runs the feed's decoder. One that panics is our fault and costs its message only: the
// message is turned away as any other that can't be read, and can be replayed after a cure.
func (d *door) decode(f *feed, o *outcome) (err error) {
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("a decoder panicked", "decoder", f.version, "topic", o.topic, "panic", p, "stack", string(debug.Stack()))
			err = nhip.Errorf(nhip.Internal, "", "the decoder %s failed on it; this is a fault of nhip", f.version)
		}
	}()
	return f.decoder.Decode(decode.Input{
		Topic: o.topic, Payload: o.payload, Received: o.received, Feed: &f.Feed,
		Reject: func(fault error) { o.reject(fault, o.topicRow()) },
	}, &o.facts)
}

func (d *door) feedOf(topic string) *feed {
	for i := range d.feeds {
		if mqtt.Match(d.feeds[i].Topic, topic) {
			return &d.feeds[i]
		}
	}
	return nil
}

// validate keeps the rows that pass and rejects the others: one broken sensor in a box does not
// cost the box its other values.
func (d *door) validate(o *outcome) {
	in := nhip.Window{Now: d.clock.Now(), Late: d.late}
	if strings.HasPrefix(o.topic, mqtt.Import) {
		in.Late = math.MaxInt64 // history, which only the operator brings
	}
	o.facts.Positions = slices.DeleteFunc(o.facts.Positions, func(p nhip.Position) bool {
		err := d.checkPosition(&p, in)
		return err != nil && o.reject(err, o.row(nhip.CheckID("", p.Vehicle), mqtt.BusDevice(p.Agency, p.Vehicle), p.Time))
	})
	o.facts.Readings = slices.DeleteFunc(o.facts.Readings, func(r nhip.Reading) bool {
		err := d.checkReading(&r, in)
		return err != nil && o.reject(err, o.row(nhip.CheckID("", r.Station), mqtt.AirDevice(r.Station), r.Time))
	})
	o.facts.Sayings = slices.DeleteFunc(o.facts.Sayings, func(s nhip.Saying) bool {
		err := s.ValidateIn(in)
		return err != nil && o.reject(err, o.topicRow())
	})
}

func (d *door) checkPosition(p *nhip.Position, in nhip.Window) error {
	if err := p.ValidateIn(in); err != nil {
		return err
	}
	if err := fits("vehicle", mqtt.LiveBusTopicSize(p.Agency, p.Vehicle)); err != nil {
		return err
	}
	return d.real(p.Origin)
}

func (d *door) checkReading(r *nhip.Reading, in nhip.Window) error {
	if err := r.ValidateIn(in); err != nil {
		return err
	}
	if err := fits("station", mqtt.LiveAirTopicSize(r.Station)); err != nil {
		return err
	}
	return d.real(r.Origin)
}

// fits refuses an id that its live topic can't carry: escaped, it may be three times as long.
func fits(field string, topicSize int) error {
	if topicSize > mqtt.MaxTopic {
		return nhip.Errorf(nhip.OutOfRange, field, "makes a topic of %d bytes; at most %d are possible", topicSize, mqtt.MaxTopic)
	}
	return nil
}

// real refuses simulated facts where real ones are kept.
func (d *door) real(o nhip.Origin) error {
	if o == nhip.Simulated && !d.simulated {
		return nhip.Errorf(nhip.OutOfRange, "origin", "simulated facts are not taken in among real ones")
	}
	return nil
}

// row is what a row that is turned away still says of itself.
type row struct {
	device string
	time   time.Time
}

// topicRow is a row that says nothing of itself; its topic stands for the device.
func (o *outcome) topicRow() row { return row{device: topicDevice(o.topic)} }

// row returns a row of a device, unless its name is the fault.
func (o *outcome) row(nameless error, device string, at time.Time) row {
	if nameless != nil {
		return o.topicRow()
	}
	return row{device, at}
}

// topicDevice is how the ledger calls a device that is known by its topic only.
func topicDevice(topic string) string { return "topic/" + topic }

// reject notes why a row is turned away, and returns true. Rows of one device with one and the same
// fault (a message's time, say) share one rejection.
func (o *outcome) reject(err error, of row) bool {
	fault := nhip.Error{Code: nhip.Malformed, Rule: err.Error()}
	var known *nhip.Error
	if errors.As(err, &known) {
		fault = *known
	}
	for i := range o.rejections {
		if r := &o.rejections[i]; r.err == fault && r.device == of.device {
			r.rows++
			return true
		}
	}
	if fault.Code == nhip.Future || fault.Code == nhip.TooOld {
		of.time = time.Time{} // it belongs to no hour that anybody would look at
	}
	o.rejections = append(o.rejections, rejection{err: fault, rows: 1, device: of.device, time: of.time})
	return true
}
