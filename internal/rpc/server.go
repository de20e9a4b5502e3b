package rpc

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/task"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
)

// defaultConcurrent is low because the main work of a role has priority over requests.
const defaultConcurrent = 8

// Handler handles the requests of one method. The result must be encodable as JSON. The client receives an *nhip.Error
// unchanged; any other error becomes Internal, and its text does not leave the process.
type Handler func(ctx context.Context, params json.RawMessage) (result any, err error)

// HandlerOf returns a handler that decodes the parameters. Unknown parameters are an error.
func HandlerOf[P, A any](handle func(context.Context, P) (A, error)) Handler {
	return func(ctx context.Context, params json.RawMessage) (any, error) {
		var p P
		d := json.NewDecoder(bytes.NewReader(params))
		d.DisallowUnknownFields()
		if err := d.Decode(&p); err != nil {
			return nil, nhip.Errorf(nhip.CodeInvalid, "params", "can't be read: %v", err)
		}
		return handle(ctx, p)
	}
}

// ServerOptions configure a Server.
type ServerOptions struct {
	Name          string             // of the collector, or of a gateway: topics.GatewayRole
	Handlers      map[string]Handler // by method, such as "dead/list"
	MaxConcurrent int                // requests that are handled at the same time; default 8
	Logger        *slog.Logger
	Registerer    prometheus.Registerer // nil registers no metrics
}

// Server handles the requests to one collector or gateway.
type Server struct {
	o       ServerOptions
	log     *slog.Logger
	metrics *serverMetrics
	sender  *sender
	tasks   *task.Group   // one task for each request
	slots   chan struct{} // holds one element for each request that is handled

	mu     sync.Mutex // guards closed: no task may start once Close waits for the last
	closed bool
}

// NewServer returns a server that has no connection yet; see Extend and Use.
func NewServer(o ServerOptions) *Server {
	return &Server{
		o: o, log: o.Logger.With("component", "rpc"), metrics: newServerMetrics(o.Registerer), sender: newSender(),
		tasks: task.NewGroup(), slots: make(chan struct{}, cmp.Or(o.MaxConcurrent, defaultConcurrent)),
	}
}

// Extend returns o with a subscription to the requests. Messages of other topics still go to o.Handle.
func (s *Server) Extend(o mqtt.Options) mqtt.Options {
	return extend(o, topics.RequestFilter(s.o.Name), s.receive)
}

// Use makes the server send over a connection that was dialed with the extended options.
func (s *Server) Use(conn *mqtt.Client) { s.sender.use(conn) }

// Close ends the context of the handlers, waits for them and sends their responses. It must be called before the
// connection is closed.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.tasks.Stop(context.Background())
	s.sender.close()
}

// receive starts to handle a request, or rejects it if too many are being handled. It does not block.
func (s *Server) receive(topic string, payload []byte, retained bool) {
	method, req, ok := s.parse(topic, payload, retained)
	if !ok {
		return
	}
	select {
	case s.slots <- struct{}{}:
		if !s.start(method, req) {
			<-s.slots
		}
	default:
		s.reject(method, req)
	}
}

// parse decodes a request. It counts and drops one that can't be answered.
func (s *Server) parse(topic string, payload []byte, retained bool) (method string, req request, ok bool) {
	_, method, known := topics.ParseRequest(topic)
	reason := ""
	switch {
	case retained: // its client may have ended long ago
		reason = "retained"
	case !known || json.Unmarshal(payload, &req) != nil || req.ID == "" || len(req.ID) > maxID:
		reason = "malformed"
	case !topics.IsResponseTopic(req.Reply):
		reason = "reply"
	}
	if reason != "" {
		s.metrics.dropped.WithLabelValues(reason).Inc()
	}
	return method, req, reason == ""
}

// start reports whether the request is handled; it is not after Close.
func (s *Server) start(method string, req request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.tasks.Go(method, func(ctx context.Context) error {
		defer func() { <-s.slots }()
		s.handle(ctx, method, req)
		return nil
	})
	return true
}

// reject answers that too many requests are being handled. If even that can't be queued at once, it drops the request,
// because the connection carries other messages too.
func (s *Server) reject(method string, req request) {
	err := nhip.Errorf(nhip.CodeUnavailable, "collector", "%q has too many requests at once; try again in a moment",
		s.o.Name)
	s.count(method, err)
	select {
	case s.sender.queue <- s.encode(req, response{ID: req.ID, Error: s.toWire(method, err)}):
	default:
		s.metrics.dropped.WithLabelValues("flood").Inc()
	}
}

// handle handles a request and queues the response.
func (s *Server) handle(ctx context.Context, method string, req request) {
	m, err := s.respond(ctx, method, req)
	if err != nil {
		m = s.encode(req, response{ID: req.ID, Error: s.toWire(method, err)})
	}
	s.count(method, err)
	select {
	case s.sender.queue <- m:
	case <-ctx.Done():
		s.queueIfSpace(m)
	}
}

func (s *Server) queueIfSpace(m message) {
	select {
	case s.sender.queue <- m:
	default:
	}
}

// respond returns the message with the result of a request. A message that does not fit into a packet is an error: the
// broker would end the connection.
func (s *Server) respond(ctx context.Context, method string, req request) (message, error) {
	result, err := s.callHandler(ctx, method, req.Params)
	if err != nil {
		return message{}, err
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return message{}, err
	}
	m := s.encode(req, response{ID: req.ID, Result: raw})
	if limit := topics.MaxPayload(m.topic); len(m.payload) > limit {
		return message{}, nhip.Errorf(nhip.CodeInternal, "", "the response to %s has %d bytes, the limit is %d", method,
			len(m.payload), limit)
	}
	return m, nil
}

// callHandler calls the handler of a method. A panic of the handler is logged and becomes an error.
func (s *Server) callHandler(ctx context.Context, method string, params json.RawMessage) (result any, err error) {
	handler, known := s.o.Handlers[method]
	if !known {
		return nil, nhip.Errorf(nhip.CodeNotFound, "", "there is no method %q", method)
	}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("request handler panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
			err = s.internalError(method)
		}
	}()
	return handler(ctx, params)
}

// toWire converts an error for the client. It logs an internal error and removes its text.
func (s *Server) toWire(method string, err error) *wireError {
	if s.tasks.Context().Err() != nil && errors.Is(err, context.Canceled) {
		err = nhip.Errorf(nhip.CodeUnavailable, "collector", "%q is stopping", s.o.Name)
	}
	var known *nhip.Error
	if !errors.As(err, &known) {
		known = s.internalError(method)
	}
	if known.Code == nhip.CodeInternal {
		s.log.Error("request failed", "method", method, "error", err)
	}
	return &wireError{known.Code, known.Field, known.Rule}
}

func (s *Server) internalError(method string) *nhip.Error {
	return nhip.Errorf(nhip.CodeInternal, "", "%q failed to handle %s; see its log", s.o.Name, method)
}

func (s *Server) encode(req request, r response) message {
	payload, err := json.Marshal(r)
	if err != nil {
		panic("a response can't be encoded: " + err.Error()) // its parts are encoded JSON or strings
	}
	return message{req.Reply, payload}
}

// count counts a response. Methods that do not exist share one label.
func (s *Server) count(method string, err error) {
	if _, known := s.o.Handlers[method]; !known {
		method = "unknown"
	}
	s.metrics.responses.WithLabelValues(method, outcome(err)).Inc()
}
