package api

import (
	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/topics"
)

// brokerOptions returns the options of the connection that subscribes to the live topics and the events for staff.
func (a *API) brokerOptions() mqtt.Options {
	o := a.o.Broker
	o.Logger, o.Guard, o.Registry = a.log, a.guard, a.o.Registry
	o.Subscribe = map[string]byte{
		topics.LiveBuses: 0, topics.LiveAir: 0, topics.LiveCensus: 0, topics.LiveService: 0, topics.Fleet: 0,
		topics.Arrivals: 0,
		topics.Reviews:  1, topics.Acks: 1, topics.Alerts: 1,
	}
	o.Handle = a.receive
	o.OnConnect = a.live.Connected
	o.Watch, o.OnRetained = true, a.live.RetainedReceived
	o.OnUp = func() { a.broker.Store(true) }
	o.OnDown = func(error) { a.broker.Store(false) }
	return o
}

// receive passes a message to the events for staff or to the live state.
func (a *API) receive(topic string, payload []byte, retained bool) {
	if !retained && a.o.Begin != nil {
		a.o.Begin()
	}
	if a.events.Receive(topic, payload) {
		return
	}
	if err := a.live.Receive(topic, payload); err != nil {
		a.log.Error("undecodable live message", "topic", topic, "error", err)
	}
}

// receiving reports whether the broker is connected, has granted the subscriptions, and delivers.
func (a *API) receiving() bool {
	client := a.client.Load()
	return a.broker.Load() && (client == nil || !client.Silent())
}

// publish publishes a user action to the collectors. The error of a missing connection has nhip.CodeUnavailable.
func (a *API) publish(topic string, payload []byte) error {
	client := a.client.Load()
	if client == nil || !a.receiving() {
		return nhip.Errorf(nhip.CodeUnavailable, "", "the MQTT broker is not connected; try again")
	}
	token := client.Publish(topic, 1, false, payload)
	select {
	case <-token.Done():
		return token.Error() // it could not be sent
	default:
		return nil // the collector's confirmation tells whether it has arrived
	}
}
