package broker

// Limits bound what one client may use. One value may serve many clients. Zero means the default.
type Limits struct {
	MaxPacket     int    // bytes of a packet
	MaxFilters    int    // subscriptions; 0: no limit
	Window        int    // messages with QoS > 0 that may be unacknowledged, at most 65,535
	WindowBytes   int    // bytes of unacknowledged messages beyond which nothing more is read
	Queue         int    // messages that may wait for the client
	QueueBytes    int    // bytes of them, and of those that the client has not acknowledged
	Unacked       int    // messages that are sent before the client acknowledges them, at most 65,535
	SessionExpiry uint32 // s that a session may outlive its connection; 0: none may
	TopicAliases  uint16 // that the client may use
	OnlyQoS0      bool   // subscriptions are granted QoS 0
}

// Defaults of Limits.
const (
	DefaultMaxPacket   = 64 << 10
	DefaultWindow      = 1 << 10
	DefaultWindowBytes = 1 << 20
	DefaultQueue       = 1 << 10
	DefaultQueueBytes  = 8 << 20
	DefaultUnacked     = 1 << 10
)

var defaultLimits = new(Limits).withDefaults()

// withDefaults returns l itself if it has no defaults to fill in.
func (l *Limits) withDefaults() *Limits {
	out := *l
	for _, f := range []struct {
		value  *int
		preset int
	}{
		{&out.MaxPacket, DefaultMaxPacket},
		{&out.Window, DefaultWindow},
		{&out.WindowBytes, DefaultWindowBytes},
		{&out.Queue, DefaultQueue},
		{&out.QueueBytes, DefaultQueueBytes},
		{&out.Unacked, DefaultUnacked},
	} {
		if *f.value == 0 {
			*f.value = f.preset
		}
	}
	out.Window, out.Unacked = min(out.Window, 0xffff), min(out.Unacked, 0xffff)
	if out == *l {
		return l
	}
	return &out
}
