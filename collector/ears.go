package collector

import (
	"encoding/json"

	"nhip"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
)

// listen lets the publisher's connection hear what the fleet says, and what people say.
func (c *Collector) listen(o *mqtt.Options) {
	o.Subscribe[mqtt.Fleet], o.Subscribe[mqtt.Say] = 0, 1
	others := o.Handle
	o.Handle = func(topic string, payload []byte, retained bool) {
		switch station, vehicle, ofFleet := mqtt.ParseFleet(topic); {
		case ofFleet && vehicle != "":
			c.city.usual.hear(vehicle, payload)
		case ofFleet:
			c.hearStation(station, payload)
		case mqtt.IsSaying(topic):
			if !retained {
				c.hearSaying(topic, payload)
			}
		default:
			others(topic, payload, retained)
		}
	}
}

// hearStation takes in what the fleet says of a station; nothing is that it has left. What can't be read says
// nothing: the api, which hears the same, tells of it.
func (c *Collector) hearStation(id string, payload []byte) {
	if c.air == nil {
		return
	}
	var f fleet.Station
	if len(payload) > 0 && json.Unmarshal(payload, &f) != nil {
		return
	}
	c.air.HearFleet(id, f)
}

// hearSaying takes in what a person said. Whoever carried it here waits for the echo, and says it again where
// none comes.
func (c *Collector) hearSaying(topic string, payload []byte) {
	c.Accept(nhip.Message{Topic: topic, Payload: payload, Received: c.clock.Now()}, func(err error) {
		if err != nil {
			c.log.Error("what somebody said is not taken in", "topic", topic, "error", err)
		}
	})
}
