package open311

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"nhip"
	"nhip/api/reports"
	"nhip/api/rest"
)

// heartbeat is the interval of events without a report, for proxies that close idle connections, and for clients to
// notice a dead connection.
const heartbeat = 15 * time.Second

// streamQueue answers GET /v1/queue/live with every new report and every change of one in the caller's queue, as
// server-sent events. The list is read with GET /v1/queue after the event "ready".
func (h *Handler) streamQueue(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	head := w.Header()
	changes, stop := h.Reports.Listen()
	if changes == nil {
		return nhip.Errorf(nhip.CodeUnavailable, "", "there are too many streams of reports; try again later")
	}
	defer stop()
	head.Set("Content-Type", "text/event-stream")
	head.Set("Cache-Control", rest.NoStore)
	head.Set("X-Accel-Buffering", "no") // otherwise nginx buffers events
	if r.Method == http.MethodHead {
		return nil
	}
	s, caller := eventStream{w, http.NewResponseController(w)}, rest.CallerOf(r)
	err := s.send("event: ready\ndata: {}\n\n")
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for err == nil { // until the client is gone
		select {
		case <-r.Context().Done():
			return nil
		case <-h.Closed:
			return nil
		case <-changes.Wake:
			if caller.Ended() {
				return nil
			}
			err = s.reports(readerOf(r), changes.Take())
		case <-ticker.C:
			if caller.Ended() {
				return nil
			}
			err = s.send("event: time\ndata: {}\n\n")
		}
	}
	return nil
}

// eventStream writes server-sent events.
type eventStream struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

// reports sends those reports that a reader sees.
func (s eventStream) reports(to *reports.Reader, all []reports.Entry) error {
	for _, e := range all {
		if !to.Sees(e.Report) {
			continue
		}
		data, err := json.Marshal(newQueued(e))
		if err != nil {
			return err
		}
		if err := s.send("event: report\ndata: " + string(data) + "\n\n"); err != nil {
			return err
		}
	}
	return nil
}

// send sends a text. It fails after rest.ClientTimeout if the client does not read.
func (s eventStream) send(text string) error {
	if err := s.out.SetWriteDeadline(time.Now().Add(rest.ClientTimeout)); err != nil &&
		!errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.out.Flush()
}
