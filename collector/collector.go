// Package collector decodes and checks messages and journals their outcome; only then is the sender acknowledged. From
// the journal, new facts go to InfluxDB, and the current state of buses and stations to retained MQTT topics.
package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"nhip"
	"nhip/collector/air"
	"nhip/collector/deadletter"
	"nhip/collector/decode"
	"nhip/collector/document"
	"nhip/collector/ledger"
	"nhip/collector/live"
	"nhip/collector/photos"
	"nhip/collector/remind"
	"nhip/collector/schedule"
	"nhip/geo/alert"
	"nhip/geo/network"
	"nhip/geo/qc"
	"nhip/internal/cleanup"
	"nhip/internal/damage"
	"nhip/internal/journal"
	"nhip/internal/mqtt"
	"nhip/internal/recovery"
	"nhip/internal/rpc"
	"nhip/internal/task"
	"nhip/internal/topics"
	"nhip/internal/training"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// Options configure a Collector.
type Options struct {
	ID        string // unique among collectors; part of topics and of ledger rows
	Dir       string // folder of journals, ledger, snapshot and dead letters
	Feeds     []decode.Feed
	Simulated bool // accept simulated facts
	Private   bool // the positions of stations that no fleet has ever named are private
	Clock     nhip.Clock
	Store     Store
	Broker    mqtt.Options // for live topics; the collector sets Logger, OnUp and OnDown
	Logger    *slog.Logger
	Registry  prometheus.Registerer

	JournalBytes int64            // maximum size of intake and outbox together; at least MinJournalBytes
	Late         time.Duration    // maximum age of facts, and how long duplicates are recognised
	Network      *network.Network // timetable on which buses are tracked; nil: buses are not tracked
	HFP          bool             // publish buses as HFP messages, too
	MinFree      int64            // bytes of disk space that the intake leaves free; the outbox leaves half of that
	DeadBytes    int64            // maximum size of dead letters; the oldest day is deleted first
	PhotoBytes   int64            // maximum size of the photos of reports; the oldest day is deleted first
	PhotoKeep    time.Duration    // how long photos are kept
	Air          Air              // processing of readings
	Markers      MarkerStore      // the database of Store; nil: not checked whether it is made anew
	Retention    Retention        // age limits of the history
	Keeping      RetentionStore   // database that Retention applies to; nil: nothing can be deleted
	Budget       Budget           // what one sender may create
	Reminders    Reminders        // of riders
	Mails        *Mails           // how scheduled reports are mailed; nil: they are not
	BacklogRate  int              // rows per second written of a backlog; 0: no limit
	Damage       *damage.Log      // reports damaged files that are set aside; may be nil

	// PublishCensus publishes the census with the counts that Census returns and with what was subscribed. nil: the
	// collector gets every message of devices, and publishes its census itself.
	PublishCensus func()
}

// Air configures the assessment and aggregation of readings.
type Air struct {
	History      air.History    // past readings; nil: readings are stored without assessment
	Rules        *qc.Rules      // nil: the default rules
	Completeness float64        // share of values required for a mean of an hour or a day; 0: three quarters
	Zone         *time.Location // time zone of days and months for stations without one in the fleet file
	Alerts       []alert.Rule   // when to alert staff
	Deliver      []air.Deliverer
}

// Reminders configures how reminders of riders are decided and delivered.
type Reminders struct {
	History training.History  // arrivals that predictions learn from; nil: they follow the timetable
	Lean    float64           // as in the api; see predict.NewLeaning
	Reach   float64           // m from the nearest monitor up to which the air is estimated; 0: the default
	Secrets map[string]string // of web hooks, by host
	Client  *http.Client      // asks web hooks; nil: nobody does
}

// MinJournalBytes is the minimum of Options.JournalBytes: a journal frees space by whole segments, and one segment
// must hold the longest record.
const MinJournalBytes = 64 << 20

// dropLogEvery is the least time between two log lines about dropped fields.
const dropLogEvery = 10 * time.Second

// intakeShare is the fraction of JournalBytes for the intake, one in intakeShare. The intake is read as fast as it is
// written; a backlog builds up in the outbox during a database outage.
const intakeShare = 4

// Collector is an nhip.Acceptor that stores what it accepts.
type Collector struct {
	decodeStage

	id         string
	beginClock func() // starts a replayed clock
	metrics    *metrics
	dropLog    *rate.Limiter // of log lines about dropped fields, which senders cause
	sampler    *deadletter.Sampler

	intake    *journal.Journal // outcomes of messages, in order of arrival
	outbox    *journal.Journal // rows to write to the database
	ledger    *ledger.Ledger
	state     *live.State
	documents *document.Store
	dedup     *deduplicator
	writer    *dbWriter
	publisher *live.Publisher
	air       *air.Processor      // nil without Options.Air.History
	arrivals  *live.ArrivalWriter // nil if buses are not tracked
	retention *retention
	schedules *schedule.Sender // nil without Options.Mails
	keeper    *housekeeper
	marker    *databaseMarker // nil without Options.Markers
	photos    *photos.Store
	reminders *remind.Decider
	losses    losses

	// Opened before the parts that use them, to find the last records that they refer to.
	progress            *progress
	letters, rowLetters *deadletter.Store
	enqueued            uint64 // last intake record whose rows are in the outbox
	unqueued            unqueued
	leftOver            []byte

	deadDir      string
	maxDeadBytes int64
	refused      *deadletter.Refused // counted by housekeeping
	finder       *deadletter.Finder

	opened cleanup.Stack // files that New opened
	tasks  []*task.Group // one goroutine each, in the order in which they are stopped
}

// New opens the collector's journals and ledger, and rebuilds the live state from its snapshot and the journal. It
// needs neither the broker nor the database.
func New(o Options) (*Collector, error) {
	feeds, err := bindFeeds(o.Feeds)
	if err != nil {
		return nil, err
	}
	c := &Collector{
		decodeStage: decodeStage{
			feeds: append(feeds, userActionFeed()), clock: o.Clock, late: o.Late, simulated: o.Simulated,
			log: o.Logger.With("component", "collector"), guard: recovery.NewGuard(o.Registry, o.Logger),
		},
		id: o.ID, beginClock: func() {}, metrics: newMetrics(o.Registry), sampler: deadletter.NewSampler(),
		dropLog: rate.NewLimiter(rate.Every(dropLogEvery), 1),
		deadDir: filepath.Join(o.Dir, "dead"), maxDeadBytes: o.DeadBytes,
	}
	c.losses.log, c.losses.metrics = c.log, c.metrics
	c.dropped = c.noteDropped
	c.refused, c.finder = deadletter.NewRefused(c.deadDir), deadletter.NewFinder(c.deadDir)
	if replayed, ok := o.Clock.(*nhip.ReplayClock); ok {
		c.beginClock = replayed.Begin
	}
	if err := c.open(o); err != nil {
		return nil, errors.Join(err, c.opened.Run(closeTimeout, c.log))
	}
	c.retention = &retention{policy: o.Retention, store: o.Keeping, air: c.air, clock: c.clock, log: c.log}
	if o.Markers != nil {
		c.marker = &databaseMarker{
			collector: c.id, markers: o.Markers, store: o.Store, ledger: c.ledger, clock: c.clock, log: c.log,
		}
	}
	c.keeper = &housekeeper{
		state: c.state, budget: c.budget, refused: c.refused, deadDir: c.deadDir, maxDeadBytes: c.maxDeadBytes,
		late: c.late, photos: c.photos, clock: c.clock, log: c.log,
	}
	c.watch(o.Registry)
	return c, nil
}

// closeTimeout is the time limit for closing one file.
const closeTimeout = 10 * time.Second

// open opens the parts in the order in which they refer to each other's records, see notes.go.
func (c *Collector) open(o Options) (err error) {
	for _, dir := range []string{"", "journal", "outbox", "ledger", "dead", "documents"} {
		o.Damage.Folder(filepath.Join(o.Dir, dir))
	}
	c.ledger, err = ledger.Open(filepath.Join(o.Dir, "ledger"), ledger.Options{Late: c.late, Logger: c.log})
	if err != nil {
		return fmt.Errorf("can't open the ledger: %w", err)
	}
	c.opened.Push("the ledger", closing(c.ledger.Close))
	c.losses.resume(c.ledger.Mark(reconcileMark))
	c.photos, err = photos.Open(photos.Options{
		Dir: filepath.Join(o.Dir, "photos"), MaxBytes: o.PhotoBytes, Keep: o.PhotoKeep, Clock: o.Clock, Registry: o.Registry,
	})
	if err != nil {
		return err
	}
	if err := c.openOutbox(o); err != nil {
		return err
	}
	if err := c.openIntake(o); err != nil {
		return err
	}
	c.documents, err = document.Open(document.Options{
		Dir: filepath.Join(o.Dir, "documents"), Mark: c.ledger.Mark(documentsMark), Damage: o.Damage, Logger: c.log,
		Registry: o.Registry,
	})
	if err != nil {
		return fmt.Errorf("can't open the documents: %w", err)
	}
	if err := c.openLive(o); err != nil {
		return err
	}
	c.openReminders(o)
	c.writer = newDBWriter(dbWriterOptions{
		outbox: c.outbox, store: o.Store, ledger: c.ledger, backlogRate: o.BacklogRate,
		letters: c.rowLetters, progress: c.progress, losses: &c.losses, refused: c.refused, maxDead: c.maxDeadBytes,
		publisher: c.publisher, log: c.log, metrics: c.metrics,
	})
	if o.Air.History != nil {
		if c.air, err = c.newAir(o); err != nil {
			return err
		}
		c.air.SetCalibrations(c.documents.List(nhip.DocumentCalibration)) // as of the checkpoint
	}
	c.opened.Push("the database writer", closing(c.writer.close))
	c.dedup, err = openDeduplicator(deduplicatorOptions{
		guard:  c.guard,
		intake: c.intake, outbox: c.outbox, ledger: c.ledger, letters: c.letters, deadDir: c.deadDir, collector: c.id,
		enqueued: c.enqueued, unqueued: c.unqueued, leftOver: c.leftOver, losses: &c.losses,
		publisher: c.publisher, documents: c.documents, air: c.air,
		routes: newRouteTags(c.state.KnowsRoute), clock: c.clock, log: c.log,
		metrics: c.metrics, written: c.progress.contiguous, release: c.release,
	})
	if err != nil {
		return err
	}
	c.opened.Push("the deduplicator", closing(c.dedup.close))
	if o.Mails != nil && c.air != nil {
		if c.schedules, err = c.newSchedules(o); err != nil {
			return err
		}
	}
	return c.openBudget(o)
}

// openOutbox opens the outbox, whose records the ledger and the dead letters of rows refer to. On a full disk, the
// outbox and the ledger must still have room for what the intake has accepted, because only a checkpoint of the ledger
// frees space in both journals. The intake therefore leaves more of the disk free.
func (c *Collector) openOutbox(o Options) (err error) {
	if c.progress, err = newProgress(c.ledger); err != nil {
		return err
	}
	known, err := readMark(c.ledger, outboxMark)
	if err != nil {
		return err
	}
	c.rowLetters, err = deadletter.Open(c.deadDir, c.id, deadletter.Rows, c.progress.contiguous())
	if err != nil {
		return err
	}
	c.outbox, err = c.openJournal(filepath.Join(o.Dir, "outbox"), journal.Options{
		MaxBytes: o.JournalBytes - o.JournalBytes/intakeShare, MaxRecord: maxOutboxRecord, MinFree: o.MinFree / 2,
		KnownSeq: max(known, c.progress.head()-1, c.rowLetters.LastSeq()),
	})
	return err
}

// openIntake opens the intake, whose records the ledger, the outbox, the snapshot and the dead letters refer to.
func (c *Collector) openIntake(o Options) (err error) {
	classified, err := readMark(c.ledger, dedupMark)
	if err != nil {
		return err
	}
	if c.enqueued, err = lastEnqueued(c.outbox); err != nil {
		return fmt.Errorf("can't read the outbox: %w", err)
	}
	c.unqueued = unqueued{filepath.Join(o.Dir, "unqueued")}
	leftOver, through, err := c.unqueued.load(c.ledger)
	c.leftOver = leftOver
	if err != nil && through > c.enqueued {
		c.losses.lost.Store(true)
		c.losses.outbox.Add(1)
		c.losses.note("an outbox record that had no room in the outbox is lost", "error", err)
	}
	if c.letters, err = deadletter.Open(c.deadDir, c.id, deadletter.Messages, classified); err != nil {
		return err
	}
	c.intake, err = c.openJournal(filepath.Join(o.Dir, "journal"), journal.Options{
		MaxBytes: o.JournalBytes / intakeShare, MaxRecord: maxRecord, MinFree: o.MinFree,
		KnownSeq: max(classified, c.enqueued, through, live.SnapshotSeq(c.snapshotPath(o)), c.letters.LastSeq()),
	})
	return err
}

func (c *Collector) snapshotPath(o Options) string { return filepath.Join(o.Dir, "live.jsonl") }

func (c *Collector) openJournal(dir string, o journal.Options) (*journal.Journal, error) {
	o.Logger = c.log.With("journal", filepath.Base(dir))
	j, err := journal.Open(dir, o)
	if err != nil {
		return nil, fmt.Errorf("can't open the journal: %w", err)
	}
	c.opened.Push("the journal", closing(j.Close))
	if n := j.Stats().MissingSeqs; n > 0 {
		c.losses.note("journal is missing or older than the ledger and other files; numbering continues after them",
			"journal", filepath.Base(dir), "missing_seqs", n, "next_seq", j.LastSeq()+1)
	}
	return j, nil
}

func closing(f func() error) func(context.Context) error {
	return func(context.Context) error { return f() }
}

// openLive restores the live state and creates its publisher.
func (c *Collector) openLive(o Options) (err error) {
	m := live.NewMetrics(o.Registry)
	if o.Network != nil {
		c.arrivals = live.NewArrivalWriter(o.Store, c.log, m)
	}
	c.state, err = live.Restore(live.Options{
		Path: c.snapshotPath(o), Private: filepath.Join(o.Dir, "private-stations.json"), Unknown: o.Private,
		Journal: c.intake, Clock: o.Clock, Latencies: latencies(o.Feeds),
		Network: o.Network, Arrivals: c.arrivals, Damage: o.Damage, Metrics: m, Guard: c.guard, Logger: c.log,
	})
	if err != nil {
		return err
	}
	c.timetable = c.state.Timetable
	o.Broker.Guard, o.Broker.Registry = c.guard, o.Registry
	server := rpc.NewServer(rpc.ServerOptions{
		Name: c.id, Handlers: c.handlers(), Logger: c.log, Registerer: o.Registry,
	})
	c.publisher = live.NewPublisher(live.PublisherOptions{
		Collector: c.id, State: c.state, Documents: c.documents, Broker: c.subscribe(server.Extend(o.Broker)), RPC: server,
		OpenAlerts: c.openAlerts, Arrivals: c.arrivals, HFP: o.HFP, Metrics: m, Logger: c.log,
		PublishCensus: o.PublishCensus, Since: func() int64 { return c.reminders.Since() },
	})
	return nil
}

func (c *Collector) openAlerts() []nhip.Alert {
	if c.air == nil {
		return nil
	}
	return c.air.OpenAlerts()
}

func (c *Collector) newAir(o Options) (*air.Processor, error) {
	return air.New(air.Options{
		Dir: filepath.Join(o.Dir, "air"), Clock: o.Clock, Store: o.Store, History: o.Air.History, Rules: o.Air.Rules,
		Completeness: o.Air.Completeness, Zone: o.Air.Zone, Publish: c.state.Assess,
		Alerts: o.Air.Alerts, Deliverers: o.Air.Deliver, PublishAlert: c.publisher.Alert,
		Stored: func(seq uint64) bool { return c.writer.progress.contiguous() >= seq }, LastRecord: c.outbox.LastSeq(),
		Stations: c.state.Stations, Damage: o.Damage, Guard: c.guard, Logger: c.log, Registry: o.Registry,
	})
}

// Start waits for the broker until ctx ends, publishes the live state and starts writing to the database. It returns
// an error at once if the broker refuses the connection.
func (c *Collector) Start(ctx context.Context) error {
	if err := c.publisher.Connect(ctx); err != nil {
		return err
	}
	c.start("reminders", c.reminders.Run)
	c.start("housekeeping", c.keeper.run)
	c.start("database writer", c.writer.runFresh)
	c.start("backlog writer", c.writer.runBacklog)
	if c.marker != nil {
		c.start("database marker", c.marker.run)
	}
	c.start("deduplicator", c.dedup.run) // stops after the writers, so that its last checkpoint includes all they wrote
	if c.air != nil {
		c.start("air", c.air.Run)
		c.start("alert delivery", c.air.RunDeliveries)
	}
	if c.schedules != nil {
		c.start("scheduled reports", c.schedules.Run)
	}
	c.start("publisher", c.publisher.Run)
	c.start("privacy", c.state.RunPrivacy)
	if c.arrivals != nil {
		c.start("arrival writer", c.arrivals.Run)
	}
	return nil
}

// start runs a goroutine until Stop, which ends the goroutines one by one in the order of their starts.
func (c *Collector) start(name string, run func(context.Context) error) {
	g := task.NewGroup()
	g.Go(name, run)
	c.tasks = append(c.tasks, g)
}

// Stop writes the accepted facts to the database as far as ctx leaves time for it, and closes the journals. The rest
// stays in them for the next start. No call of Accept may be in progress.
func (c *Collector) Stop(ctx context.Context) error {
	var errs []error
	if len(c.tasks) > 0 {
		c.finish(ctx)
	}
	for _, t := range c.tasks {
		errs = append(errs, t.Stop(context.Background())) // an early return would break the order
	}
	if len(c.tasks) > 0 {
		c.publisher.Close()
	}
	if c.air != nil {
		if err := c.air.Save(); err != nil {
			c.log.Error("can't save the pending air jobs; they restart from the last checkpoint", "error", err)
		}
	}
	c.budget.save(c.log)
	errs = append(errs, c.state.Save(), c.opened.Run(closeTimeout, c.log))
	return errors.Join(errs...)
}

// finish waits for a moment until all accepted facts are classified and stored.
func (c *Collector) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	if err := c.dedup.caughtUp(ctx, &c.dedup.done); err != nil {
		c.log.Warn("stopping with unclassified messages, which stay in the journal", "records", c.dedup.behind())
		return
	}
	c.writer.finish(ctx)
}

// release frees the parts of the journals that a checkpoint covers.
func (c *Collector) release(covered checkpointMarks) {
	if s := c.intake.Stats(); s.Full || halfFull(s) {
		c.keeper.saveSnapshot() // the intake also holds what the snapshot lacks
	}
	for _, r := range []struct {
		journal   *journal.Journal
		cursor    string
		position  uint64
		releaseTo uint64 // last record that is not needed any more
	}{
		{c.intake, dedupMark, covered.classified, min(covered.classified, c.state.SavedSeq())},
		{c.outbox, writerMark, covered.written, covered.written},
	} {
		if err := r.journal.SaveCursor(r.cursor, r.position); err != nil {
			c.log.Error("can't save a journal cursor", "cursor", r.cursor, "error", err)
		}
		if err := r.journal.Release(r.releaseTo); err != nil {
			c.log.Error("can't release journal segments", "error", err)
		}
	}
}

// UseTimetable tracks buses on another timetable from now on.
func (c *Collector) UseTimetable(n *network.Network) error { return c.state.UseTimetable(n) }

// Census returns the name of the collector and the number of its live buses and stations.
func (c *Collector) Census() (collector string, counts topics.Census) {
	counts = c.state.Census()
	counts.Documents, counts.Since = c.documents.Count(), c.reminders.Since()
	return c.id, counts
}

// Pending returns the number of records that are not processed yet: unclassified ones of the intake and unwritten ones
// of the outbox.
func (c *Collector) Pending() uint64 { return c.dedup.behind() + c.writer.pending() }

// Publishing reports whether the broker is reachable for live topics now.
func (c *Collector) Publishing() bool { return c.publisher.Connected() }

// ConnectionFault returns why live topics are not published reliably, or "": the connection to the broker was lost
// again and again.
func (c *Collector) ConnectionFault() string { return c.publisher.Fault() }

// Intact reports whether no acknowledged message was lost and no journal was found missing in the last 24 hours, as far
// as this process knows.
func (c *Collector) Intact() bool { return !c.losses.recent() }

// Taking reports whether messages are accepted, that is whether intake and outbox have room.
func (c *Collector) Taking() bool { return !c.intake.Stats().Full && !c.outbox.Stats().Full }

func (c *Collector) knownPath(o Options) string { return filepath.Join(o.Dir, "known-series") }

// openBudget opens what budgets remember.
func (c *Collector) openBudget(o Options) error {
	known, err := openKnownSeries(c.knownPath(o), c.ledger.EachDevice)
	if known == nil {
		return err
	}
	if err != nil {
		o.Damage.SetAside(c.knownPath(o), err)
	}
	c.budget = newBudget(o.Budget, known, c.clock)
	return nil
}
