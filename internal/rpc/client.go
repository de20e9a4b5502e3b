package rpc

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"
	"time"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
)

// Timeout is the default of ClientOptions.Timeout.
const Timeout = 5 * time.Second

// ClientOptions configure a Client.
type ClientOptions struct {
	ID         string                // part of the reply topic; no other client may use it
	Timeout    time.Duration         // of a call whose context has no deadline; 0: the constant Timeout
	Registerer prometheus.Registerer // nil registers no metrics
}

// Client sends requests to collectors and gateways. Any number of calls may run at the same time.
type Client struct {
	replyTopic string
	timeout    time.Duration
	metrics    *clientMetrics
	sender     *sender

	mu      sync.Mutex
	pending map[string]chan response // by the id of the request
}

// NewClient returns a client that has no connection yet; see Extend and Use.
func NewClient(o ClientOptions) *Client {
	return &Client{
		replyTopic: topics.ResponseTopic(o.ID), timeout: cmp.Or(o.Timeout, Timeout), metrics: newClientMetrics(o.Registerer),
		sender: newSender(), pending: make(map[string]chan response),
	}
}

// Extend returns o with a subscription to the reply topic. Messages of other topics still go to o.Handle.
func (c *Client) Extend(o mqtt.Options) mqtt.Options { return extend(o, c.replyTopic, c.receive) }

// Use makes the client send over a connection that was dialed with the extended options.
func (c *Client) Use(conn *mqtt.Client) { c.sender.use(conn) }

// Close ends the client. It must be called before the connection is closed.
func (c *Client) Close() { c.sender.close() }

// Call sends a request to a collector or a gateway, with params as JSON, and decodes the result into result, which may
// be nil. It waits until the deadline of ctx or, if that has none, the client's time-out. The error is an *nhip.Error:
// the one that the collector returned; Unavailable, with the name of the collector, if no response arrives; or Internal
// if the response can't be decoded.
func (c *Client) Call(ctx context.Context, collector, method string, params, result any) error {
	err := c.call(ctx, collector, method, params, result)
	c.metrics.requests.WithLabelValues(method, outcome(err)).Inc()
	return err
}

func (c *Client) call(ctx context.Context, collector, method string, params, result any) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	id := rand.Text()
	arrived := c.expect(id)
	defer c.forget(id)
	m, err := c.encode(id, collector, method, params)
	if err != nil {
		return err
	}
	if !c.sender.connected() {
		return nhip.Errorf(nhip.CodeUnavailable, "collector", "%q can't be reached: the MQTT broker is not connected",
			collector)
	}
	select {
	case c.sender.queue <- m:
	case <-ctx.Done():
		return noResponse(collector)
	}
	select {
	case r := <-arrived:
		return r.decode(collector, result)
	case <-ctx.Done():
		return noResponse(collector)
	}
}

// encode returns the message of a request. It fails if the message does not fit into a packet.
func (c *Client) encode(id, collector, method string, params any) (message, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return message{}, nhip.Errorf(nhip.CodeInternal, "", "the request %s can't be encoded: %v", method, err)
	}
	topic := topics.RequestTopic(collector, method)
	if err := topics.CheckTopic(topic); err != nil {
		return message{}, nhip.Errorf(nhip.CodeInvalid, "collector", "%q can't receive requests: %v", collector, err)
	}
	payload, err := json.Marshal(request{ID: id, Reply: c.replyTopic, Params: raw})
	if err != nil {
		return message{}, nhip.Errorf(nhip.CodeInternal, "", "the request %s can't be encoded: %v", method, err)
	}
	if limit := topics.MaxPayload(topic); len(payload) > limit {
		return message{}, nhip.Errorf(nhip.CodeInvalid, "", "the request %s has %d bytes, the limit is %d", method,
			len(payload), limit)
	}
	return message{topic, payload}, nil
}

func noResponse(collector string) error {
	return nhip.Errorf(nhip.CodeUnavailable, "collector", "%q does not answer", collector)
}

// expect registers a request and returns the channel for its response.
func (c *Client) expect(id string) <-chan response {
	arrived := make(chan response, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending[id] = arrived
	return arrived
}

func (c *Client) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// receive passes a response to its call. It drops a response whose call has ended, and a second response to a call.
func (c *Client) receive(_ string, payload []byte, _ bool) {
	var r response
	if err := json.Unmarshal(payload, &r); err != nil {
		c.metrics.dropped.WithLabelValues("malformed").Inc()
		return
	}
	c.mu.Lock()
	arrived, expected := c.pending[r.ID]
	delete(c.pending, r.ID)
	c.mu.Unlock()
	if !expected {
		c.metrics.dropped.WithLabelValues("late").Inc()
		return
	}
	arrived <- r // does not block: the buffer has space for one, and the channel is no longer in pending
}

// decode decodes the result, or returns the error of the response.
func (r *response) decode(collector string, result any) error {
	switch {
	case r.Error != nil:
		return r.Error.err()
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(r.Result, result); err != nil {
		return nhip.Errorf(nhip.CodeInternal, "collector", "the response of %q can't be decoded: %v", collector, err)
	}
	return nil
}
