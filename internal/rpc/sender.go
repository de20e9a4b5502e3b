package rpc

import (
	"context"
	"sync/atomic"

	"nhip/internal/mqtt"
	"nhip/internal/task"
)

// maxQueued is how many messages may wait to be published.
const maxQueued = 64

// message is a message to be published.
type message struct {
	topic   string
	payload []byte
}

// sender publishes the messages of its queue one after the other, so that a slow connection blocks no other goroutine.
// Messages that are queued before use wait for it.
type sender struct {
	queue  chan message
	client atomic.Pointer[mqtt.Client]
	tasks  *task.Group // run
}

func newSender() *sender {
	return &sender{queue: make(chan message, maxQueued), tasks: task.NewGroup()}
}

// use makes the sender publish over a client. It must be called at most once, and before close.
func (s *sender) use(c *mqtt.Client) {
	s.client.Store(c)
	s.tasks.Go("sender", func(ctx context.Context) error { return s.run(ctx, c) })
}

func (s *sender) connected() bool {
	c := s.client.Load()
	return c != nil && c.Connected()
}

func (s *sender) run(ctx context.Context, c *mqtt.Client) error {
	for {
		select {
		case m := <-s.queue:
			c.Publish(m.topic, qos, false, m.payload)
		case <-ctx.Done():
			s.flush(c)
			return ctx.Err()
		}
	}
}

// flush publishes what is queued.
func (s *sender) flush(c *mqtt.Client) {
	for {
		select {
		case m := <-s.queue:
			c.Publish(m.topic, qos, false, m.payload)
		default:
			return
		}
	}
}

// close publishes what is queued and ends the sender.
func (s *sender) close() { _ = s.tasks.Stop(context.Background()) }
