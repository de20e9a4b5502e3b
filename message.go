package nhip

import "time"

// Message is what a device said, as it said it: the seam between whoever carries bytes (a broker,
// an HTTP door, a file) and the collector, which reads them.
type Message struct {
	Client   string // who said it: MQTT client id, or another identity; the messages of one have an order
	Topic    string
	Payload  []byte
	Received time.Time // by our clock, when it reached the first hop of ours
}

// Sender tells senders apart where it matters who says too much: by the client, or where the broker
// does not tell it, by the topic.
func (m *Message) Sender() string {
	if m.Client != "" {
		return m.Client
	}
	return m.Topic
}

// Door takes messages in. Accept calls done exactly once, from any goroutine: with nil when the
// message's outcome is on disk (only then may the sender be acknowledged), with an error when it is
// not and the sender must keep it. Accept may block to slow a sender down; the payload must not
// change until done is called.
type Door interface {
	Accept(m Message, done func(error))
}
