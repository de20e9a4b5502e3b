// Package consume receives messages with QoS 1 from a persistent session of an MQTT broker, and acknowledges each after
// it is stored.
package consume

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/task"
	"nhip/internal/topics"
	"nhip/internal/wait"

	"github.com/prometheus/client_golang/prometheus"
)

// Timings of a source. stableAfter is longer than longestPause, so that two sources that take the session from each
// other never count as stable in between.
const (
	unreachableFirst = 2 * time.Second  // a broker takes about as long to start
	rejectedFirst    = 1 * time.Second  // a full disk may have space again
	longestPause     = 15 * time.Second // the longest time in which a source does not notice that the cause is gone
	stableAfter      = 20 * time.Second // a connection that is lost earlier counts as lost at once
)

// Options configure a Source.
type Options struct {
	// Options name the broker and the log-in. The client id names the session that the broker keeps, so it must
	// never change and no other client may use it. The source sets the filters and callbacks itself.
	mqtt.Options
	Filters  []string // at least one
	Clock    nhip.Clock
	Acceptor nhip.Acceptor
	Registry prometheus.Registerer // nil registers no metrics
	// Census, if it is set, returns the name of a collector and its counts. The source publishes them as its retained
	// census, with its filters, on each connection after the broker has granted the filters; the broker clears it when
	// the connection is lost (by the will), and the source when it is stopped. It travels over the connection of the
	// subscription, so that no broker that has lost the subscription keeps or gets the census.
	Census func() (collector string, c topics.Census)

	limits limits
}

// limits are the timings and bounds of a source. Tests use smaller ones.
type limits struct {
	unreachable, rejected, longest, stable time.Duration // of the session log
	keepAlive, ping                        time.Duration
	probe, silent, quiet                   time.Duration // of the watchdog
	inbox, unacked                         int
}

func defaultLimits() limits {
	watch := mqtt.DefaultWatch()
	return limits{
		unreachable: unreachableFirst, rejected: rejectedFirst, longest: longestPause, stable: stableAfter,
		keepAlive: mqtt.KeepAlive, ping: mqtt.PingTimeout,
		probe: watch.Probe, silent: watch.Silent, quiet: watch.Quiet, inbox: maxInbox, unacked: maxUnacked,
	}
}

// Source passes a broker's messages to an acceptor, and acknowledges each once the acceptor has stored it, not before.
// It loses no message that the broker keeps: a message that is not acknowledged stays in the session at the broker,
// also while the source is not connected, and is delivered again.
//
// MQTT 3.1.1 redelivers only on a new connection. Each connection is therefore a session with a paho client of its own.
// When it ends, whatever the cause (a lost connection, another client with the same id, an acceptor that rejects a
// message), the source forgets every unacknowledged message, pauses, and opens a new session. No event of an earlier
// session can acknowledge a message of a later one.
type Source struct {
	o          Options
	filters    []string
	log        *slog.Logger
	metrics    *metrics
	sessionLog *sessionLog

	session   atomic.Pointer[session]
	rejecting atomic.Bool // the acceptor has rejected a message and accepted none since

	losses mqtt.Losses
	probes mqtt.Probes // Ended is called by run only

	tasks     *task.Group     // run
	abandoned context.Context // ends when Stop stops waiting for the acceptor
	abandon   context.CancelFunc
}

// New checks the options. An error names the option and its rule.
func New(o Options) (*Source, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.limits == (limits{}) {
		o.limits = defaultLimits()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Source{
		o: o, filters: topics.WithoutCovered(o.Filters),
		log: o.Logger.With("component", "source", "url", o.RedactedURL()), tasks: task.NewGroup(),
	}
	s.abandoned, s.abandon = context.WithCancel(context.Background())
	s.sessionLog = newSessionLog(s.log, o.ClientID, o.limits, &s.rejecting)
	var err error
	s.metrics, err = newMetrics(o.Registry, s)
	return s, err
}

func (o Options) check() error {
	if _, err := mqtt.ParseURL(o.URL); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	switch {
	case o.ClientID == "":
		return errors.New("client id: must not be empty, it names the session that the broker keeps")
	case len(o.Filters) == 0:
		return errors.New("filters: at least one is required")
	case o.Clock == nil:
		return errors.New("clock: is required")
	case o.Acceptor == nil:
		return errors.New("acceptor: is required")
	}
	for i, f := range o.Filters {
		if err := topics.CheckFilter(f); err != nil {
			return fmt.Errorf("filters[%d].%w", i, err)
		}
	}
	return nil
}

// Start connects in the background and returns at once. It retries until the broker is reached.
func (s *Source) Start() { s.tasks.Go("source", s.run) }

// Stop accepts no more messages, waits until the acceptor has answered for those that it holds and their
// acknowledgements are sent, and disconnects. If ctx ends before, the remaining messages are not acknowledged, Stop
// returns an error, and a call of Accept that still blocks is left to itself. The broker keeps the session.
func (s *Source) Stop(ctx context.Context) error {
	defer s.abandon()
	if err := s.tasks.Stop(ctx); err == nil {
		return nil
	}
	held := s.unackedCount()
	s.abandon()
	_ = s.tasks.Wait(context.Background()) // the only task waits for nothing else now
	return fmt.Errorf("%d messages of the MQTT broker at %s are not stored in time and will be delivered again: %w",
		held, s.o.RedactedURL(), ctx.Err())
}

// Connected reports whether the source is connected and its subscriptions are granted.
func (s *Source) Connected() bool {
	n := s.session.Load()
	return n != nil && n.usable()
}

// Fault returns why the connection is not reliable, or "": it was lost again and again; see mqtt.Losses.
func (s *Source) Fault() string { return s.losses.Fault() }

// PublishCensus publishes the census again, because its counts have changed. It does nothing while the source is not
// connected.
func (s *Source) PublishCensus() {
	if n := s.session.Load(); n != nil && n.usable() {
		n.publishCensus()
	}
}

// unackedCount returns how many messages the acceptor holds that are not acknowledged.
func (s *Source) unackedCount() int {
	if n := s.session.Load(); n != nil {
		return n.unacked.len()
	}
	return 0
}

// inboxCount returns how many messages wait for the acceptor.
func (s *Source) inboxCount() int {
	if n := s.session.Load(); n != nil {
		return n.inbox.len()
	}
	return 0
}

// run opens one session after the other until ctx ends.
func (s *Source) run(ctx context.Context) error {
	for ctx.Err() == nil {
		n := newSession(s)
		s.session.Store(n)
		err := n.serve(ctx)
		s.session.Store(nil)
		s.checkProbes(n)
		if ctx.Err() != nil {
			break
		}
		if n.lasted() > 0 {
			s.losses.Add(err)
		}
		pause := s.sessionLog.ended(err, n.lasted(), n.accepted.Load())
		if wait.Sleep(ctx, pause) != nil {
			break
		}
	}
	return ctx.Err()
}

// messageAccepted logs that the acceptor accepts messages again after it had rejected one.
func (s *Source) messageAccepted() {
	if s.rejecting.CompareAndSwap(true, false) {
		s.log.Info("messages are stored again")
	}
}
