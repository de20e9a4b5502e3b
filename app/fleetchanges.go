package app

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"nhip"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
	"nhip/internal/topics"
	"nhip/internal/wait"
)

// changesEvery bounds how often changes of devices come into force: after a start, all arrive at once.
const changesEvery = 50 * time.Millisecond

// fleetChanges receives what staff change of devices over the web, and puts it into force. Until all changes of the
// broker were received on a connection, those that were in force before stay.
type fleetChanges struct {
	*runtime
	watch *fleet.Watch
	wake  chan struct{}

	mu       sync.Mutex
	received fleet.Changes // on this connection
	retained bool          // the retained messages of this connection have probably all arrived
	census   bool          // a collector, which publishes the changes, is there
}

// followFleetChanges applies the changes that a broker has to a fleet until the role stops.
func (r *runtime) followFleetChanges(w *fleet.Watch, broker mqtt.Options) {
	c := &fleetChanges{runtime: r, watch: w, received: make(fleet.Changes), wake: make(chan struct{}, 1)}
	r.run("changes of devices", c.apply)
	r.run("receiving changes of devices", func(ctx context.Context) error { return c.receive(ctx, broker) })
}

// update changes what was received, and wakes apply.
func (c *fleetChanges) update(change func()) {
	c.mu.Lock()
	change()
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// handle applies a message.
func (c *fleetChanges) handle(topic string, payload []byte, _ bool) {
	if _, ok := topics.ParseCensus(topic); ok {
		c.update(func() { c.census = c.census || len(payload) > 0 })
		return
	}
	kind, id, ok := topics.ParseDocument(topic)
	if !ok || kind != nhip.DocumentDevice {
		return
	}
	var state nhip.DocumentState
	var change nhip.DeviceChange
	if len(payload) > 0 {
		err := json.Unmarshal(payload, &state)
		if err == nil && state.Exists() {
			err = json.Unmarshal(state.Body, &change)
		}
		if err != nil {
			c.log.Error("undecodable change of a device", "device", id, "error", err)
			return
		}
	}
	c.update(func() {
		if c.received[id] = change; !state.Exists() {
			delete(c.received, id)
		}
	})
}

// apply puts changes into force until ctx ends.
func (c *fleetChanges) apply(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.wake:
		}
		if err := wait.Sleep(ctx, changesEvery); err != nil {
			return err
		}
		c.mu.Lock()
		complete, changes := c.retained && c.census, maps.Clone(c.received)
		c.mu.Unlock()
		if complete {
			c.watch.SetChanges(changes)
		}
	}
}

// receive receives until ctx ends. A broker that refuses the account is logged; the file is in force without this.
func (c *fleetChanges) receive(ctx context.Context, o mqtt.Options) error {
	o.Logger = c.log
	o.Subscribe = map[string]byte{topics.Devices: 1, topics.LiveCensus: 1}
	o.Watch = true
	o.Handle = c.handle
	o.OnConnect = func() {
		c.update(func() { c.received, c.retained, c.census = make(fleet.Changes), false, false })
	}
	o.OnRetained = func() { c.update(func() { c.retained = true }) }
	client, err := mqtt.DialRetry(ctx, o)
	if err != nil {
		if ctx.Err() == nil {
			c.log.Error("changes of devices not received", "error", err)
		}
		return nil
	}
	defer client.Close()
	<-ctx.Done()
	return ctx.Err()
}
