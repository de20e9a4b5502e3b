package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/pause"

	"github.com/prometheus/client_golang/prometheus"
)

// Times of a source. The moment is longer than the longest pause, so that two sources that take a
// client id from each other never look healthy in between.
const (
	awayFirst    = 2 * time.Second  // a broker takes about as long to start
	refusedFirst = 1 * time.Second  // a disk that was full may have room again
	longestPause = 15 * time.Second // how late, at the worst, a source notices that all is well again
	moment       = 20 * time.Second // a connection that lasts less was lost at once
)

// SourceOptions say where a source listens and who takes what it hears.
type SourceOptions struct {
	// Options name the broker. The client id names the session that the broker keeps, so it must
	// stay the same and be nobody else's. What to subscribe to and what to call is the source's own.
	Options
	Filters  []string // at least one
	Clock    nhip.Clock
	Door     nhip.Door
	Registry prometheus.Registerer // nil registers nothing

	pace pace
}

// pace are the times and the bounds of a source, smaller in tests.
type pace struct {
	away, refused, longest, moment, keepAlive, ping time.Duration
	probe, silent, quiet                            time.Duration // of the watchdog
	waiting, inHand                                 int
}

func usualPace() pace {
	return pace{
		away: awayFirst, refused: refusedFirst, longest: longestPause, moment: moment, keepAlive: keepAlive, ping: pingTimeout,
		probe: probeEvery, silent: silentFor, quiet: quietFor, waiting: maxInbox, inHand: maxUnacked,
	}
}

// Source carries a broker's messages through a door, and acknowledges each when the door has it on
// disk and not before. It loses nothing that the broker keeps: what is not acknowledged stays in the
// session there, also while the source is away, and is delivered again.
//
// MQTT 3.1.1 delivers again only on a new connection. So each connection is a session with a paho
// client of its own, and whatever ends it (the line, another client with the same id, a door that
// can't take a message) is answered by forgetting all that is not acknowledged, a pause, and a new
// session. Nothing of a former session can acknowledge anything in a later one.
type Source struct {
	o       SourceOptions
	filters []string
	log     *slog.Logger
	metrics *sourceMetrics
	diary   *diary

	session atomic.Pointer[session]
	failing atomic.Bool // the door did not take a message, and none since

	probed    atomic.Bool // a probe has come back, in any session
	mute      atomic.Bool // there are no more probes
	overProbe int         // sessions in a row that may have ended over one; the run loop's

	cancel  context.CancelFunc
	abandon chan struct{} // closed when Stop waits no longer
	done    chan struct{}
}

// NewSource checks the options. The errors name the field and its rule.
func NewSource(o SourceOptions) (*Source, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.pace == (pace{}) {
		o.pace = usualPace()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Source{
		o: o, filters: withoutCovered(o.Filters), log: o.Logger.With("component", "source", "url", o.broker()),
		abandon: make(chan struct{}), done: make(chan struct{}),
	}
	s.diary = newDiary(s.log, o.ClientID, o.pace, &s.failing)
	var err error
	s.metrics, err = newSourceMetrics(o.Registry, s)
	return s, err
}

func (o SourceOptions) check() error {
	if err := checkURL(o.URL); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	switch {
	case o.ClientID == "":
		return errors.New("client id: must not be empty, it names the session that the broker keeps")
	case len(o.Filters) == 0:
		return errors.New("filters: at least one is needed")
	case o.Clock == nil:
		return errors.New("clock: is missing")
	case o.Door == nil:
		return errors.New("door: is missing")
	}
	for i, f := range o.Filters {
		if err := CheckFilter(f); err != nil {
			return fmt.Errorf("filters[%d].%w", i, err)
		}
	}
	return nil
}

// Start begins to listen and returns at once. A broker that is away is tried until it is there.
func (s *Source) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.run(ctx)
}

// Stop takes no new messages, waits until the door has answered for those it has and their
// acknowledgements are on their way, and disconnects. What is left when ctx ends is not
// acknowledged, and Stop says so; an Accept that hangs is then left alone. The broker keeps the
// session.
func (s *Source) Stop(ctx context.Context) error {
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	left := s.inHand()
	close(s.abandon)
	<-s.done
	return fmt.Errorf("the door has not answered for %d messages of the MQTT broker at %s, which delivers them again: %w",
		left, s.o.broker(), ctx.Err())
}

// Connected reports whether the source is connected and its subscriptions are granted.
func (s *Source) Connected() bool {
	n := s.session.Load()
	return n != nil && n.isUp()
}

// inHand returns how many messages the door has and that are not acknowledged.
func (s *Source) inHand() int {
	if n := s.session.Load(); n != nil {
		return n.unacked.len()
	}
	return 0
}

// queued returns how many messages wait for the door.
func (s *Source) queued() int {
	if n := s.session.Load(); n != nil {
		return n.inbox.len()
	}
	return 0
}

// run makes one session after the other until ctx ends.
func (s *Source) run(ctx context.Context) {
	defer close(s.done)
	for ctx.Err() == nil {
		n := newSession(s)
		s.session.Store(n)
		err := n.serve(ctx)
		s.session.Store(nil)
		s.learn(n)
		if ctx.Err() != nil || !pause.For(ctx, s.diary.ended(err, n.lasted(), n.took.Load())) {
			return
		}
	}
}

// took notes that the door took messages, which ends what a refusal began.
func (s *Source) took() {
	if s.failing.CompareAndSwap(true, false) {
		s.log.Info("messages are taken in again")
	}
}
