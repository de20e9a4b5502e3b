package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/journal"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/publish"
	"nhip/internal/task"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
)

// Timing and bounds of the forwarder.
const (
	forwardQueues = 16               // upstream connections; each sync of upstream's disk holds one message of each
	forwardCursor = "upstream"       // name of the journal's cursor
	saveEvery     = time.Second      // after a crash, what was forwarded since the last save is sent again
	segmentBytes  = 16 << 20         // forwarded messages are deleted from the disk in steps of this
	readRetry     = 30 * time.Second // after an error of the disk
	moveRetry     = 2 * time.Second  // after an error while a message was moved to the waiting lane
	drainPoll     = 20 * time.Millisecond

	waitingSegmentBytes = 2 << 20 // of the waiting lane, whose bound may be a quarter of 64 MiB
)

// ForwardOptions configures a Forwarder.
type ForwardOptions struct {
	Dir      string       // of the journals, for this forwarder alone
	MaxBytes int64        // on disk for messages that are not forwarded yet; 0: no limit
	MinFree  int64        // bytes of the disk that stay free
	Upstream mqtt.Options // the client id must differ from that of every other forwarder
	Logger   *slog.Logger
	Registry prometheus.Registerer

	retry time.Duration // see publish.Options; shorter in tests
}

// Forwarder is the nhip.Acceptor of a gateway that runs alone. It writes each message to a journal and forwards it to
// an upstream MQTT broker whenever that is reachable and a collector there has subscribed to its topic; see loop. It
// loses and drops nothing. Messages are sent twice after a crash (about the last second of them), after a lost
// connection and after a collector has left (those in flight); the collector drops the second as a duplicate.
type Forwarder struct {
	main      *lane // what was accepted
	waiting   *lane // what no collector had subscribed to when it was its turn
	publisher atomic.Pointer[publish.Pool]
	changes   changes
	uncovered uncoveredTopics
	retryMove time.Duration

	lastLoss     atomic.Int64 // Unix time in ns; 0 if nothing was lost
	waitingSince atomic.Int64 // when the oldest message of the waiting lane was received, in Unix nanoseconds; 0: unknown

	log     *slog.Logger
	metrics *forwardMetrics
	tasks   *task.Group
}

// waitingShare is the fraction of MaxBytes for the waiting lane, one in waitingShare.
const waitingShare = 4

// NewForwarder opens the journals. It forwards nothing before Start.
func NewForwarder(o ForwardOptions) (*Forwarder, error) {
	if o.Upstream.ClientID == "" {
		return nil, errors.New("the client id for the upstream broker must not be empty")
	}
	log := o.Logger.With("component", "forward")
	o.Upstream.Logger = log
	f := &Forwarder{log: log, tasks: task.NewGroup(), retryMove: cmp.Or(o.retry, moveRetry)}
	f.uncovered.Forwarder = f
	publisher, err := publish.New(publish.Options{
		Options: o.Upstream, Connections: forwardQueues, Retry: o.retry, Covered: true, OnChange: f.changes.signal,
	})
	if err != nil {
		return nil, err
	}
	f.publisher.Store(publisher)
	if err := f.openLanes(o); err != nil {
		return nil, err
	}
	f.metrics = newForwardMetrics(o.Registry, f)
	for _, l := range f.lanes() {
		if n := l.journal.Stats().MissingSeqs; n > 0 {
			f.noteLoss(l, "journal is older than the forward cursor; numbering continues after it", "missing_seqs", n)
		}
	}
	return f, nil
}

func (f *Forwarder) openLanes(o ForwardOptions) (err error) {
	// The waiting lane leaves less of the disk free: when it is read, records move from its begin to its end.
	waiting := journal.Options{
		SegmentBytes: waitingSegmentBytes, MaxBytes: o.MaxBytes / waitingShare, MinFree: o.MinFree / 2, Logger: f.log,
	}
	main := journal.Options{
		SegmentBytes: segmentBytes, MaxBytes: o.MaxBytes - waiting.MaxBytes, MinFree: o.MinFree, Logger: f.log,
	}
	if f.main, err = openLane("main", o.Dir, main); err != nil {
		return err
	}
	if f.waiting, err = openLane("waiting", filepath.Join(o.Dir, "waiting"), waiting); err != nil {
		return errors.Join(err, f.main.close())
	}
	return nil
}

// lossShownFor is how long a loss degrades the readiness, unless the gateway is restarted before.
const lossShownFor = 24 * time.Hour

// countSkipped counts the records of a lane that are missing before seq as lost.
func (f *Forwarder) countSkipped(l *lane, seq uint64) {
	if n := l.skipped(seq); n > 0 {
		f.metrics.lost.Add(float64(n))
		f.noteLoss(l, "acknowledged messages are lost: the journal does not have their records",
			"messages", n, "first_seq", seq-n, "last_seq", seq-1)
	}
}

// noteLoss logs a loss and degrades the readiness.
func (f *Forwarder) noteLoss(l *lane, message string, args ...any) {
	f.lastLoss.Store(time.Now().UnixNano())
	l.log.Error(message, args...)
}

// Intact reports whether no message was lost from the journals in the last 24 hours, as far as this process knows.
func (f *Forwarder) Intact() bool {
	last := f.lastLoss.Load()
	return last == 0 || time.Since(time.Unix(0, last)) > lossShownFor
}

func (f *Forwarder) lanes() []*lane { return []*lane{f.main, f.waiting} }

// Start begins to forward. It returns at once, even if the upstream broker is not reachable.
func (f *Forwarder) Start() {
	f.publisher.Load().Start()
	f.tasks.Go("forwarding", (&loop{Forwarder: f}).run)
	f.tasks.Go("reporting what is not covered", f.reportUncovered)
	for _, l := range f.lanes() {
		f.tasks.Go("saving the forward cursor", l.saveCursors)
	}
}

// Accept writes the message to the journal and calls done when it is on disk. It refuses a message that no broker
// would accept.
func (f *Forwarder) Accept(m nhip.Message, done func(error)) {
	if err := topics.CheckMessage(m.Topic, m.Payload); err != nil {
		done(err)
		return
	}
	record := forwardRecords.Get().(*[]byte)
	*record = appendForwardRecord((*record)[:0], &m)
	f.main.journal.Append(*record, func(_ uint64, err error) { done(err) })
	forwardRecords.Put(record)
}

// Pending returns how many messages are on disk and not yet acknowledged by upstream.
func (f *Forwarder) Pending() uint64 { return f.main.pending() + f.waiting.pending() }

// Accepting reports whether the journal has room for messages.
func (f *Forwarder) Accepting() bool { return !f.main.journal.Stats().Full }

// Connected reports whether the upstream broker is connected.
func (f *Forwarder) Connected() bool { return f.publisher.Load().Connected() }

// ConnectionFault returns why the connection to upstream is not reliable, or "": it was lost again and again.
func (f *Forwarder) ConnectionFault() string { return f.publisher.Load().Fault() }

// Covered reports whether a collector upstream has subscribed to anything.
func (f *Forwarder) Covered() bool { return len(f.publisher.Load().Coverage()) > 0 }

// Waiting returns how many messages wait although others are forwarded, because no collector has subscribed to their
// topics.
func (f *Forwarder) Waiting() uint64 { return f.waiting.pending() }

// Stop forwards messages until none is pending that a collector has subscribed to, upstream is not connected, or ctx
// ends. Then it closes the journals. The next start forwards the rest.
func (f *Forwarder) Stop(ctx context.Context) error {
	f.drain(ctx)
	stopped := f.tasks.Stop(context.WithoutCancel(ctx)) // the tasks use the journals, and end at once
	f.closePublisher(ctx)
	return errors.Join(stopped, f.main.close(), f.waiting.close())
}

// drain waits until no message is pending, none is covered, upstream is not connected, or ctx ends.
func (f *Forwarder) drain(ctx context.Context) {
	t := time.NewTicker(drainPoll)
	defer t.Stop()
	for f.main.pending() > 0 && f.Connected() && f.Covered() {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// closePublisher closes the connections. If drain did not succeed, it does not wait for acknowledgements again.
func (f *Forwarder) closePublisher(ctx context.Context) {
	if f.Pending() > 0 {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		ctx = ended
	}
	_ = f.publisher.Load().Close(ctx) // the warning below counts what is left in the journal, too
	if left := f.Pending(); left > 0 {
		f.log.Warn("messages are left in the journal and will be forwarded after the next start", "messages", left)
	}
}

// orderKey returns the key of a message for its order: messages with one key are forwarded in order.
func orderKey(m *nhip.Message) string {
	if m.Client == "" {
		return m.Topic
	}
	return m.Client
}
