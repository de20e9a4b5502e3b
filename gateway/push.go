package gateway

import (
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"nhip"
	"nhip/internal/httpserver"
	"nhip/internal/problem"
	"nhip/internal/topics"

	"github.com/go-chi/chi/v5"
)

// Push returns the handler for messages that devices send over HTTP:
//
//	POST /in/{format}/{device}
//
// The device authenticates with its secret, as a bearer token or as the basic password with its id as the user name;
// the operator may send for any device. The body, which may be compressed with gzip, is one message on
// nhip/in/<format>/<device>.
//
// The answer is 204 when the message is on disk. The gateway does not parse the message: one that can't be decoded is
// accepted too, and becomes a dead letter. 503 means that the message could not be written to disk; the device must
// send it again.
func (g *Gateway) Push() http.Handler {
	r := chi.NewRouter()
	r.Post("/in/{format}/{device}", g.hook.push)
	return g.hook.recovering(partPush, r)
}

// ListenPush binds an address for pushes alone. Start the server after the gateway.
func (g *Gateway) ListenPush(addr string, o httpserver.Options) (*httpserver.Server, error) {
	o.Name, o.Handler = "push", g.Push()
	return httpserver.Listen(addr, o)
}

func (h *hook) push(w http.ResponseWriter, r *http.Request) {
	format := "unknown" // until the request is authenticated: a client must not create label values
	err := h.acceptPush(w, r, &format)
	if err == nil {
		h.metrics.pushes.WithLabelValues(format, "taken").Inc()
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.metrics.pushes.WithLabelValues(format, string(nhip.ErrorCode(err))).Inc()
	problem.Answer(w, err)
}

// acceptPush hands the body of a request to the acceptor. It sets format once the request is authenticated.
func (h *hook) acceptPush(w http.ResponseWriter, r *http.Request, format *string) error {
	p, err := h.authenticatePush(r)
	if err != nil {
		return err
	}
	*format = p.format
	event, err := pushedEvent(r)
	if err != nil {
		return err
	}
	if p.format == chirpstack && event != "" && event != uplinkEvent {
		return nil // ChirpStack sends joins and radio states to the same address; they carry no payload
	}
	topic := topics.DeviceTopic(p.format, p.device)
	payload, err := h.body(w, r)
	if err != nil {
		return err
	}
	if !p.quota.AllowN(time.Now(), len(topic)+len(payload)) {
		h.limitPush(r, p.device)
		return nhip.Errorf(nhip.CodeTooMany, "", "the device is beyond its message rate; wait and send the message again")
	}
	now := h.clock.Now().UTC()
	h.states.Load().of(p.device).hear(now)
	return h.accept(nhip.Message{
		Client: p.device, Topic: topic, Payload: payload, Received: now, Trusted: p.quota == unlimited,
	})
}

// pushedEvent returns the parameter event, "" if it is missing. Other parameters are ignored: senders add their own.
func pushedEvent(r *http.Request) (string, error) {
	given := r.URL.Query()["event"]
	switch {
	case len(given) == 0:
		return "", nil
	case len(given) > 1:
		return "", nhip.Errorf(nhip.CodeInvalid, "event", "must be given once")
	case given[0] == "":
		return "", nhip.Errorf(nhip.CodeInvalid, "event", "must not be empty")
	}
	return given[0], nhip.CheckText("event", given[0])
}

// limitPush counts and logs that a device is beyond its message rate.
func (h *hook) limitPush(r *http.Request, device string) {
	h.metrics.limited.WithLabelValues(classMessageRate).Inc()
	remote := httpserver.ClientAddr(r).String()
	one := h.states.Load().of(device)
	if one != nil && one.note(limitedOf, h.event(classMessageRate, remote)) && h.logLimiter.Allow() {
		h.log.Warn("device limited", "device", device, "class", classMessageRate, "remote", remote)
	}
}

// ChirpStack's format, and its name for an event with a device's payload.
const (
	chirpstack  = "chirpstack"
	uplinkEvent = "up"
)

// pushRequest is an authenticated push.
type pushRequest struct {
	format, device string
	quota          *quota
}

// authenticatePush checks the path and the secret of a request.
func (h *hook) authenticatePush(r *http.Request) (pushRequest, error) {
	p := pushRequest{format: chi.URLParam(r, "format"), device: chi.URLParam(r, "device")}
	if err := cmp.Or(nhip.CheckID("device", p.device), nhip.CheckID("format", p.format)); err != nil {
		return p, err
	}
	if topics.Escape(p.device) != p.device || topics.Escape(p.format) != p.format {
		return p, nhip.Errorf(nhip.CodeInvalid, "device", "must not contain / + # %% or $")
	}
	// Sensor.Community's firmware sends its id in this header.
	if claimed := r.Header.Get("X-Sensor"); claimed != "" && claimed != p.device {
		return p, nhip.Errorf(nhip.CodeInvalid, "X-Sensor", "must be the device in the path, or be left out")
	}
	user, secret := credentials(r)
	if h.accounts.Kind([]byte(secret)) == Operator {
		p.quota = unlimited
		return p, nil
	}
	if user == "" {
		user = p.device
	}
	d := (*h.directory.Load()).withSecret(user, []byte(secret))
	switch {
	case secret == "" || d == nil:
		return p, h.refusePush(r, user)
	case d.id != p.device:
		h.notePushRefused(d.id, nhip.RefusedPublish, p.device)
		return p, nhip.Errorf(nhip.CodeForbidden, "device", "a device may only send its own messages")
	case d.format != p.format:
		h.notePushRefused(d.id, nhip.RefusedPublish, p.format)
		return p, nhip.Errorf(nhip.CodeForbidden, "format", "the format of the device's feed is %s", d.format)
	}
	p.quota = h.quotas.of(d, h.limits)
	return p, nil
}

// refusePush counts and logs a request without valid credentials and returns its error. id is what the client claims to
// be.
func (h *hook) refusePush(r *http.Request, id string) error {
	reason := nhip.RefusedCredentials
	if h.states.Load().disabled(id) {
		reason = nhip.RefusedDisabled
	}
	h.metrics.refused.WithLabelValues(reason).Inc()
	h.notePushRefused(id, reason, httpserver.ClientAddr(r).String())
	if h.addresses.loginFailed(httpserver.ShareAddr(r), time.Now()) {
		h.metrics.limited.WithLabelValues(classLogin).Inc()
		return nhip.Errorf(nhip.CodeTooMany, "Authorization", "too many wrong secrets from this address")
	}
	return nhip.Errorf(nhip.CodeUnauthorized, "Authorization",
		"must be Bearer and the device's secret, or Basic with the device and its secret")
}

// notePushRefused keeps and logs that a push of a device was refused.
func (h *hook) notePushRefused(id, reason, detail string) {
	if h.states.Load().of(id) != nil && h.noteRefused(id, reason, detail) {
		h.log.Warn("push refused", "reason", reason, "device", id, "detail", detail)
	}
}

// credentials returns the user name and the secret of a request. The user name is empty with a bearer token.
func credentials(r *http.Request) (user, secret string) {
	if user, secret, ok := r.BasicAuth(); ok {
		return user, secret
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ""
	}
	return "", strings.TrimSpace(token)
}

// body reads the body of a request and decompresses it.
func (h *hook) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var in io.Reader = http.MaxBytesReader(w, r.Body, maxPush)
	switch encoding := r.Header.Get("Content-Encoding"); strings.ToLower(encoding) {
	case "", "identity":
	case "gzip":
		decompressed, err := gzip.NewReader(in)
		if err != nil {
			return nil, nhip.Errorf(nhip.CodeInvalid, "Content-Encoding", "the body is not gzip")
		}
		in = decompressed
	default:
		return nil, nhip.Errorf(nhip.CodeInvalid, "Content-Encoding", "must be gzip or be left out, got %q", encoding)
	}
	payload, err := io.ReadAll(io.LimitReader(in, maxPush+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge) || len(payload) > maxPush:
		h.metrics.limited.WithLabelValues(classPacket).Inc()
		return nil, nhip.Errorf(nhip.CodeTooLarge, "", "must be at most %d bytes when decompressed", maxPush)
	case err != nil:
		return nil, nhip.Errorf(nhip.CodeInvalid, "", "the body is incomplete or can't be decompressed")
	case len(payload) == 0:
		return nil, nhip.Errorf(nhip.CodeInvalid, "", "the body is empty")
	}
	return payload, nil
}
