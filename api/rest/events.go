package rest

import (
	"encoding/json"
	"net/http"
	"time"
)

// Heartbeat is the interval of events that only tell that a stream of events works: for proxies that close idle
// connections, and for clients to notice a dead connection.
const Heartbeat = 15 * time.Second

// EventStream writes server-sent events to a client.
type EventStream struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

// NewEventStream returns the stream of an answer and sets its headers, which are sent with the first event.
func NewEventStream(w http.ResponseWriter) EventStream {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", NoStore)
	h.Set("X-Accel-Buffering", "no") // otherwise nginx buffers events
	return EventStream{w, http.NewResponseController(w)}
}

// Send sends an event with data as JSON. It fails after ClientTimeout if the client does not read.
func (s EventStream) Send(event string, data any) error { return s.send("event: "+event, data) }

// SendID is Send of an event with an id, which must not have a line break.
func (s EventStream) SendID(event, id string, data any) error {
	return s.send("event: "+event+"\nid: "+id, data)
}

func (s EventStream) send(head string, data any) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if err := WritePart(s.w, s.out, []byte(head+"\ndata: "+string(raw)+"\n\n")); err != nil {
		return err
	}
	return s.out.Flush()
}
