// Package collector knows what was said: it decodes messages, checks them, writes the outcome to
// its journal and only then lets the sender be acknowledged. From the journal the facts go to
// InfluxDB, and the city's current state to retained MQTT topics.
package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"nhip"
	"nhip/collector/air"
	"nhip/collector/decode"
	"nhip/collector/ledger"
	"nhip/geo/alert"
	"nhip/geo/network"
	"nhip/geo/qc"
	"nhip/internal/ask"
	"nhip/internal/cleanup"
	"nhip/internal/journal"
	"nhip/internal/mqtt"

	"github.com/prometheus/client_golang/prometheus"
)

// Store is the database the facts go to.
type Store interface {
	// Write stores rows of line protocol; see influx.WriteError for how it fails.
	Write(ctx context.Context, lines []byte) error
}

// Options say what a collector needs.
type Options struct {
	ID        string // its name in topics and in the ledger
	Dir       string // its folder: journals, ledger, snapshot, dead letters
	Feeds     []decode.Feed
	Simulated bool // simulated facts are taken in
	Clock     nhip.Clock
	Store     Store
	Broker    mqtt.Options // where live topics go; Logger, OnUp and OnDown are the collector's
	Logger    *slog.Logger
	Registry  prometheus.Registerer

	JournalBytes int64            // most bytes of what waits on disk, intake and outbox together; MinJournalBytes at least
	Late         time.Duration    // how old facts may be, and for how long it is known what was said
	Network      *network.Network // what buses are followed on; nil: they are not
	HFP          bool             // buses are told as HFP, too
	MinFree      int64            // bytes of the disk that the intake leaves alone; the outbox leaves half of it
	DeadBytes    int64            // most bytes of dead letters; beyond it the oldest day goes
	Air          Air              // how the air is kept
	Retention    Retention        // how long the history is
	Keeping      Keeping          // the database from which it is deleted; nil: it is not
	BacklogRate  int              // rows a second that go to the database of what waited; 0 for as many as it takes
}

// Air says how a collector judges readings and sums them up.
type Air struct {
	History      air.History    // what is known of the past; nil: readings are taken in and not judged
	Rules        *qc.Rules      // nil: the usual ones
	Completeness float64        // share of values that an hour or a day needs; 0: three quarters
	Zone         *time.Location // whose days and months are summed up, where the fleet names none
	Alerts       []alert.Rule   // when staff are told
	Deliver      []air.Deliverer
}

// MinJournalBytes is the least that Options.JournalBytes may be: a journal gives room back a segment at
// a time, and a segment holds the longest record.
const MinJournalBytes = 64 << 20

// intakeShare is the part of JournalBytes that the intake has. It is read as fast as it is written; what
// a database that is away makes wait is in the outbox.
const intakeShare = 4

// Collector is a running collector. Accept is its one door.
type Collector struct {
	door

	id      string
	begin   func() // sets a replayed clock going
	metrics *metrics
	sampler *sampler

	intake *journal.Journal // outcomes of messages, as they came
	outbox *journal.Journal // rows on their way to the database
	book   *ledger.Book
	city   *city
	clerk  *clerk
	drain  *drain
	out    *publisher
	air    *air.Keeper // nil where no history is given
	retentionState
	arrivals *arrivalPost // nil where buses are not followed
	deadDir  string
	dead     int64 // most bytes of dead letters

	opened cleanup.Stack // what New opened
	tasks  []*task       // in the order in which they are stopped
}

// New opens the collector's journals and ledger, and rebuilds the city from its snapshot and the
// journal. It does not need the broker or the database yet.
func New(o Options) (*Collector, error) {
	feeds, err := bindFeeds(o.Feeds)
	if err != nil {
		return nil, err
	}
	c := &Collector{
		door: door{append(feeds, sayFeed()), o.Clock, o.Late, o.Simulated, o.Logger.With("component", "collector")},
		id:   o.ID, begin: func() {}, metrics: newMetrics(o.Registry), sampler: newSampler(),
		deadDir: filepath.Join(o.Dir, "dead"), dead: o.DeadBytes,
	}
	if replayed, ok := o.Clock.(*nhip.ReplayClock); ok {
		c.begin = replayed.Begin
	}
	if err := c.open(o); err != nil {
		return nil, errors.Join(err, c.opened.Run(closeTimeout, c.log))
	}
	c.retention, c.keeping = o.Retention, o.Keeping
	c.metrics.watch(o.Registry, c)
	return c, nil
}

// closeTimeout bounds how long closing one file of a collector may take.
const closeTimeout = 10 * time.Second

// open opens everything that lasts.
func (c *Collector) open(o Options) (err error) {
	// What is taken in must find room further on when the disk is full: in the outbox, and in the ledger,
	// whose checkpoints alone make room in both.
	intake := journal.Options{MaxBytes: o.JournalBytes / intakeShare, MaxRecord: maxRecord, MinFree: o.MinFree}
	outbox := journal.Options{MaxBytes: o.JournalBytes - intake.MaxBytes, MaxRecord: maxParcel, MinFree: o.MinFree / 2}
	if c.intake, err = c.openJournal(filepath.Join(o.Dir, "journal"), intake); err != nil {
		return err
	}
	if c.outbox, err = c.openJournal(filepath.Join(o.Dir, "outbox"), outbox); err != nil {
		return err
	}
	if c.book, err = ledger.Open(filepath.Join(o.Dir, "ledger"), ledger.Options{Late: c.late, Logger: c.log}); err != nil {
		return fmt.Errorf("can't open the ledger: %w", err)
	}
	c.opened.Push("the ledger", closing(c.book.Close))
	var follow *follower
	if o.Network != nil {
		c.arrivals = newArrivalPost(o.Store, c.log, c.metrics)
		follow = newFollower(o.Network, c.arrivals)
	}
	if c.city, err = restoreCity(filepath.Join(o.Dir, "live.jsonl"), c.intake, o.Clock, latencies(o.Feeds), follow, c.log); err != nil {
		return err
	}
	answers := ask.NewAnswerer(ask.AnswererOptions{Collector: c.id, Handlers: c.answers(), Logger: c.log, Registerer: o.Registry})
	c.out = newPublisher(c.id, c.city, o.Broker, answers, c.log, c.metrics)
	if c.arrivals != nil {
		c.out.arrivals = c.arrivals.tell
	}
	if o.HFP {
		c.out.hfp = newHFPFeed()
	}
	if c.drain, err = c.newDrain(o); err != nil {
		return err
	}
	if o.Air.History != nil {
		if c.air, err = c.newAir(o); err != nil {
			return err
		}
		c.out.open = c.air.Open
	}
	c.listen(&c.out.broker)
	c.opened.Push("the database's dead letters", closing(c.drain.dead.close))
	if c.clerk, err = c.newClerk(); err != nil {
		return err
	}
	c.opened.Push("the clerk", closing(c.clerk.close))
	return nil
}

func (c *Collector) newAir(o Options) (*air.Keeper, error) {
	return air.New(air.Options{
		Dir: filepath.Join(o.Dir, "air"), Clock: o.Clock, Store: o.Store, History: o.Air.History, Rules: o.Air.Rules,
		Completeness: o.Air.Completeness, Zone: o.Air.Zone, Tell: c.city.judged,
		Alerts: o.Air.Alerts, Deliver: o.Air.Deliver, Alert: c.out.alert,
		Stored: func(record uint64) bool { return c.drain.progress.whole() >= record }, Heard: c.outbox.LastSeq(),
		Logger: c.log, Registry: o.Registry,
	})
}

func (c *Collector) openJournal(dir string, o journal.Options) (*journal.Journal, error) {
	o.Logger = c.log.With("journal", filepath.Base(dir))
	j, err := journal.Open(dir, o)
	if err != nil {
		return nil, fmt.Errorf("can't open the journal: %w", err)
	}
	c.opened.Push("the journal", closing(j.Close))
	return j, nil
}

func closing(f func() error) func(context.Context) error {
	return func(context.Context) error { return f() }
}

// task is a goroutine with an owner.
type task struct {
	stop  context.CancelFunc
	ended chan struct{}
}

// start runs f until the task is ended. Tasks end in the order of their starts.
func (c *Collector) start(f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	t := &task{stop: cancel, ended: make(chan struct{})}
	go func() {
		defer close(t.ended)
		f(ctx)
	}()
	c.tasks = append(c.tasks, t)
}

func (t *task) end() {
	t.stop()
	<-t.ended
}

// Start waits for the broker until ctx ends, publishes the city and starts feeding the database. A
// broker that refuses us is an error at once.
func (c *Collector) Start(ctx context.Context) error {
	if err := c.out.connect(ctx); err != nil {
		return err
	}
	c.start(c.keepHouse)
	c.start(c.drain.runFresh)
	c.start(c.drain.runBacklog)
	c.start(c.clerk.run) // ends after the drain, so that its last checkpoint has all of it
	if c.air != nil {
		c.start(c.air.Run)
		c.start(c.air.RunDeliveries)
	}
	c.start(c.out.run)
	if c.arrivals != nil {
		c.start(c.arrivals.run)
	}
	return nil
}

// Stop writes what is accepted to the database, as far as ctx leaves time for it, and closes the
// journals. What is left over stays in them for the next start. Nothing may be in Accept.
func (c *Collector) Stop(ctx context.Context) error {
	if len(c.tasks) > 0 {
		c.finish(ctx)
	}
	for _, t := range c.tasks {
		t.end()
	}
	if len(c.tasks) > 0 {
		c.out.close()
	}
	if c.air != nil {
		if err := c.air.Save(); err != nil {
			c.log.Error("can't save what is to be made of readings; what the last checkpoint kept is made again", "error", err)
		}
	}
	return errors.Join(c.city.save(), c.opened.Run(closeTimeout, c.log))
}

// finish waits a moment for what is accepted to be judged and stored.
func (c *Collector) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	if err := c.clerk.caughtUp(ctx, &c.clerk.done); err != nil {
		c.log.Warn("stopping with messages that are not judged yet; they stay in the journal", "records", c.clerk.behind())
		return
	}
	c.drain.finish(ctx)
}

// release gives back what of the journals nobody needs any more.
func (c *Collector) release(by covered) {
	if s := c.intake.Stats(); s.Full || half(s) {
		c.saveSnapshot() // the city needs what is not in its snapshot
	}
	for _, r := range []struct {
		journal *journal.Journal
		cursor  string
		passed  uint64
		needed  uint64 // records up to here are not
	}{
		{c.intake, clerkMark, by.judged, min(by.judged, c.city.saved.Load())},
		{c.outbox, drainMark, by.drained, by.drained},
	} {
		if err := r.journal.SaveCursor(r.cursor, r.passed); err != nil {
			c.log.Error("can't save the place in a journal", "cursor", r.cursor, "error", err)
		}
		if err := r.journal.Release(r.needed); err != nil {
			c.log.Error("can't release journal segments", "error", err)
		}
	}
}

// Pending returns how much is on disk and on its way to the database: records of the intake that are
// not judged, and parcels of the outbox.
func (c *Collector) Pending() uint64 { return c.clerk.behind() + c.drain.pending() }

// Publishing tells whether the live topics reach the broker now.
func (c *Collector) Publishing() bool { return c.out.up.Load() }

// Taking tells whether messages are taken in: whether there is room on disk.
func (c *Collector) Taking() bool { return !c.intake.Stats().Full && !c.outbox.Stats().Full }
