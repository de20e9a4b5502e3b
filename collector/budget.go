package collector

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"nhip"
	"nhip/collector/decode/gtfsrt"
	"nhip/collector/decode/ufmsbus"
	"nhip/collector/record"
	"nhip/internal/topics"

	"golang.org/x/time/rate"
)

// Budget bounds what one sender may create. A bound of 0 is none.
type Budget struct {
	NewDevices     int // new vehicles and stations that a sender may name in an hour
	NewFeedDevices int // new vehicles and stations that all senders of a feed may name in an hour
	RowRate        int // rows a second of a sender, averaged over a day
}

const (
	// wholeFleet is by how much the bounds of a sender are higher if it sends for a whole fleet: a GTFS-realtime feed, a
	// system of bus boxes, or all messages of a feed whose senders a broker does not tell apart.
	wholeFleet = 10
	// seriesOfDevice bounds the series of one vehicle (its events) or station (quantities and periods).
	seriesOfDevice = 200
	// maxSenders bounds the senders that are remembered. Beyond it they start anew.
	maxSenders = 100_000
	// rateSpan is the time over which the rate of rows is averaged: a gateway that was cut off sends hours at once.
	rateSpan = 24 * time.Hour
)

// budget applies a Budget. A nil budget has no bounds.
type budget struct {
	Budget
	clock nhip.Clock
	known *knownSeries

	mu    sync.Mutex
	hour  int64          // Unix hours, of spent
	spent map[string]int // new devices in the hour, by sender and by feed
	rows  map[string]*rate.Limiter
}

func newBudget(b Budget, known *knownSeries, clock nhip.Clock) *budget {
	return &budget{
		Budget: b, clock: clock, known: known, spent: make(map[string]int), rows: make(map[string]*rate.Limiter),
	}
}

// sender is who sent a message, as far as budgets tell.
type sender struct {
	name   string
	feed   string
	factor int
}

// senderOf returns the sender of a message. A broker of others does not pass on who it is: then it is the topic, which
// the broker's rules bind to the device, or the feed if its devices choose their topics.
func senderOf(m *nhip.Message, f *feed) sender {
	s := sender{name: m.Sender(), feed: f.Topic, factor: 1}
	if m.Client == "" && m.Account == "" && strings.HasSuffix(f.Topic, "#") {
		s.name, s.factor = f.Topic, wholeFleet
	}
	if f.Format == gtfsrt.Decoder.Format || f.Format == ufmsbus.Decoder.Format {
		s.factor = wholeFleet
	}
	return s
}

// row identifies rejected rows in the ledger. They must not create devices there.
func (s *sender) row(o *record.Outcome, f *feed) record.RowRef {
	if strings.HasSuffix(f.Topic, "#") {
		return record.RowRef{Device: record.TopicDevice(f.Topic)}
	}
	return o.TopicRow()
}

// apply rejects the rows of a message that exceed the budget of its sender.
func (b *budget) apply(m *nhip.Message, f *feed, o *record.Outcome) {
	if b == nil || f == nil || strings.HasPrefix(m.Topic, userActions) {
		return
	}
	if m.Trusted || strings.HasPrefix(m.Topic, topics.Import) { // only operators may publish there
		b.know(o)
		return
	}
	rows := rowsOf(o)
	if rows == 0 {
		return
	}
	s := senderOf(m, f)
	ref := s.row(o, f)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.allowRows(&s, rows) {
		b.rejectAll(o, ref, s.factor)
		return
	}
	b.begin()
	o.Facts.Positions = slices.DeleteFunc(o.Facts.Positions, func(p nhip.Position) bool {
		err := b.admit(&s, "vehicle", topics.BusDevice(p.Agency, p.Vehicle), p.Event)
		return b.rejected(o, err, ref)
	})
	o.Facts.Readings = slices.DeleteFunc(o.Facts.Readings, func(r nhip.Reading) bool {
		err := b.admit(&s, "station", topics.AirDevice(r.Station), seriesName(&r))
		return b.rejected(o, err, ref)
	})
}

// userActions is the prefix of the topics of user actions, which only the roles send.
var userActions = strings.TrimSuffix(topics.UserActions, "#")

func (b *budget) rejected(o *record.Outcome, err error, ref record.RowRef) bool {
	if err != nil {
		o.Reject(err, ref)
	}
	return err != nil
}

// allowRows takes rows from the sender's rate.
func (b *budget) allowRows(s *sender, rows int) bool {
	if b.RowRate == 0 {
		return true
	}
	limiter := b.rows[s.name]
	if limiter == nil {
		if len(b.rows) >= maxSenders {
			clear(b.rows)
		}
		perSecond := b.RowRate * s.factor
		limiter = rate.NewLimiter(rate.Limit(perSecond), perSecond*int(rateSpan/time.Second))
		b.rows[s.name] = limiter
	}
	return limiter.AllowN(b.clock.Now(), rows)
}

func (b *budget) rejectAll(o *record.Outcome, ref record.RowRef, factor int) {
	err := nhip.Errorf(nhip.CodeTooManyRows, "", "the sender is beyond %d rows a second over a day", b.RowRate*factor)
	for range rowsOf(o) {
		b.rejected(o, err, ref)
	}
	o.Facts.Reset()
}

// rowsOf returns the number of rows that a message of a device may add to the database.
func rowsOf(o *record.Outcome) int {
	return len(o.Facts.Positions) + len(o.Facts.Readings) + o.Facts.Service.Changes()
}

// begin starts a new hour if it is time.
func (b *budget) begin() {
	if hour := b.clock.Now().Unix() / 3600; hour != b.hour {
		b.hour = hour
		clear(b.spent)
	}
}

// admit returns an error if a row would make a series beyond the budget.
func (b *budget) admit(s *sender, field, device, series string) error {
	hash := b.known.hash(device, series)
	if b.known.has(hash) {
		return nil
	}
	ofDevice := b.known.hash(device, "")
	n, had := b.known.seriesOf(ofDevice)
	switch {
	case had && n >= seriesOfDevice:
		return nhip.Errorf(nhip.CodeTooManySeries, field, "has more than %d events, or quantities and periods",
			seriesOfDevice)
	case had:
	case b.NewDevices > 0 && b.spent["s/"+s.name] >= b.NewDevices*s.factor:
		return nhip.Errorf(nhip.CodeTooManySeries, field, "is new, and the sender has named %d new ones in this hour",
			b.NewDevices*s.factor)
	case b.NewFeedDevices > 0 && b.spent["f/"+s.feed] >= b.NewFeedDevices:
		return nhip.Errorf(nhip.CodeTooManySeries, field, "is new, and the feed has named %d new ones in this hour",
			b.NewFeedDevices)
	default:
		if len(b.spent) >= maxSenders {
			clear(b.spent)
		}
		b.spent["s/"+s.name]++
		b.spent["f/"+s.feed]++
	}
	b.known.add(seriesHash{ofDevice, hash})
	return nil
}

// know makes all devices and series of an outcome known, without a bound.
func (b *budget) know(o *record.Outcome) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range o.Facts.Positions {
		p := &o.Facts.Positions[i]
		b.known.learn(topics.BusDevice(p.Agency, p.Vehicle), p.Event)
	}
	for i := range o.Facts.Readings {
		r := &o.Facts.Readings[i]
		b.known.learn(topics.AirDevice(r.Station), seriesName(r))
	}
}

// seriesName returns the name of a reading's series, as in "pm25/1h".
func seriesName(r *nhip.Reading) string {
	return string(r.Quantity) + "/" + nhip.FormatPeriod(r.Period)
}

// size returns the number of series that are known.
func (b *budget) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.known.series)
}

// save saves what the budget remembers, unless that is done.
func (b *budget) save(log *slog.Logger) {
	if b == nil {
		return // the collector was not opened wholly
	}
	b.mu.Lock()
	order := b.known.order
	due := len(order) != b.known.saved
	b.mu.Unlock()
	if !due {
		return
	}
	if err := b.known.save(order); err != nil {
		log.Error("can't save the known series; after a restart some count as new", "error", err)
		return
	}
	b.mu.Lock()
	b.known.saved = min(len(order), len(b.known.order))
	b.mu.Unlock()
}
