package publish

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"nhip/internal/topics"
)

// subscribeID is the packet id of each SUBSCRIBE. Messages use the same range of ids, but a SUBACK is never mistaken
// for a PUBACK.
const subscribeID = 1<<16 - 1

// Lengths in packets, in bytes.
const (
	sizeLength = 2 // of the length of a text
	sizeSuback = 3 // of a SUBACK to one filter
)

// censuses holds the censuses that arrived over one connection, and so come from the broker that gets the messages. A
// broker that was restarted without its sessions has lost its censuses, too.
type censuses struct {
	changed chan struct{} // receives when the coverage has changed

	current atomic.Pointer[topics.Coverage]

	mu  sync.Mutex
	all *topics.Censuses
}

func newCensuses() *censuses {
	c := &censuses{changed: make(chan struct{}, 1), all: topics.NewCensuses()}
	c.current.Store(new(topics.Coverage))
	return c
}

func (c *censuses) coverage() topics.Coverage { return *c.current.Load() }

// handleSuback returns an error if the broker refuses the subscription: without it nothing could be sent.
func (c *censuses) handleSuback(body []byte) error {
	if len(body) != sizeSuback {
		return errors.New("the broker sent a malformed SUBACK")
	}
	if body[sizeSuback-1] != 0 {
		return fmt.Errorf("the broker refuses the subscription to %s, which shows whether a collector gets the messages",
			topics.LiveCensus)
	}
	return nil
}

// handlePublish applies a census, which has QoS 0. An invalid one covers nothing and is not an error of the connection.
func (c *censuses) handlePublish(body []byte) error {
	if len(body) < sizeLength {
		return errors.New("the broker sent a malformed message")
	}
	size := sizeLength + int(binary.BigEndian.Uint16(body))
	if len(body) < size {
		return errors.New("the broker sent a malformed message")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.all.Receive(string(body[sizeLength:size]), body[size:])
	c.update()
	return nil
}

func (c *censuses) nextRound() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all.NextRound()
	c.update()
}

func (c *censuses) update() {
	now := c.all.Coverage()
	if now.Equal(c.coverage()) {
		return
	}
	c.current.Store(&now)
	select {
	case c.changed <- struct{}{}:
	default:
	}
}
