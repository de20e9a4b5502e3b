package ask

import (
	"sync"
	"sync/atomic"

	"nhip/internal/mqtt"
)

// maxUnsaid is how many messages may wait for the broker.
const maxUnsaid = 64

// message is one to be published.
type message struct {
	topic   string
	payload []byte
}

// mouth publishes one message after the other, so that nobody else is held up by a slow line. What
// is queued before there is a client waits for it.
type mouth struct {
	queue  chan message
	client atomic.Pointer[mqtt.Client]
	ending chan struct{}
	once   sync.Once
	speech sync.WaitGroup
}

func newMouth() *mouth {
	return &mouth{queue: make(chan message, maxUnsaid), ending: make(chan struct{})}
}

// use gives the mouth its client; it is called once.
func (m *mouth) use(c *mqtt.Client) {
	m.client.Store(c)
	m.speech.Go(func() { m.speak(c) })
}

func (m *mouth) connected() bool {
	c := m.client.Load()
	return c != nil && c.Connected()
}

func (m *mouth) speak(c *mqtt.Client) {
	for {
		select {
		case next := <-m.queue:
			c.Publish(next.topic, qos, false, next.payload)
		case <-m.ending:
			m.finish(c)
			return
		}
	}
}

// finish says what is queued.
func (m *mouth) finish(c *mqtt.Client) {
	for {
		select {
		case next := <-m.queue:
			c.Publish(next.topic, qos, false, next.payload)
		default:
			return
		}
	}
}

// close ends it when what is queued was said.
func (m *mouth) close() {
	m.once.Do(func() { close(m.ending) })
	m.speech.Wait()
}
