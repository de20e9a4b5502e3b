package api

import (
	"encoding/json"

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
		topics.Arrivals: 0, topics.Documents: 1, topics.Events: 1,
	}
	o.Handle = a.receive
	o.OnConnect = func() {
		a.live.Connected()
		a.documents.Connected()
	}
	o.Watch = true
	o.OnRetained = func() {
		a.live.RetainedReceived()
		a.documents.RetainedReceived()
	}
	o.OnUp = func() { a.broker.Store(true) }
	o.OnDown = func(error) { a.broker.Store(false) }
	return o
}

// receive passes a message to the events for staff or to the live state.
func (a *API) receive(topic string, payload []byte, retained bool) {
	if !retained && a.o.Begin != nil {
		a.o.Begin()
	}
	if id, ok := topics.ParseNotification(topic); ok {
		a.reminders.Notified(id, payload)
		return
	}
	if a.events.Receive(topic, payload) {
		return
	}
	if isDocument, err := a.documents.Receive(topic, payload); isDocument {
		if err != nil {
			a.log.Error("unusable document", "topic", topic, "error", err)
		}
		return
	}
	if collector, ok := topics.ParseCensus(topic); ok {
		a.documents.Census(collector, parseCensus(payload))
	}
	if err := a.live.Receive(topic, payload); err != nil {
		a.log.Error("undecodable live message", "topic", topic, "error", err)
	}
}

// parseCensus returns a census, nil for none. The live state reports one that is invalid.
func parseCensus(payload []byte) *topics.Census {
	census := new(topics.Census)
	if json.Unmarshal(payload, census) != nil {
		return nil
	}
	return census
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
