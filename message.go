package nhip

import "time"

// Message is one undecoded message of a device: the seam between what carries bytes (a broker, an HTTP endpoint, a
// file) and the collector, which decodes them.
type Message struct {
	Client   string // MQTT client id or another identity of the sender; the messages of one client are ordered
	Topic    string
	Payload  []byte
	Received time.Time // our clock, at the first of our hops

	Account string // the device that has logged in, which may have several clients; empty if it is not known
	Trusted bool   // sent by an operator, who has no budget

	// Size is the length of the payload as it was sent, in bytes, if that was too long and Payload has only its
	// beginning, which is no valid message: it becomes a dead letter. 0: the payload is whole.
	Size int64
}

// Sender returns the identity that quotas count by: the account, else the client or, where the broker does not pass it
// on, the topic.
func (m *Message) Sender() string {
	if m.Account != "" {
		return m.Account
	}
	if m.Client != "" {
		return m.Client
	}
	return m.Topic
}

// Acceptor accepts messages. Accept calls done exactly once, from any goroutine: with nil when the message's outcome
// is on disk (only then may the sender be acknowledged), with an error when it is not and the sender must keep the
// message. Accept may block to apply backpressure. The payload must not change until done is called.
type Acceptor interface {
	Accept(m Message, done func(error))
}
