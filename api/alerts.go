package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/problem"
)

// keptAlerts is how many alerts that have ended are remembered.
const keptAlerts = 1000

// board holds the alerts that the collectors tell of, and tells whoever listens.
type board struct {
	mu        sync.Mutex
	open      map[string]nhip.Alert
	ended     []nhip.Alert // the newest last
	listeners map[chan nhip.Alert]bool
}

// hear takes in what a topic of alerts says; nothing is that the broker need not keep it any more.
func (b *board) hear(id string, payload []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(payload) == 0 {
		delete(b.open, id)
		return nil
	}
	var a nhip.Alert
	if err := json.Unmarshal(payload, &a); err != nil {
		return err
	}
	if b.open == nil {
		b.open = make(map[string]nhip.Alert)
	}
	if before, known := b.open[id]; known && before == a {
		return nil // the broker's copy, after the connection was lost
	}
	if a.Grade > 0 {
		b.open[id] = a
	} else {
		delete(b.open, id)
		b.ended = append(b.ended, a)
		b.ended = b.ended[max(0, len(b.ended)-keptAlerts):]
	}
	for l := range b.listeners {
		select {
		case l <- a:
		default: // who does not read asks for the list again
		}
	}
	return nil
}

// list returns the open alerts, the gravest first, and those that have ended, the newest first.
func (b *board) list() (open, ended []nhip.Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	open, ended = []nhip.Alert{}, slices.Clone(b.ended)
	for _, a := range b.open {
		open = append(open, a)
	}
	slices.SortFunc(open, func(x, y nhip.Alert) int {
		return cmp.Or(cmp.Compare(y.Grade, x.Grade), y.Time.Compare(x.Time), cmp.Compare(x.ID, y.ID))
	})
	slices.Reverse(ended)
	if ended == nil {
		ended = []nhip.Alert{}
	}
	return open, ended
}

func (b *board) listen() (heard chan nhip.Alert, stop func()) {
	heard = make(chan nhip.Alert, keptAlerts)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners == nil {
		b.listeners = make(map[chan nhip.Alert]bool)
	}
	b.listeners[heard] = true
	return heard, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, heard)
	}
}

// listAlerts answers GET /v1/alerts.
func (a *API) listAlerts(w http.ResponseWriter, r *http.Request) {
	if err := readQuery(r).err; err != nil {
		a.problem(w, r, err)
		return
	}
	open, ended := a.board.list()
	problem.WriteJSON(w, http.StatusOK, formJSON, struct {
		Open  []nhip.Alert `json:"open"`
		Ended []nhip.Alert `json:"ended"`
	}{open, ended})
}

// alertBeat keeps proxies awake.
const alertBeat = 15 * time.Second

// liveAlerts answers GET /v1/alerts/live: each alert that is open, and from then on each change.
func (a *API) liveAlerts(w http.ResponseWriter, r *http.Request) {
	heard, stop := a.board.listen()
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	send := func(text string) bool {
		if err := out.SetWriteDeadline(time.Now().Add(readTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return false
		}
		_, err := w.Write([]byte(text))
		return err == nil && out.Flush() == nil
	}
	tell := func(x *nhip.Alert) bool {
		raw, err := json.Marshal(x)
		return err == nil && send("event: alert\ndata: "+string(raw)+"\n\n")
	}
	open, _ := a.board.list()
	for i := range open {
		if !tell(&open[i]) {
			return
		}
	}
	if !send("event: ready\ndata: {}\n\n") {
		return
	}
	beat := time.NewTicker(alertBeat)
	defer beat.Stop()
	for ok := true; ok; {
		select {
		case <-r.Context().Done():
			return
		case <-a.run.Done():
			return
		case x := <-heard:
			ok = tell(&x)
		case <-beat.C:
			ok = send(": still here\n\n")
		}
	}
}

// ackAlert answers POST /v1/alerts/{id}/ack.
func (a *API) ackAlert(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r, "id")
	var body struct {
		By   string `json:"by"`
		Note string `json:"note"`
	}
	if err == nil {
		err = readBody(w, r, &body)
	}
	ack := nhip.Ack{Alert: id, By: body.By, Note: body.Note, Time: a.o.Clock.Now().Truncate(time.Millisecond)}
	if err == nil {
		err = asInvalid(ack.Validate())
	}
	if err == nil {
		if _, known := a.board.find(id); !known {
			err = nhip.Errorf(nhip.NotFound, "id", "there is no open alert %q", id)
		}
	}
	if err == nil {
		err = a.say(r.Context(), nhip.SayAck, id, ack)
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	problem.WriteJSON(w, http.StatusCreated, formJSON, ack)
}

func (b *board) find(id string) (nhip.Alert, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x, ok := b.open[id]
	return x, ok
}

// hearEvent takes in what the collectors tell of alerts and sayings; false for other topics.
func (a *API) hearEvent(topic string, payload []byte) bool {
	kind, id, ok := mqtt.ParseEvent(topic)
	switch {
	case !ok:
		return false
	case kind == mqtt.Alert:
		if err := a.board.hear(id, payload); err != nil {
			a.log.Error("an alert can't be read", "topic", topic, "error", err)
		}
	default:
		a.echoes.hear(topic)
	}
	return true
}
