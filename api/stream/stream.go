package stream

import (
	"net/netip"
	"time"
)

// stream is the stream of one client. The mutex of its hub guards it, except connection, which belongs to the goroutine
// that serves the stream.
type stream struct {
	view
	from   netip.Prefix // where the client is
	narrow bool         // whether its subscription is narrow, so that it is among Hub.narrow
	member int          // its index there

	begun    bool    // whether hello or resumed was sent
	ready    bool    // whether ready was sent
	resumed  bool    // whether it continues an earlier stream
	reset    string  // why it does not, though its client asked for that
	behind   bool    // whether there may be changes that the client lacks
	cursor   uint64  // number of the last change that was read in the log
	filled   bool    // whether it has read the log to its end
	snapshot uint64  // number of the last change when it began to be filled
	pending  slotSet // changes since then, as Hub.concern notes them
	shown    slotSet

	tag string        // with which the ids of its events begin; "": not made yet
	ids time.Duration // when the last id was sent

	at   time.Duration // when it is to be served
	sent time.Duration // when it was served
	beat time.Duration // when the next heartbeat is due

	queued   int  // its index in its queue; -1: in none
	wideTurn bool // whether it is served in the turn of those that are not narrow
	left     bool // whether it has ended

	inbox               // of a WebSocket
	heard time.Duration // when its client was last heard
	dead  bool          // whether it is no longer heard

	wake        chan struct{} // for the goroutine that serves it; nil: workers do
	*connection               // nil: the goroutine that serves it has its own
}

// inbox is what the goroutine that reads a WebSocket leaves for the one that serves its stream.
type inbox struct {
	control []byte // frames that the protocol asks for
	notices []notice
	wish    *view // the subscription that the client wants; nil: the one that it has
	closing bool  // whether control ends with a close frame, after which nothing is sent
}

// notice is an event for one client.
type notice struct {
	name string
	data []byte
}

// hasMail reports whether something waits to be sent.
func (i *inbox) hasMail() bool { return len(i.control)+len(i.notices) > 0 || i.wish != nil }

// nextAt returns when a stream is to be served after it was served at a time.
func (s *stream) nextAt(at time.Duration, more bool) time.Duration {
	switch {
	case more:
		return at
	case s.behind, s.hasMail():
		return min(s.beat, s.sent+s.period)
	}
	return s.beat
}

// silentBeats is the number of heartbeats without a sign of a WebSocket's client after which it is gone.
const silentBeats = 3
