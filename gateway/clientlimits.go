package gateway

import "nhip/internal/mqtt/broker"

// maxBytes is the size of the largest packet, with its length, which topics.MaxPacket does not count.
const maxBytes = maxPacket + 3

// maxSession is how long a session may outlive its connection, in seconds.
const maxSession = 24 * 60 * 60

// Messages that may wait for one slow client.
const (
	roleQueue   = 1 << 13
	guestQueue  = 1 << 10
	deviceQueue = 1 << 7 // commands
)

// Bytes of the messages that may wait for one slow client or an acknowledgement of it.
const (
	roleQueueBytes   = 64 << 20
	guestQueueBytes  = 1 << 20
	deviceQueueBytes = 1 << 20
)

// clientWindow is how many messages with QoS 1 a client may have on their way. A vehicle sends what it collected in a
// tunnel as fast as this permits.
const clientWindow = 1 << 10

// What the broker lets clients use, by kind.
var (
	deviceLimits = &broker.Limits{
		MaxPacket: maxBytes, MaxFilters: maxSubscriptions, Window: clientWindow, Queue: deviceQueue,
		QueueBytes: deviceQueueBytes, SessionExpiry: maxSession,
	}
	roleLimits = &broker.Limits{ // also of the operator
		MaxPacket: maxBytes, Window: clientWindow, Queue: roleQueue, QueueBytes: roleQueueBytes, Unacked: roleQueue,
		SessionExpiry: maxSession,
	}
	// A bridge may use any number of client ids, so only the session of its own id outlives a connection.
	bridgeLimits = &broker.Limits{
		MaxPacket: maxBytes, MaxFilters: maxSubscriptions, Window: clientWindow, Queue: deviceQueue,
		QueueBytes: deviceQueueBytes,
	}
	// A guest has no session: nothing of it stays when its connection ends. A message that it does not acknowledge would
	// be kept, so it gets none with QoS 1.
	guestLimits = &broker.Limits{
		MaxPacket: maxBytes, MaxFilters: guestFilters, Window: 1, Queue: guestQueue, QueueBytes: guestQueueBytes,
		OnlyQoS0: true,
	}
)

// limits returns what the client of a session may use.
func (s *session) limits(clientID string) *broker.Limits {
	switch {
	case s.kind == Guest:
		return guestLimits
	case s.kind != Device:
		return roleLimits
	case clientID != s.device.Load().id:
		return bridgeLimits
	}
	return deviceLimits
}
