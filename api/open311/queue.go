package open311

import (
	"net/http"
	"time"

	"nhip"
	"nhip/api/reports"
	"nhip/api/rest"
)

// queued is a report as staff see it.
type queued struct {
	*nhip.CitizenReport

	Version int64               `json:"version"`
	Group   reports.Group       `json:"group"`
	Name    nhip.LocalizedText  `json:"service_name"`
	Contact *nhip.ReportContact `json:"contact,omitempty"` // only of a single report
}

func newQueued(e reports.Entry) queued {
	out := queued{CitizenReport: e.Report, Version: e.Version}
	if s, known := reports.FindService(e.Report.Service); known {
		out.Group, out.Name = s.Group, s.Name
	}
	return out
}

// queueAnswer is a page of the queue.
type queueAnswer struct {
	Reports []queued `json:"reports"`
	Total   int      `json:"total"`
}

// Bounds of a page of the queue.
const (
	defaultQueuePage = 50
	maxQueuePage     = 500
)

// listQueue answers GET /v1/queue, the newest first.
func (h *Handler) listQueue(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "status", "service", "group", "zone", "assignee", "from", "to", "offset", "limit")
	f := queueFilter(q)
	f.From, f.To = q.Time("from", time.Time{}), q.Time("to", time.Time{})
	offset := q.Integer("offset", 0, 0, 1_000_000)
	limit := q.Integer("limit", defaultQueuePage, 1, maxQueuePage)
	if q.Err != nil {
		return q.Err
	}
	f.Reader = readerOf(r)
	page, total := h.Reports.List(&f, offset, limit)
	out := queueAnswer{Reports: make([]queued, len(page)), Total: total}
	for i, e := range page {
		out.Reports[i] = newQueued(e)
	}
	return h.JSON(w, rest.NoStore, out)
}

// queueFilter parses what staff filter by.
func queueFilter(q *rest.Query) reports.Filter {
	f := reports.Filter{Group: reports.Group(q.Text("group")), Zone: q.Text("zone"), Assignee: q.Text("assignee")}
	if f.Group != "" && f.Group != reports.Transport && f.Group != reports.Environment {
		q.Fail("group", "must be transport or environment, got %q", string(f.Group))
	}
	switch s := nhip.ReportStatus(q.Text("status")); s {
	case "":
	case nhip.ReportOpen, nhip.ReportClosed:
		f.Statuses = []nhip.ReportStatus{s}
	default:
		q.Fail("status", "must be open or closed, got %q", string(s))
	}
	if code := q.Text("service"); code != "" {
		if _, known := reports.FindService(code); !known {
			q.Fail("service", "there is no such service")
		}
		f.Services = []string{code}
	}
	return f
}

// findQueued returns a report that the caller may see. One out of scope is as if it were not there.
func (h *Handler) findQueued(r *http.Request) (reports.Entry, error) {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return reports.Entry{}, err
	}
	e, known := h.Reports.Report(id)
	if !known || !readerOf(r).Sees(e.Report) {
		return reports.Entry{}, nhip.Errorf(nhip.CodeNotFound, "id", "there is no such report")
	}
	return e, nil
}

// getQueued answers GET /v1/queue/{id}, with what names the sender.
func (h *Handler) getQueued(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	e, err := h.findQueued(r)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, h.withContact(e))
}

func (h *Handler) withContact(e reports.Entry) queued {
	out := newQueued(e)
	out.Contact, _ = h.Reports.Contact(e.Report.ID)
	return out
}
