package collector

import (
	"encoding/json"
	"maps"

	"nhip"
	"nhip/collector/live"
	"nhip/collector/record"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
	"nhip/internal/topics"
)

// subscribe returns o with subscriptions to the fleet and to user actions.
func (c *Collector) subscribe(o mqtt.Options) mqtt.Options {
	o.Subscribe = maps.Clone(o.Subscribe)
	o.Subscribe[topics.Fleet], o.Subscribe[topics.UserActions], o.Subscribe[topics.LiveCensus] = 0, 1, 0
	o.OnConnect = func() { c.reminders.Connected() }
	o.OnRetained = func() { c.reminders.RetainedReceived() }
	next := o.Handle
	o.Handle = func(topic string, payload []byte, retained bool) {
		if collector, is := topics.ParseCensus(topic); is {
			c.reminders.Census(collector, payload)
			return
		}
		switch station, vehicle, ok := topics.ParseFleet(topic); {
		case ok && vehicle != "":
			c.state.UpdateFleetVehicle(vehicle, payload)
		case ok:
			c.onFleetStation(station, payload)
		case topics.IsUserAction(topic):
			if !retained {
				c.onUserAction(topic, payload)
			}
		default:
			next(topic, payload, retained)
		}
	}
	return o
}

// onFleetStation applies a retained fleet message about a station. An empty payload means that the station was
// removed. Undecodable payloads are ignored here; the api logs them.
func (c *Collector) onFleetStation(id string, payload []byte) {
	c.state.UpdateFleetStation(id, payload)
	var f fleet.Station
	switch {
	case len(payload) == 0:
		c.reminders.UpdateStation(id, nil)
	case json.Unmarshal(payload, &f) != nil:
		return
	default:
		c.reminders.UpdateStation(id, &f)
	}
	if c.air != nil {
		c.air.UpdateStation(id, f)
	}
}

// onUserAction journals a user action. The sender waits for the event with its outcome and sends the action again if
// there is none. What violates a rule is refused at once.
func (c *Collector) onUserAction(topic string, payload []byte) {
	kind, id, ok := topics.ParseUserAction(topic)
	m := nhip.Message{Topic: topic, Payload: payload, Received: c.clock.Now()}
	var refused []live.Event
	checked := func(o *record.Outcome) {
		if len(o.Rejections) > 0 && ok {
			result := nhip.ActionResult{Refused: refusalOf(&o.Rejections[0].Err), Request: requestOf(payload)}
			refused = append(refused, live.Event{Kind: kind, ID: id, Result: result})
		}
	}
	c.accept(m, checked, func(err error) {
		if err != nil {
			c.log.Error("user action not stored", "topic", topic, "error", err)
			return
		}
		c.publisher.Publish(refused)
	})
}

// requestOf returns the id of the request in a user action that may be invalid, "" if there is none.
func requestOf(payload []byte) string {
	var named struct {
		Request string `json:"request"`
	}
	_ = json.Unmarshal(payload, &named) // what can't be read has none
	return named.Request
}
