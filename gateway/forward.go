package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/internal/journal"
	"nhip/internal/mqtt"
	"nhip/internal/pause"

	"github.com/prometheus/client_golang/prometheus"
)

// The forwarder's rhythm and bounds.
const (
	forwardLanes  = 16               // connections upstream; each sync of its disk carries a message of each
	forwardCursor = "upstream"       // the journal's cursor
	saveEvery     = time.Second      // how often the cursor is saved: what was forwarded since goes twice after a crash
	segmentBytes  = 16 << 20         // what is forwarded gives the disk room back in steps of this
	readAgain     = 30 * time.Second // after the disk could not be read
	stopPoll      = 20 * time.Millisecond
)

// ForwardOptions say what a Forwarder needs.
type ForwardOptions struct {
	Dir      string       // of the journal, its own
	MaxBytes int64        // most bytes on disk of what waits for a line; 0: as many as the disk has
	MinFree  int64        // bytes of the disk that are left alone
	Upstream mqtt.Options // where and as whom; the client id must differ from every other forwarder's there
	Logger   *slog.Logger
	Registry prometheus.Registerer

	retry time.Duration // see mqtt.FanOptions; tests are in a hurry
}

// Forwarder is the door of a gateway that runs alone: it takes messages in, and is done with one
// when it is on disk here; it passes them on to an MQTT broker upstream, each device's in order,
// whenever that can be reached. Nothing is lost on the way and nothing is thrown away. After a crash
// about a second of messages goes twice, and so does what was in flight when the line was lost:
// whoever receives them takes the second for a duplicate.
type Forwarder struct {
	journal *journal.Journal
	reader  *journal.Reader
	fan     *mqtt.Fan
	window  *window
	log     *slog.Logger
	metrics *forwardMetrics

	saved   uint64 // the cursor on disk
	failing bool   // it could not be saved last time

	stop    context.CancelFunc
	running sync.WaitGroup
}

// NewForwarder opens the journal. Nothing is sent before Start.
func NewForwarder(o ForwardOptions) (*Forwarder, error) {
	if o.Upstream.ClientID == "" {
		return nil, errors.New("the client id for the broker upstream must not be empty")
	}
	log := o.Logger.With("component", "forward")
	o.Upstream.Logger = log
	fan, err := mqtt.NewFan(mqtt.FanOptions{Options: o.Upstream, Lanes: forwardLanes, Retry: o.retry})
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(o.Dir, journal.Options{SegmentBytes: segmentBytes, MaxBytes: o.MaxBytes, MinFree: o.MinFree, Logger: log})
	if err != nil {
		return nil, err
	}
	f := &Forwarder{journal: j, fan: fan, log: log, stop: func() {}}
	f.saved = f.cursor()
	f.window = newWindow(max(f.saved, j.FirstSeq()-1))
	f.reader = j.Reader(f.saved + 1)
	f.metrics = newForwardMetrics(o.Registry, f)
	return f, nil
}

// cursor returns up to where all was forwarded. One that can't be read costs nothing but time: all
// that is there goes out again.
func (f *Forwarder) cursor() uint64 {
	seq, err := f.journal.Cursor(forwardCursor)
	if err != nil {
		f.log.Error("can't read up to where messages were forwarded; all that are kept are sent again", "error", err)
	}
	return seq
}

// Start begins to forward. It returns at once, whether the broker upstream is there or not.
func (f *Forwarder) Start() {
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.fan.Start()
	f.running.Go(func() { f.send(ctx) })
	f.running.Go(func() { f.keep(ctx) })
}

// Accept writes a message to the journal and calls done when it is on disk. What no broker upstream
// would take is refused.
func (f *Forwarder) Accept(m nhip.Message, done func(error)) {
	if err := mqtt.CheckMessage(m.Topic, m.Payload); err != nil {
		done(err)
		return
	}
	record := forwardRecords.Get().(*[]byte)
	*record = appendForwardRecord((*record)[:0], &m)
	f.journal.Append(*record, func(_ uint64, err error) { done(err) })
	forwardRecords.Put(record)
}

// Pending returns how many messages are on disk here and not known to be upstream.
func (f *Forwarder) Pending() uint64 {
	last := f.journal.LastSeq()
	return last - min(f.window.position(), last)
}

// Taking tells whether messages are taken in: whether there is room on disk.
func (f *Forwarder) Taking() bool { return !f.journal.Stats().Full }

// Connected reports whether the broker upstream is reached.
func (f *Forwarder) Connected() bool { return f.fan.Connected() }

// Stop forwards what it can until nothing is pending, the line is down, or ctx ends, and closes the
// journal; the rest goes out after the next start.
func (f *Forwarder) Stop(ctx context.Context) error {
	f.finish(ctx)
	f.stop()
	f.running.Wait()
	f.hangUp(ctx)
	return errors.Join(f.save(), f.reader.Close(), f.journal.Close())
}

func (f *Forwarder) finish(ctx context.Context) {
	t := time.NewTicker(stopPoll)
	defer t.Stop()
	for f.Pending() > 0 && f.Connected() {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// hangUp ends the connections; it doesn't wait for what finish has waited for in vain.
func (f *Forwarder) hangUp(ctx context.Context) {
	if f.Pending() > 0 {
		over, cancel := context.WithCancel(ctx)
		cancel()
		ctx = over
	}
	_ = f.fan.Close(ctx) // it only knows of what it was handed
	if left := f.Pending(); left > 0 {
		f.log.Warn("stopping with messages that are not forwarded yet; they stay in the journal", "messages", left)
	}
}

// send reads the journal and hands every record to its device's lane.
func (f *Forwarder) send(ctx context.Context) {
	for ctx.Err() == nil {
		seq, record, err := f.reader.Next(ctx)
		if err == nil {
			f.forward(ctx, seq, record)
			continue
		}
		if ctx.Err() == nil {
			f.log.Error("can't read the journal; trying again", "error", err, "retry_in", readAgain)
			pause.For(ctx, readAgain)
		}
	}
}

func (f *Forwarder) forward(ctx context.Context, seq uint64, record []byte) {
	m, err := readForwardRecord(slices.Clone(record))
	ticket, ok := f.window.enter(ctx, seq, m.Received)
	if !ok {
		return
	}
	if err == nil {
		err = f.fan.PublishFor(ctx, sender(&m), m.Topic, m.Payload, func() { f.window.leave(ticket) })
	}
	if err != nil && ctx.Err() == nil { // Accept lets nothing in that comes to this
		f.log.Error("a journal record can't be sent and is passed over", "seq", seq, "bytes", len(record), "error", err)
		f.metrics.unreadable.Inc()
		f.window.leave(ticket)
	}
}

// sender returns what the order of messages goes by.
func sender(m *nhip.Message) string {
	if m.Client == "" {
		return m.Topic
	}
	return m.Client
}

// keep saves the cursor from time to time.
func (f *Forwarder) keep(ctx context.Context) {
	for pause.For(ctx, saveEvery) {
		err := f.save()
		switch {
		case err != nil && !f.failing:
			f.log.Error("can't save up to where messages are forwarded; trying again", "error", err)
		case err == nil && f.failing:
			f.log.Info("saved up to where messages are forwarded again")
		}
		f.failing = err != nil
	}
}

// save keeps up to where all is forwarded, and gives the journal free up to there: also when the
// disk is too full for the cursor, because nothing else makes room. What is released was forwarded,
// so that it is not missed by whoever comes back to an older cursor.
func (f *Forwarder) save() error {
	seq := f.window.position()
	if seq == f.saved {
		return nil
	}
	err := f.journal.SaveCursor(forwardCursor, seq)
	if err == nil {
		f.saved = seq
	}
	if err = errors.Join(err, f.journal.Release(seq)); err != nil {
		return fmt.Errorf("can't save what is forwarded: %w", err)
	}
	return nil
}
