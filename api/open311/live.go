package open311

import (
	"net/http"
	"time"

	"nhip"
	"nhip/api/reports"
	"nhip/api/rest"
)

// streamQueue answers GET /v1/queue/live with every new report and every change of one in the caller's queue, as
// server-sent events. The list is read with GET /v1/queue after the event "ready".
func (h *Handler) streamQueue(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	changes, stop := h.Reports.Listen()
	if changes == nil {
		return nhip.Errorf(nhip.CodeUnavailable, "", "there are too many streams of reports; try again later")
	}
	defer stop()
	s, caller := rest.NewEventStream(w), rest.CallerOf(r)
	if r.Method == http.MethodHead {
		return nil
	}
	err := s.Send("ready", struct{}{})
	ticker := time.NewTicker(rest.Heartbeat)
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
			err = sendReports(s, readerOf(r), changes.Take())
		case <-ticker.C:
			if caller.Ended() {
				return nil
			}
			err = s.Send("time", struct{}{})
		}
	}
	return nil
}

// sendReports sends those reports that a reader sees.
func sendReports(s rest.EventStream, to *reports.Reader, all []reports.Entry) error {
	for _, e := range all {
		if !to.Sees(e.Report) {
			continue
		}
		if err := s.Send("report", newQueued(e)); err != nil {
			return err
		}
	}
	return nil
}
