package actions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/topics"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

type fixedClock struct{}

func (fixedClock) Now() time.Time { return noon }

type message struct {
	topic   string
	payload []byte
}

// newClient returns a client and what it publishes.
func newClient() (*Client, chan message) {
	out := make(chan message, 10)
	return NewClient(func(topic string, payload []byte) error {
		out <- message{topic, payload}
		return nil
	}, fixedClock{}, slog.New(slog.DiscardHandler)), out
}

func TestReviewWaitsForConfirmation(t *testing.T) {
	c, published := newClient()
	done := make(chan error, 1)
	go func() { _, err := c.Review(t.Context(), nhip.Review{ID: "r1"}, nil); done <- err }()
	if m := <-published; m.topic != topics.UserActionTopic(nhip.ActionKindReview, "r1") {
		t.Errorf("published on %s", m.topic)
	}
	c.Receive(topics.EventTopic(nhip.ActionKindReview, "other"), []byte("{}"))
	c.Receive(topics.EventTopic(nhip.ActionKindReview, "r1"), []byte("not JSON"))
	select {
	case err := <-done:
		t.Fatalf("confirmed by another message: %v", err)
	default:
	}
	c.Receive(topics.EventTopic(nhip.ActionKindReview, "r1"), []byte("{}"))
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(c.waiting) > 0 {
		t.Errorf("still waiting: %v", c.waiting)
	}
}

// TestReviewsAtOnceWithOneID sends two reviews with one id, of which a collector stores the first.
func TestReviewsAtOnceWithOneID(t *testing.T) {
	c, published := newClient()
	send := func(why string) chan error {
		done := make(chan error, 1)
		go func() {
			r, err := c.Review(t.Context(), nhip.Review{ID: "r1", Why: why, By: "Mai"}, nil)
			if err == nil && r.By != "Lan" {
				err = fmt.Errorf("not the one that is stored: %+v", r)
			}
			done <- err
		}()
		<-published
		return done
	}
	first, same, other := send("fog"), send("fog"), send("haze")
	c.Receive(topics.EventTopic(nhip.ActionKindReview, "r1"), []byte(`{"review":{"id":"r1","by":"Lan","why":"fog"}}`))
	if err := errors.Join(<-first, <-same); err != nil {
		t.Error(err)
	}
	if err := <-other; nhip.ErrorCode(err) != nhip.CodeConflict {
		t.Errorf("another content: %v", err)
	}
}

// TestChangesAtOnceGetTheirOwnOutcome sets one document twice at a time.
func TestChangesAtOnceGetTheirOwnOutcome(t *testing.T) {
	c, published := newClient()
	set := func() chan error {
		done := make(chan error, 1)
		go func() {
			body := json.RawMessage(`{"time":"2026-02-16T12:00:00Z"}`)
			_, err := c.Set(t.Context(), nhip.Document{Kind: nhip.DocumentKeyUse, ID: "k", Body: body},
				nhip.Actor{Name: "Lan", Role: nhip.RoleAdmin})
			done <- err
		}()
		return done
	}
	answer := func(m message, r nhip.ActionResult) {
		var sent nhip.Document
		if err := json.Unmarshal(m.payload, &sent); err != nil || sent.Request == "" || !sent.Time.Equal(noon) {
			t.Fatalf("%s: %v", m.payload, err)
		}
		r.Request = sent.Request
		raw, _ := json.Marshal(r)
		c.Receive(topics.EventTopic(nhip.DocumentKeyUse, "k"), raw)
	}
	first := set()
	a := <-published
	second := set()
	b := <-published
	answer(b, nhip.ActionResult{Refused: &nhip.Refusal{Code: nhip.CodeConflict, Field: "if_version", Rule: "no"}})
	var e *nhip.Error
	if err := <-second; !errors.As(err, &e) || e.Code != nhip.CodeConflict || e.Field != "if_version" {
		t.Errorf("the refused one: %v", err)
	}
	answer(a, nhip.ActionResult{Document: &nhip.DocumentChange{Version: 1}})
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestActionFailsWithItsPublication(t *testing.T) {
	away := errors.New("broker is away")
	c := NewClient(func(string, []byte) error { return away }, fixedClock{}, nil)
	if err := c.Ack(t.Context(), nhip.Ack{}, nil); !errors.Is(err, away) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c = NewClient(func(string, []byte) error { cancel(); return nil }, fixedClock{}, nil)
	if err := c.Ack(ctx, nhip.Ack{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: error %v", err)
	}
	if len(c.waiting) > 0 {
		t.Errorf("still waiting: %v", c.waiting)
	}
}

// TestActionWithoutTopicIsRefused: an id of 250 slashes makes a topic that brokers of ours refuse.
func TestActionWithoutTopicIsRefused(t *testing.T) {
	c, published := newClient()
	slashes := strings.Repeat("/", 250)
	_, err := c.Review(t.Context(), nhip.Review{ID: slashes}, nil)
	for _, err := range []error{err, c.Ack(t.Context(), nhip.Ack{Alert: slashes}, nil)} {
		var known *nhip.Error
		if !errors.As(err, &known) || known.Field != "id" || known.Code != nhip.CodeInvalid {
			t.Error(err)
		}
	}
	if len(published) > 0 {
		t.Error("something is published")
	}
}
