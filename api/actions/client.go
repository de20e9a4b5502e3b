// Package actions sends user actions to the collectors, and holds the documents that they keep. It knows no HTTP.
package actions

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"nhip"
	"nhip/internal/topics"
)

// Client publishes user actions and receives what the collectors make of them. It is safe for concurrent use.
type Client struct {
	publish func(topic string, payload []byte) error
	clock   nhip.Clock
	log     *slog.Logger

	mu      sync.Mutex
	waiting map[waitKey]*waiter
}

// waitKey names what a caller waits for. Reviews and acknowledgements have no request.
type waitKey struct{ topic, request string }

// waiter is one or more callers that wait for an outcome.
type waiter struct {
	callers int
	done    chan struct{} // closed with result
	result  nhip.ActionResult
}

// NewClient returns a Client that calls publish to send a message to the broker; publish returns an error while the
// broker is away.
func NewClient(publish func(topic string, payload []byte) error, clock nhip.Clock, log *slog.Logger) *Client {
	return &Client{publish: publish, clock: clock, log: log, waiting: make(map[waitKey]*waiter)}
}

// Timeout is the maximum time for a collector to store and confirm a user action.
const Timeout = 10 * time.Second

// Review sends a review and waits until it is on disk. It returns what is stored: an earlier review with the same id
// and content, or this one. Errors are those of Set; another content for a used id has CodeConflict.
func (c *Client) Review(ctx context.Context, r nhip.Review, by *nhip.Actor) (nhip.Review, error) {
	result, err := c.send(ctx, nhip.ActionKindReview, r.ID, "", struct {
		nhip.Review
		Actor *nhip.Actor `json:"actor,omitempty"`
	}{r, by})
	switch {
	case err != nil:
		return nhip.Review{}, err
	case result.Review == nil:
		return r, nil
	case !result.Review.SameAs(&r): // two callers wait for outcomes of one id, and the other one was first
		return nhip.Review{}, nhip.Errorf(nhip.CodeConflict, "id", "%q is another review already", r.ID)
	}
	return *result.Review, nil
}

// Ack sends an acknowledgement and waits until it is on disk. Errors are those of Set.
func (c *Client) Ack(ctx context.Context, a nhip.Ack, by *nhip.Actor) error {
	_, err := c.send(ctx, nhip.ActionKindAck, a.Alert, "", struct {
		nhip.Ack
		Actor *nhip.Actor `json:"actor,omitempty"`
	}{a, by})
	return err
}

// Set sends a change of a document and waits until it is on disk and published. Set fills in the request and, if it is
// zero, the time. What a collector refuses is an error with its code, as CodeConflict for a change that was made from
// an older version. Without an answer within Timeout, the error has CodeUnavailable, and the change may still be made.
func (c *Client) Set(ctx context.Context, d nhip.Document, by nhip.Actor) (nhip.DocumentChange, error) {
	d.Request = rand.Text()
	if d.Time.IsZero() {
		d.Time = c.clock.Now()
	}
	d.Time = d.Time.UTC().Truncate(time.Millisecond)
	if err := d.Validate(); err != nil {
		return nhip.DocumentChange{}, err
	}
	result, err := c.send(ctx, d.Kind, d.ID, d.Request, struct {
		nhip.Document
		Actor nhip.Actor `json:"actor"`
	}{d, by})
	if err != nil {
		return nhip.DocumentChange{}, err
	}
	return *result.Document, nil
}

// SetJSON is Set with a body that is encoded as JSON.
func (c *Client) SetJSON(ctx context.Context, d nhip.Document, body any, by nhip.Actor) (nhip.DocumentChange, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nhip.DocumentChange{}, err
	}
	d.Body = raw
	return c.Set(ctx, d, by)
}

func (c *Client) send(ctx context.Context, kind, id, request string, body any) (r nhip.ActionResult, err error) {
	if size := topics.UserActionTopicSize(kind, id); size > topics.MaxTopic {
		return r, nhip.Errorf(nhip.CodeInvalid, "id", "makes a topic of %d bytes; the maximum is %d", size, topics.MaxTopic)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return r, err
	}
	key := waitKey{topics.EventTopic(kind, id), request}
	w := c.expect(key)
	defer c.forget(key, w)
	if err := c.publish(topics.UserActionTopic(kind, id), raw); err != nil {
		return r, err
	}
	timeout := time.NewTimer(Timeout)
	defer timeout.Stop()
	select {
	case <-w.done:
		if w.result.Refused != nil {
			return r, w.result.Refused.Err()
		}
		return w.result, nil
	case <-ctx.Done():
		return r, ctx.Err()
	case <-timeout.C:
		return r, nhip.Errorf(nhip.CodeUnavailable, "",
			"no collector confirmed the action in time; repeat the request with the same id, %q", id)
	}
}

// Receive applies a message with the outcome of a user action.
func (c *Client) Receive(topic string, payload []byte) {
	var result nhip.ActionResult
	if err := json.Unmarshal(payload, &result); err != nil {
		c.log.Error("undecodable outcome of a user action", "topic", topic, "error", err)
		return
	}
	key := waitKey{topic, result.Request}
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.waiting[key]; w != nil && (result.Refused != nil || key.request == "" || result.Document != nil) {
		w.result = result
		close(w.done)
		delete(c.waiting, key)
	}
}

// expect registers a caller that waits.
func (c *Client) expect(key waitKey) *waiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.waiting[key]
	if w == nil {
		w = &waiter{done: make(chan struct{})}
		c.waiting[key] = w
	}
	w.callers++
	return w
}

// forget removes a caller that no longer waits.
func (c *Client) forget(key waitKey, w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.callers--; w.callers == 0 && c.waiting[key] == w {
		delete(c.waiting, key)
	}
}
