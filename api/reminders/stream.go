package reminders

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/httpserver"
)

// maxListened is the number of reminders of one stream.
const maxListened = 20

var errStreams = nhip.Errorf(nhip.CodeUnavailable, "", "there are too many streams of reminders; try again later")

// stream answers GET /v1/reminders/events.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request) error {
	named, err := readNamed(r)
	if err != nil {
		return err
	}
	if r.Method == http.MethodHead {
		rest.NewEventStream(w)
		return nil
	}
	leave, err := h.enter(r)
	if err != nil {
		return err
	}
	defer leave()
	ids := make([]string, 0, len(named))
	for _, n := range named {
		ids = append(ids, n.id)
	}
	in, stop := h.Book.listen(ids)
	defer stop()
	httpserver.Yield(r)
	s := listener{rest.NewEventStream(w), h, make(map[string]bool)}
	if s.begin(named) != nil {
		return nil // the client is gone
	}
	ticker := time.NewTicker(rest.Heartbeat)
	defer ticker.Stop()
	for len(s.open) > 0 {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-h.Closed:
			return nil
		case <-in.wake:
			err = s.pass(in.take())
		case <-ticker.C:
			err = s.Send("beat", struct {
				Time time.Time `json:"time"`
			}{h.now()})
		}
		if err != nil {
			return nil
		}
	}
	return nil
}

// enter counts a stream. leave ends it.
func (h *Handler) enter(r *http.Request) (leave func(), err error) {
	from := httpserver.ShareAddr(r)
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &h.Limits
	if l.Streams > 0 && h.open >= l.Streams || l.PerStream > 0 && h.streams[from] >= l.PerStream {
		return nil, errStreams
	}
	h.open++
	h.streams[from]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.open--
		if h.streams[from]--; h.streams[from] == 0 {
			delete(h.streams, from)
		}
	}, nil
}

// name is a reminder as a client names it.
type name struct{ id, token string }

// readNamed reads the parameter reminders.
func readNamed(r *http.Request) ([]name, error) {
	q := rest.ReadQuery(r, "reminders")
	list := q.Text("reminders")
	if q.Err != nil {
		return nil, q.Err
	}
	var out []name
	for one := range strings.SplitSeq(list, ",") {
		id, token, both := strings.Cut(one, ".")
		switch {
		case !both || id == "" || token == "":
			return nil, nhip.Errorf(nhip.CodeInvalid, "reminders", "must be id.token, separated by commas")
		case len(out) >= maxListened:
			return nil, nhip.Errorf(nhip.CodeInvalid, "reminders", "must name at most %d", maxListened)
		case slices.ContainsFunc(out, func(n name) bool { return n.id == id }):
			return nil, nhip.Errorf(nhip.CodeInvalid, "reminders", "must name a reminder once")
		}
		out = append(out, name{id, token})
	}
	return out, nil
}

// listener sends the notifications of reminders.
type listener struct {
	rest.EventStream

	h    *Handler
	open map[string]bool // reminders that may still change
}

// gone is the event of a reminder that is not there any more.
type gone struct {
	ID string `json:"id"`
}

// begin sends the present states.
func (s *listener) begin(named []name) error {
	for _, n := range named {
		r, known := s.h.Book.find(n.id, n.token, s.h.Clock.Now())
		if !known {
			if err := s.Send("gone", gone{n.id}); err != nil {
				return err
			}
			continue
		}
		s.open[n.id] = r.State == nhip.ReminderWaiting
		if err := s.notify(s.h.present(n.id, &r)); err != nil {
			return err
		}
	}
	return s.Send("ready", struct{}{})
}

// pass sends what has changed of the reminders that the client may read.
func (s *listener) pass(all map[string]*nhip.ReminderNotification) error {
	for id, n := range all {
		if !s.open[id] {
			continue // it was told already, or the token was wrong
		}
		err := error(nil)
		if n == nil {
			delete(s.open, id)
			err = s.Send("gone", gone{id})
		} else {
			err = s.notify(*n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *listener) notify(n nhip.ReminderNotification) error {
	if n.State != nhip.ReminderWaiting {
		delete(s.open, n.ID)
	}
	return s.SendID("reminder", n.Event, n)
}
