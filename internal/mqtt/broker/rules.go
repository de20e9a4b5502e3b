package broker

import "nhip/internal/mqtt/packet"

// Rules decide what clients may do. The broker calls them from the goroutine of the connection, so they may block: then
// nothing is read from the connection, and TCP slows the client down.
type Rules interface {
	// Connect decides about a client's CONNECT. If the error is a packet.Reason, the CONNACK has that code; any other
	// error is packet.NotAuthorized.
	Connect(c *Client, p *packet.Connect) (Grant, error)
	// Control is called for each packet after CONNECT that is not a PUBLISH, with the number of filters in it. An error
	// ends the connection.
	Control(c *Client, t packet.Type, filters int) error
	// MaySubscribe reports whether a client may subscribe to a filter, as its View translates it.
	MaySubscribe(c *Client, filter string) bool
	// Publish decides about a message that a client publishes. If it returns Take, it must call done exactly once, from
	// any goroutine and without waiting for anything in it: with nil when the client may be told that the message
	// arrived, with an error to disconnect the client instead. Otherwise it must not call done. The message must not be
	// changed, and may be kept.
	Publish(c *Client, m *Message, done func(error)) Decision
	// Ended is called when a connection for which Connect has returned no error has ended.
	Ended(c *Client)
}

// Decision says what becomes of a message.
type Decision int

// Decisions about a message.
const (
	// not permitted: MQTT 5 says so in the acknowledgement; else a message with QoS > 0 disconnects
	Deny    Decision = iota
	Route            // the broker sends it to the subscribers and acknowledges it
	Take             // the rules handle it
	Discard          // the message has no effect and is acknowledged
	Ignore           // the message has no effect and is not acknowledged
)

// Grant is what Rules give a client that they admit.
type Grant struct {
	ClientID  string // replaces the client's own; empty: its own or, if it has none, a random one
	Identity  any    // kept with the client and its session
	Owner     string // whose session it is: a client does not get the session of another owner, which ends
	KeepAlive uint16 // s; 0: no limit
	Limits    *Limits
	View      View // nil: topics as they are
}

// Observer is called for events that somebody may want to count. Each func may be nil, and must not block.
type Observer struct {
	Panicked func(c *Client, value any, stack []byte) // in one of the connection's goroutines
	Dropped  func(clientID, cause string)             // a message that a subscriber does not get
	Limited  func(c *Client, class string)            // a client that reached a bound
	TakeOver func(previous, next *Client)             // a connection that ends because another has its client id
}

// Causes of dropped messages.
const (
	DroppedQueue    = "queue"     // the client reads too slowly
	DroppedSize     = "size"      // the client accepts no packet so large
	DroppedExpired  = "expired"   // it waited longer than its publisher allows
	DroppedRetained = "retained"  // it can't be retained: there are too many
	LimitedFilters  = "filters"   // subscriptions
	LimitedWindow   = "window"    // unacknowledged messages
	LimitedPacket   = "packet"    // size
	LimitedSlowRead = "slow_read" // a write took too long
	LimitedTakeOver = "take_over" // another connection with its client id does not end
)

func (o *Observer) dropped(clientID, cause string) {
	if o.Dropped != nil {
		o.Dropped(clientID, cause)
	}
}

func (o *Observer) takeOver(previous, next *Client) {
	if o.TakeOver != nil {
		o.TakeOver(previous, next)
	}
}

func (o *Observer) limited(c *Client, class string) {
	if o.Limited != nil {
		o.Limited(c, class)
	}
}
