package consume

import (
	"encoding/json"
	"sync"

	"nhip/internal/mqtt"
	"nhip/internal/topics"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// census publishes a source's census over one session.
type census struct {
	mu      sync.Mutex
	cleared bool // nothing may be published any more
}

// setWill makes the broker clear the census when the connection is lost. A collector that comes back publishes it again
// after it has subscribed; meanwhile its session at the broker keeps what is in flight.
func (n *session) setWill(o *paho.ClientOptions) {
	if n.s.o.Census == nil {
		return
	}
	collector, _ := n.s.o.Census()
	o.SetBinaryWill(topics.CensusTopic(collector), nil, 0, true)
}

// publishCensus publishes the census with the filters of the source, all of which the broker has granted.
func (n *session) publishCensus() {
	if n.s.o.Census == nil {
		return
	}
	n.census.mu.Lock()
	defer n.census.mu.Unlock()
	if n.census.cleared {
		return
	}
	collector, c := n.s.o.Census()
	c.Filters = n.s.filters
	if payload, err := json.Marshal(c); err == nil { // numbers and valid filters can be encoded
		n.publish(topics.CensusTopic(collector), payload, true)
	}
}

// clearCensus removes the census: the collector stops, or the broker refuses its subscription. The session must be
// connected.
func (n *session) clearCensus() {
	if n.s.o.Census == nil {
		return
	}
	n.census.mu.Lock()
	defer n.census.mu.Unlock()
	n.census.cleared = true
	collector, _ := n.s.o.Census()
	n.publish(topics.CensusTopic(collector), nil, true)
}

// publish sends a message with QoS 0.
func (n *session) publish(topic string, payload []byte, retained bool) {
	_, _ = n.conn.Write(mqtt.Packet(topic, payload, retained)) // the reader of the connection reports the error
}
