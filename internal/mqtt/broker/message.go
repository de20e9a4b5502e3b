package broker

import "time"

// View is how a group of clients sees topics. Its methods are called for each message once for all clients with the
// same View, which must be comparable.
type View interface {
	// Filter returns the filter that a client's filter stands for.
	Filter(filter string) string
	// Topic returns the name under which the clients see a topic. They don't see the message if ok is false.
	Topic(topic string) (name string, ok bool)
}

// Message is an application message. It is immutable.
type Message struct {
	Topic      string
	Payload    []byte
	QoS        byte
	Retain     bool
	Expires    time.Time // zero: never
	Properties []byte    // of MQTT 5 that go to the subscribers unaltered, encoded

	from string // client id of the publisher; empty: the server
}

// size returns how many bytes the message counts for bounds.
func (m *Message) size() int { return len(m.Topic) + len(m.Payload) + len(m.Properties) }

func (m *Message) expired() bool { return !m.Expires.IsZero() && !m.Expires.After(time.Now()) }

// as returns the message as a view shows it, or nil.
func (m *Message) as(v View) *Message {
	if v == nil {
		return m
	}
	name, ok := v.Topic(m.Topic)
	switch {
	case !ok:
		return nil
	case name == m.Topic:
		return m
	}
	seen := *m
	seen.Topic = name
	return &seen
}
