package gateway

import (
	"compress/gzip"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"nhip"
	"nhip/internal/httpserver"
	"nhip/internal/mqtt"
	"nhip/internal/problem"

	"github.com/go-chi/chi/v5"
)

// Bounds of a push.
const (
	maxPush     = 512 << 10        // bytes, as sent and unpacked; half of what a collector's record holds
	pushTimeout = 30 * time.Second // for the body to come in

	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
)

// Push takes in what devices say over HTTP:
//
//	POST /in/{format}/{device}
//
// The device shows its secret as bearer or as basic password with its id as user name; the operator may
// speak for any. The body, which may be gzip, is one message on nhip/in/<format>/<device>. The answer is
// 204 when the message is on disk; what it says is not read here, so that a message that makes no sense is
// taken, too, and is among the dead letters. 503 says that it could not be put on disk: send it again.
func (g *Gateway) Push() http.Handler {
	r := chi.NewRouter()
	r.Post("/in/{format}/{device}", g.hook.push)
	return r
}

// ListenPush binds an address of its own for pushes. Nothing is served before its Start, which must follow
// the gateway's.
func (g *Gateway) ListenPush(addr string, secured *tls.Config, log *slog.Logger) (*httpserver.Server, error) {
	return httpserver.Listen(addr, secured, &http.Server{Handler: g.Push(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}, log)
}

// push answers one request.
func (h *hook) push(w http.ResponseWriter, r *http.Request) {
	format := "unknown" // metrics name none that a stranger has made up
	err := h.takePush(w, r, &format)
	if err == nil {
		h.metrics.pushes.WithLabelValues(format, "taken").Inc()
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.metrics.pushes.WithLabelValues(format, string(nhip.ErrorCode(err))).Inc()
	problem.Answer(w, err)
}

// takePush carries a request's body through the door.
func (h *hook) takePush(w http.ResponseWriter, r *http.Request, format *string) error {
	p, err := h.readPush(r)
	if err != nil {
		return err
	}
	*format = p.format
	if p.format == chirpstack && r.URL.Query().Get("event") != "" && r.URL.Query().Get("event") != uplink {
		return nil // joins and states of the radio; ChirpStack sends them all to one address
	}
	topic := mqtt.In + p.format + "/" + p.device
	payload, err := h.body(w, r)
	if err != nil {
		return err
	}
	if !p.may.AllowN(time.Now(), len(topic)+len(payload)) {
		h.metrics.limited.WithLabelValues(classMessageRate).Inc()
		return nhip.Errorf(nhip.TooMany, "", "the device says more than it may; keep what it has for a moment")
	}
	return h.carry(nhip.Message{Client: p.device, Topic: topic, Payload: payload, Received: h.clock.Now().UTC()})
}

// What ChirpStack calls an event that carries a device's payload.
const (
	chirpstack = "chirpstack"
	uplink     = "up"
)

// carry takes a message through the door and waits for the disk.
func (h *hook) carry(m nhip.Message) error {
	if !h.enter() {
		return nhip.Errorf(nhip.Unavailable, "", "the gateway is stopping")
	}
	h.metrics.messages.Inc()
	outcome := make(chan error, 1)
	h.door.Accept(m, func(err error) { outcome <- err; h.taking.Done() })
	err := <-outcome
	if err == nil {
		return nil
	}
	var known *nhip.Error
	if errors.As(err, &known) {
		return known
	}
	h.settle(m.Client, err)
	return nhip.Errorf(nhip.Unavailable, "", "it could not be put on disk; send it again")
}

// pushed is who pushes what.
type pushed struct {
	format, device string
	may            *allowance
}

// readPush reads address and secret.
func (h *hook) readPush(r *http.Request) (pushed, error) {
	p := pushed{format: chi.URLParam(r, "format"), device: chi.URLParam(r, "device")}
	if err := nhip.CheckID("device", p.device); err != nil {
		return p, err
	}
	if mqtt.Escape(p.device) != p.device || mqtt.Escape(p.format) != p.format {
		return p, nhip.Errorf(nhip.Invalid, "device", "must not hold / + # %% or $")
	}
	if claimed := r.Header.Get("X-Sensor"); claimed != "" && claimed != p.device { // Sensor.Community's own
		return p, nhip.Errorf(nhip.Invalid, "X-Sensor", "must be the device of the address, or be left out")
	}
	name, secret := credentials(r)
	if h.accounts.Rank([]byte(secret)) == Operator {
		p.may = unbounded
		return p, nil
	}
	d := (*h.directory.Load()).withSecret(name, []byte(secret))
	if name == "" {
		d = (*h.directory.Load()).withSecret(p.device, []byte(secret))
	}
	switch {
	case secret == "" || d == nil:
		h.metrics.refused.WithLabelValues(badCredentials).Inc()
		if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && h.addresses.failed(prefix(from.Addr()), time.Now()) {
			h.metrics.limited.WithLabelValues(classLogin).Inc()
			return p, nhip.Errorf(nhip.TooMany, "Authorization", "too many secrets from this address did not open")
		}
		return p, nhip.Errorf(nhip.Unauthorized, "Authorization", "must be Bearer and the device's secret, or Basic with the device and its secret")
	case d.id != p.device:
		return p, nhip.Errorf(nhip.Forbidden, "device", "a device speaks for itself only")
	case d.format != p.format:
		return p, nhip.Errorf(nhip.Forbidden, "format", "the device's feed speaks %s", d.format)
	}
	p.may = h.allowances.of(d, h.limits)
	return p, nil
}

// credentials returns what a request shows: a bearer's secret, or a name and a secret.
func credentials(r *http.Request) (name, secret string) {
	if name, secret, ok := r.BasicAuth(); ok {
		return name, secret
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ""
	}
	return "", strings.TrimSpace(token)
}

// body reads what is pushed, unpacked.
func (h *hook) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// Whoever sends a byte a second must not hold a connection for as long as it likes. A server that
	// knows no deadlines has others.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(pushTimeout))
	var in io.Reader = http.MaxBytesReader(w, r.Body, maxPush)
	switch encoding := r.Header.Get("Content-Encoding"); strings.ToLower(encoding) {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, nhip.Errorf(nhip.Invalid, "Content-Encoding", "the body is not gzip")
		}
		in = unpacked
	default:
		return nil, nhip.Errorf(nhip.Invalid, "Content-Encoding", "must be gzip or be left out, got %q", encoding)
	}
	payload, err := io.ReadAll(io.LimitReader(in, maxPush+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge) || len(payload) > maxPush:
		h.metrics.limited.WithLabelValues(classPacket).Inc()
		return nil, nhip.Errorf(nhip.TooLarge, "", "must be at most %d bytes, unpacked", maxPush)
	case err != nil:
		return nil, nhip.Errorf(nhip.Invalid, "", "the body can't be read to its end")
	case len(payload) == 0:
		return nil, nhip.Errorf(nhip.Invalid, "", "the body is empty")
	}
	return payload, nil
}
