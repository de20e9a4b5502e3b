// Package reminders is the surface for reminders of riders: they are set, read and removed here, and their
// notifications are streamed. The collectors keep and decide them.
package reminders

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/actions"
	"nhip/api/air"
	"nhip/api/catalog"
	"nhip/api/rest"
	"nhip/api/senders"
	"nhip/api/transit"
	"nhip/internal/httpserver"
	"nhip/internal/topics"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// Limits bound what clients may set. 0 is no limit.
type Limits struct {
	PerAddress int // reminders in an hour from one address without a key
	PerKey     int // reminders of one key that wait
	Streams    int // of notifications at a time, in all
	PerStream  int // streams of one address
}

// Options configure a Handler.
type Options struct {
	Book     *Book
	Actions  *actions.Client
	Transit  *transit.Model
	Air      *air.Model
	Stations *catalog.Catalog
	Clock    nhip.Clock
	Zone     *time.Location
	Limits   Limits
	Hosts    []string // of web hooks
	Secret   string   // signs the tokens of pages; "" stands for a random one
	Closed   <-chan struct{}
	Metrics  prometheus.Registerer

	rest.Responder
}

// Handler answers /v1/reminders.
type Handler struct {
	Options

	tokens  *senders.Tokens
	set     *prometheus.CounterVec // by kind
	refused *prometheus.CounterVec // by code

	mu      sync.Mutex
	hourly  senders.Hourly
	streams map[netip.Addr]int
	open    int // streams
}

// formPath is where pages get a token.
const formPath = "/v1/reminders/form"

// New returns a Handler.
func New(o Options) *Handler {
	h := &Handler{
		Options: o, tokens: senders.NewTokens(o.Secret, formPath, "reminder"),
		streams: make(map[netip.Addr]int),
		set: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_api_reminders_total", Help: "Reminders that were set, by kind.",
		}, []string{"kind"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nhip_api_reminders_refused_total", Help: "Reminders that were not set, by the code of the error.",
		}, []string{"code"}),
	}
	limit := func(of string, n int) prometheus.Collector {
		g := prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "nhip_api_reminders_max", Help: "Bounds of reminders: of an address in an hour, of a key; 0 is none.",
			ConstLabels: prometheus.Labels{"of": of},
		})
		g.Set(float64(n))
		return g
	}
	o.Metrics.MustRegister(h.set, h.refused, limit("address", o.Limits.PerAddress), limit("key", o.Limits.PerKey),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "nhip_api_reminder_streams", Help: "Open streams of notifications of reminders.",
		}, func() float64 {
			h.mu.Lock()
			defer h.mu.Unlock()
			return float64(h.open)
		}))
	return h
}

// Routes registers the endpoints that are answered from memory.
func (h *Handler) Routes(r chi.Router) {
	r.Get(formPath, h.Handle(h.getForm))
	r.With(h.WhenReady).Get("/v1/reminders/{id}", h.Handle(h.get))
}

// StreamRoutes registers the stream of notifications.
func (h *Handler) StreamRoutes(r chi.Router) {
	r.With(h.WhenReady).Get("/v1/reminders/events", h.Handle(h.stream))
}

// WorkRoutes registers the endpoints that wait for collectors, and have bounds of their own.
func (h *Handler) WorkRoutes(r chi.Router) {
	r.With(h.WhenReady).Post("/v1/reminders", h.Handle(h.create))
	r.With(h.WhenReady).Delete("/v1/reminders/{id}", h.Handle(h.remove))
}

// getForm answers GET /v1/reminders/form.
func (h *Handler) getForm(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	token, until := h.tokens.Issue(httpserver.ClientAddr(r), time.Now())
	return h.JSON(w, rest.NoStore, struct {
		Token   string    `json:"form_token"`
		Expires time.Time `json:"expires"`
	}{token, until.UTC()})
}

func (h *Handler) now() time.Time { return h.Clock.Now().UTC().Truncate(time.Millisecond) }

// create answers POST /v1/reminders.
func (h *Handler) create(w http.ResponseWriter, r *http.Request) error {
	answer, err := h.keep(w, r)
	if err != nil {
		h.refused.WithLabelValues(string(nhip.ErrorCode(err))).Inc()
		return err
	}
	h.set.WithLabelValues(string(answer.Kind)).Inc()
	return h.Created(w, answer)
}

var (
	errNoSender = nhip.Errorf(nhip.CodeInvalid, senders.TokenField, "is required without a key; get one from "+formPath)
	errScope    = nhip.Errorf(nhip.CodeForbidden, "", "callers with a scope have no reminders")
	errAddress  = nhip.Errorf(nhip.CodeTooMany, "", "too many reminders of your address within an hour; try again later")
	errKey      = nhip.Errorf(nhip.CodeTooMany, "", "too many reminders of this key wait; remove some")
	errUnknown  = nhip.Errorf(nhip.CodeNotFound, "id", "there is no reminder with this id and token")
)

func (h *Handler) keep(w http.ResponseWriter, r *http.Request) (answer *reminder, err error) {
	var in newReminder
	if err := rest.DecodeBody(w, r, &in); err != nil {
		return nil, err
	}
	caller := rest.CallerOf(r)
	switch {
	case !caller.View.Unlimited():
		return nil, errScope
	case caller.Key == "" && !in.FormToken.Known():
		return nil, errNoSender
	}
	kept, err := h.resolve(r.Context(), &in, caller)
	if err != nil {
		return nil, err
	}
	if caller.Key == "" {
		giveBack, err := h.tokens.Take(in.FormToken.Or(""), httpserver.ClientAddr(r), time.Now())
		if err != nil {
			return nil, err
		}
		defer func() { // named result: a reminder that is not kept may be sent again with the token
			if answer == nil {
				giveBack()
			}
		}()
	}
	if err := h.admit(r, caller.Key); err != nil {
		return nil, err
	}
	httpserver.Yield(r) // the rest waits for the collectors
	return h.store(r.Context(), kept, caller)
}

// admit counts a reminder for its key or its address.
func (h *Handler) admit(r *http.Request, key string) error {
	if key != "" {
		if most := h.Limits.PerKey; most > 0 && h.Book.waiting(key) >= most {
			return errKey
		}
		return nil
	}
	now := h.Clock.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	limit := h.hourly.Of(httpserver.ShareAddr(r).String(), h.Limits.PerAddress, now)
	if senders.Spent(limit, now) {
		return errAddress
	}
	if limit != nil {
		limit.AllowN(now, 1)
	}
	return nil
}

// publicName is the name of callers without credentials in the audit log.
const publicName = "public"

func actorOf(c *access.Caller) nhip.Actor {
	return nhip.Actor{Name: cmp.Or(c.Name, publicName), Key: c.Key, Role: c.Role}
}

func (h *Handler) store(ctx context.Context, r *nhip.Reminder, caller access.Caller) (*reminder, error) {
	id, token := rand.Text(), rand.Text()
	r.Token = hashOf(token)
	if err := r.Validate(); err != nil {
		return nil, rest.AsInvalid(err)
	}
	doc := nhip.Document{
		Kind: nhip.DocumentReminder, ID: id, Object: "reminder", IfVersion: nhip.Some(int64(0)), Time: r.Created,
	}
	if _, err := h.Actions.SetJSON(ctx, doc, r, actorOf(&caller)); err != nil {
		return nil, err
	}
	answer := h.show(id, r)
	answer.Token = token
	return answer, nil
}

// find returns the reminder of a request, by its id and its token.
func (h *Handler) find(r *http.Request) (string, *nhip.Reminder, error) {
	if err := rest.ReadQuery(r).Err; err != nil {
		return "", nil, err
	}
	id, err := rest.PathID(r, "id")
	if err != nil {
		return "", nil, err
	}
	token := r.Header.Get(tokenHeader)
	if token == "" {
		return "", nil, nhip.Errorf(nhip.CodeInvalid, tokenHeader, "is required: the token of the reminder")
	}
	found, known := h.Book.find(id, token, h.Clock.Now())
	if !known {
		return "", nil, errUnknown
	}
	return id, &found, nil
}

// tokenHeader is the header with the token of a reminder.
const tokenHeader = "Reminder-Token"

// get answers GET /v1/reminders/{id}.
func (h *Handler) get(w http.ResponseWriter, r *http.Request) error {
	id, found, err := h.find(r)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, h.show(id, found))
}

// remove answers DELETE /v1/reminders/{id}.
func (h *Handler) remove(w http.ResponseWriter, r *http.Request) error {
	id, _, err := h.find(r)
	if err != nil {
		return err
	}
	caller := rest.CallerOf(r)
	httpserver.Yield(r)
	doc := nhip.Document{Kind: nhip.DocumentReminder, ID: id, Object: "reminder"}
	if _, err := h.Actions.Set(r.Context(), doc, actorOf(&caller)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// topicOf returns the topic of the notifications of a reminder.
func topicOf(id string) string { return topics.NotificationTopic(id) }
