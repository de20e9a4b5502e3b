package collector

import (
	"cmp"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/record"
	"nhip/geo/gtfs"
	"nhip/internal/recovery"
	"nhip/internal/topics"

	"github.com/cespare/xxhash/v2"
)

// decodeStage decodes messages by the feeds of their topics and checks the facts.
type decodeStage struct {
	feeds     []feed
	clock     nhip.Clock
	late      time.Duration // maximum age of facts
	simulated bool          // accept simulated facts
	log       *slog.Logger
	budget    *budget // nil: senders have none
	guard     *recovery.Guard
	timetable func() *gtfs.Feed                          // in use; nil: none
	dropped   func(topic, row string, field *nhip.Error) // called for each field that is dropped from a fact
	ownFaults int                                        // see decode.Input
}

// Decoded is the result of Decode.
type Decoded struct {
	Facts    nhip.Facts
	Rejected []nhip.Error // one for each rejected row
	Dropped  []nhip.Error // one for each field that was dropped from a fact
}

// AnyAge is a late window that accepts recorded messages of any age.
const AnyAge = 200 * 365 * 24 * time.Hour

// Decode decodes and checks a message as Accept does, without journaling it. It uses feed f whatever its topic filter
// is. late is the maximum age of facts.
func Decode(f decode.Feed, m nhip.Message, clock nhip.Clock, late time.Duration) (*Decoded, error) {
	f.Topic = "#"
	feeds, err := bindFeeds([]decode.Feed{f})
	if err != nil {
		return nil, err
	}
	decoded := new(Decoded)
	d := decodeStage{
		feeds: feeds, clock: clock, late: late, simulated: true, log: slog.New(slog.DiscardHandler),
		ownFaults: math.MaxInt, // they are printed, and no dead letters
		dropped: func(_, row string, field *nhip.Error) {
			decoded.Dropped = append(decoded.Dropped, *decode.InRow(row, field).(*nhip.Error))
		},
	}
	var o record.Outcome
	d.evaluate(m, &o)
	decoded.Facts = o.Facts
	for i := range o.Rejections {
		for range o.Rejections[i].Rows {
			decoded.Rejected = append(decoded.Rejected, o.Rejections[i].Err)
		}
	}
	return decoded, nil
}

// partDecoder is the part of nhip_panics_total for decoders and the checks of facts.
const partDecoder = "decoder"

// evaluate sets o to the outcome of m. A panic rejects only this message, which can be replayed once its cause is
// repaired.
func (d *decodeStage) evaluate(m nhip.Message, o *record.Outcome) {
	decoder := ""
	defer d.guard.Recover(partDecoder, func() {
		d.log.Error("decoder panicked", "decoder", decoder, "topic", m.Topic)
		o.Reset()
		o.Received, o.Topic, o.Payload, o.Decoder = m.Received, m.Topic, m.Payload, decoder
		o.Reject(nhip.Errorf(nhip.CodeInternal, "", "the decoder %s failed on it; this is a fault of nhip", decoder),
			o.TopicRow())
	})
	o.Reset()
	o.Received, o.Topic, o.Payload = m.Received, m.Topic, m.Payload
	f := d.feedOf(m.Topic)
	if f == nil {
		o.Reject(nhip.Errorf(nhip.CodeNoFeed, "topic", "no feed is configured for it"), o.TopicRow())
		return
	}
	o.Decoder, decoder = f.version, f.version
	if m.Size > 0 {
		o.Reject(nhip.Errorf(nhip.CodeTooLarge, "", "has %d bytes, more than are accepted; the first %d are kept",
			m.Size, len(m.Payload)), o.TopicRow())
		return
	}
	if err := d.runDecoder(f, o); err != nil {
		o.Facts.Reset() // after an error, they may be incomplete
		o.Rejections = o.Rejections[:0]
		o.Reject(err, o.TopicRow())
		return
	}
	d.resolve(f, o)
	d.check(o)
	if o.Facts.Undated {
		o.PayloadHash = xxhash.Sum64(o.Payload)
	}
}

func (d *decodeStage) runDecoder(f *feed, o *record.Outcome) error {
	return f.decoder.Decode(decode.Input{
		Topic: o.Topic, Payload: o.Payload, Received: o.Received, Feed: &f.Feed,
		Reject: func(reason error) { o.Reject(reason, o.TopicRow()) }, OwnFaults: d.ownFaults,
		Drop: func(row string, field *nhip.Error) { d.dropped(o.Topic, row, field) },
	}, &o.Facts)
}

func (d *decodeStage) feedOf(topic string) *feed {
	for i := range d.feeds {
		if topics.Match(d.feeds[i].Topic, topic) {
			return &d.feeds[i]
		}
	}
	return nil
}

// check rejects invalid rows one by one, so that one faulty sensor does not cost a device its other values.
func (d *decodeStage) check(o *record.Outcome) {
	window := nhip.Window{Now: d.clock.Now(), Late: d.late}
	if strings.HasPrefix(o.Topic, topics.Import) {
		window.Late = math.MaxInt64 // only operators may publish there
	}
	for i := range o.Facts.Positions {
		d.dropFields(o.Topic, &o.Facts.Positions[i])
	}
	rejected := 0
	for i := range o.Rejections {
		rejected += o.Rejections[i].Rows
	}
	reject := func(row string, err error, at record.RowRef) {
		o.Reject(decode.RowFault(row, err, rejected, cmp.Or(d.ownFaults, decode.MaxOwnFaults)), at)
		rejected++
	}
	i := -1
	o.Facts.Positions = slices.DeleteFunc(o.Facts.Positions, func(p nhip.Position) bool {
		i++
		err := d.checkPosition(&p, window)
		if err != nil {
			at := o.DeviceRow(nhip.CheckID("", p.Vehicle), topics.BusDevice(p.Agency, p.Vehicle), p.Time)
			reject(cmp.Or(p.Row, o.Facts.PositionRow(i)), err, at)
		}
		return err != nil
	})
	for i := range o.Facts.Readings {
		o.Facts.Readings[i].DropInvalid(func(field *nhip.Error) { d.dropped(o.Topic, o.Facts.ReadingRow(i), field) })
	}
	i = -1
	o.Facts.Readings = slices.DeleteFunc(o.Facts.Readings, func(r nhip.Reading) bool {
		i++
		err := d.checkReading(&r, window)
		if err != nil {
			at := o.DeviceRow(nhip.CheckID("", r.Station), topics.AirDevice(r.Station), r.Time)
			reject(o.Facts.ReadingRow(i), err, at)
		}
		return err != nil
	})
	o.Facts.UserActions = slices.DeleteFunc(o.Facts.UserActions, func(a nhip.UserAction) bool {
		err := checkUserAction(&a, window)
		if err != nil {
			o.Reject(err, o.TopicRow())
		}
		return err != nil
	})
	if o.Facts.Service != nil {
		d.checkService(o, window)
	}
}

func checkUserAction(a *nhip.UserAction, window nhip.Window) error {
	if err := a.ValidateIn(window); err != nil {
		return err
	}
	return checkTopicSize("id", topics.UserActionTopicSize(a.Kind(), a.ID()))
}

// dropFields removes the fields of a position that are invalid and that it can do without.
func (d *decodeStage) dropFields(topic string, p *nhip.Position) {
	drop := func(field *nhip.Error) { d.dropped(topic, p.Row, field) }
	if _, _, ok := nhip.ParseStartTime(p.StartTime); !ok && p.StartTime != "" {
		drop(nhip.Errorf(nhip.CodeOutOfRange, "start_time", "must be HH:MM or HH:MM:SS, got %q", decode.Clip(p.StartTime)))
		p.StartTime = ""
	}
	p.DropInvalid(drop)
}

func (d *decodeStage) checkPosition(p *nhip.Position, window nhip.Window) error {
	if err := p.ValidateIn(window); err != nil {
		return err
	}
	if err := checkTopicSize("vehicle", topics.BusTopicSize(p.Agency, p.Vehicle)); err != nil {
		return err
	}
	return d.checkOrigin(p.Origin)
}

func (d *decodeStage) checkReading(r *nhip.Reading, window nhip.Window) error {
	if err := r.ValidateIn(window); err != nil {
		return err
	}
	if err := checkTopicSize("station", topics.LiveAirTopicSize(r.Station)); err != nil {
		return err
	}
	return d.checkOrigin(r.Origin)
}

// checkTopicSize rejects an id that is too long for its live topic, in which escaping may triple its length.
func checkTopicSize(field string, size int) error {
	if size > topics.MaxTopic {
		return nhip.Errorf(nhip.CodeOutOfRange, field, "makes a topic of %d bytes; the maximum is %d", size, topics.MaxTopic)
	}
	return nil
}

// checkOrigin rejects simulated facts unless the collector accepts them.
func (d *decodeStage) checkOrigin(o nhip.Origin) error {
	if o == nhip.OriginSimulated && !d.simulated {
		return nhip.Errorf(nhip.CodeOutOfRange, "origin", "simulated facts are not accepted by this collector")
	}
	return nil
}
