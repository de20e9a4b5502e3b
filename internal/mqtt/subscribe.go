package mqtt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"nhip/internal/topics"
	"nhip/internal/wait"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// maxSubscribes is how many SUBSCRIBE packets are sent over one connection without an answer before it is dropped.
const maxSubscribes = 4

// subscription is the attempts to subscribe on one connection. The answer to any of them counts, however late it comes.
type subscription struct {
	c        *Client
	outcomes chan error // of the SUBSCRIBE packets
	open     int        // packets without an answer
	refused  string     // error that was logged last
}

// subscribe subscribes until the broker grants the filters. It returns an error only when ctx ends, which the loss of
// the connection does.
func (c *Client) subscribe(ctx context.Context) error {
	if len(c.filters()) == 0 {
		return nil
	}
	s := &subscription{c: c, outcomes: make(chan error, maxSubscribes)}
	for pause := c.o.timings.resend; ; pause *= 2 {
		s.send(ctx)
		err := s.await(ctx, pause)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if err := s.failed(ctx, err); err != nil {
			return err
		}
	}
}

// filters returns the filters with the one of the probes.
func (c *Client) filters() map[string]byte {
	if !c.o.Watch || !c.probes.Enabled() {
		return c.o.Subscribe
	}
	filters := maps.Clone(c.o.Subscribe)
	if filters == nil {
		filters = make(map[string]byte)
	}
	filters[topics.ProbeTopic(c.o.ClientID)] = 0
	return filters
}

// send sends one SUBSCRIBE.
func (s *subscription) send(ctx context.Context) {
	s.open++
	token := s.c.paho.SubscribeMultiple(s.c.filters(), nil)
	s.c.tasks.Go("awaiting a SUBACK", func(context.Context) error {
		select {
		case <-token.Done():
			s.outcomes <- s.c.granted(token)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

func (c *Client) granted(token paho.Token) error {
	if err := token.Error(); err != nil {
		return c.o.Explain(err)
	}
	return c.o.CheckGranted(token, 0, topics.ProbeTopic(c.o.ClientID))
}

// await waits for an answer.
func (s *subscription) await(ctx context.Context, patience time.Duration) error {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case err := <-s.outcomes:
		s.open--
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return s.c.o.Unresponsive(ErrNoSuback)
	}
}

// failed reports a failure and decides how to go on: a refusal is tried again later, when somebody may have changed the
// rules of the broker; a connection without an answer is dropped after some attempts.
func (s *subscription) failed(ctx context.Context, err error) error {
	if text := err.Error(); text != s.refused {
		s.refused = text
		s.c.log.Error("can't subscribe; trying again", "error", err)
	}
	s.c.report(err)
	switch {
	case IsRefusal(err):
		return wait.Sleep(ctx, s.c.o.timings.refused)
	case !errors.Is(err, ErrNoSuback): // the connection is about to end
		return wait.Sleep(ctx, s.c.o.timings.resend)
	}
	if s.open >= maxSubscribes {
		s.c.drop()
		<-ctx.Done() // the loss ends it
		return fmt.Errorf("subscription given up: %w", ctx.Err())
	}
	return nil
}

// newWatchdog returns the watchdog of a new connection; nil without Options.Watch.
func (c *Client) newWatchdog() *Watchdog {
	if !c.o.Watch {
		return nil
	}
	w := &Watchdog{
		Timings: c.o.timings.watch, Probes: &c.probes,
		Send: func() {
			if conn := c.conn.Load(); conn != nil {
				_, _ = (*conn).Write(Packet(topics.ProbeTopic(c.o.ClientID), nil, false)) // the reader reports the error
			}
		},
		End: func() {
			c.log.Warn("the MQTT broker delivers nothing; opening a new connection", "error", ErrSilent)
			c.drop()
		},
		Resubscribe: func(ctx context.Context, state SilentState) error {
			if state.First {
				c.log.Warn("no message arrives from the MQTT broker; subscribing again",
					"for", state.Quiet.Round(time.Second), "probes_come_back", state.Probes)
			}
			return c.subscribe(ctx)
		},
	}
	w.Begin()
	c.watchdog.Store(w)
	return w
}

// watch runs the watchdog of a connection until ctx ends.
func (c *Client) watch(ctx context.Context, w *Watchdog) error {
	defer func() {
		if c.probes.Ended(true) {
			c.log.Warn("probes switched off: the MQTT broker keeps ending the connection and no probe has come back",
				"topic", topics.ProbeTopic(c.o.ClientID))
		}
	}()
	var waited atomic.Bool
	return w.Run(ctx, func() {
		if w.lastProbe.Load() == 0 && !waited.Swap(true) && c.o.OnRetained != nil {
			c.o.OnRetained() // the broker may allow no probes
		}
	})
}
