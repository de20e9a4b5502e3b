package consume

import (
	"context"
	"time"

	"nhip/internal/mqtt"
	"nhip/internal/topics"
)

// newWatchdog returns the watchdog of a session. When it ends the session, the next one receives what is not
// acknowledged.
func newWatchdog(n *session) *mqtt.Watchdog {
	l := &n.s.o.limits
	return &mqtt.Watchdog{
		Timings: mqtt.WatchTimings{Probe: l.probe, Silent: l.silent, Quiet: l.quiet},
		Probes:  &n.s.probes,
		Send:    func() { n.publish(topics.ProbeTopic(n.s.o.ClientID), nil, false) },
		// Messages wait for the acceptor, and paho may wait for space in the inbox.
		Busy:        func() bool { return n.inbox.len() > 0 },
		Resubscribe: n.resubscribe,
		End: func() {
			n.s.metrics.silent.Inc()
			n.end(mqtt.ErrSilent)
		},
	}
}

// runWatchdog watches until the session is over or ctx ends. It also publishes the census now and then, because the
// broker may have handled the will of the previous connection late.
func (n *session) runWatchdog(ctx context.Context) error { return n.watchdog.Run(ctx, n.publishCensus) }

// resubscribe subscribes again. The broker then sends the retained messages again, which a source skips.
func (n *session) resubscribe(ctx context.Context, state mqtt.SilentState) error {
	if state.First {
		n.s.log.Warn("no message arrives from the MQTT broker; subscribing again",
			"for", state.Quiet.Round(time.Second), "probes_come_back", state.Probes)
	}
	n.s.metrics.resubscribed.Inc()
	err := n.subscribe(ctx)
	if mqtt.IsRefusal(err) {
		n.clearCensus()
	}
	if err != nil {
		n.end(err)
	}
	return err
}

// checkProbes counts, after a session, whether the broker may have ended it because of a probe.
func (s *Source) checkProbes(n *session) {
	if s.probes.Ended(n.subscribed) {
		s.log.Warn("probes switched off: the MQTT broker keeps ending the connection and no probe has come back",
			"topic", topics.ProbeTopic(s.o.ClientID))
	}
}
