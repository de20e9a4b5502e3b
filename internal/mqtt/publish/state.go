package publish

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"nhip/internal/mqtt"
)

// state is shared by the queues of a Pool: it counts their messages and connections, and logs when the broker as a
// whole is lost and reached again.
type state struct {
	log *slog.Logger
	url string

	acked, resent, stuck atomic.Int64

	losses mqtt.Losses

	mu     sync.Mutex
	open   int             // open connections
	down   bool            // the broker is not reached, and the next connection is logged
	logged map[string]bool // causes of a failure to connect that were logged since the broker was reached last
}

func newState(url string, log *slog.Logger) *state {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &state{log: log, url: url, logged: make(map[string]bool)}
}

// markDown makes the first connection be logged.
func (s *state) markDown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
}

func (s *state) connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open > 0
}

// connOpened counts a new connection.
func (s *state) connOpened() {
	s.mu.Lock()
	s.open++
	reached := s.down
	s.down = false
	if s.open == 1 {
		clear(s.logged)
	}
	s.mu.Unlock()
	if reached {
		s.log.Info("reached the MQTT broker", "url", s.url)
	}
}

// connClosed counts the end of a connection. It was closed on purpose if err is nil or ctx has ended.
func (s *state) connClosed(ctx context.Context, err error) {
	s.mu.Lock()
	s.open--
	lost := s.open == 0 && err != nil && ctx.Err() == nil
	s.down = s.down || lost
	s.mu.Unlock()
	if lost {
		s.losses.Add(err)
		s.log.Warn("lost the MQTT broker", "url", s.url, "error", err)
	}
}

// connectFailed logs each cause once.
func (s *state) connectFailed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	cause := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1 // local ports differ between attempts
		}
		return r
	}, err.Error())
	s.mu.Lock()
	known := s.logged[cause]
	s.logged[cause] = true
	s.mu.Unlock()
	if !known {
		s.log.Warn("can't reach the MQTT broker; trying again", "url", s.url, "error", err)
	}
}

func (s *state) messageStuck(m *message) {
	s.stuck.Add(1)
	s.log.Error("message blocks its queue: the connection to the MQTT broker is lost each time it is sent",
		"url", s.url, "topic", m.topic, "bytes", len(m.payload), "times", m.losses)
}

func (s *state) messageAcked(m *message) {
	s.acked.Add(1)
	if m.losses >= stuckAfter {
		s.stuck.Add(-1)
		s.log.Info("the MQTT broker has accepted the message that blocked its queue", "url", s.url, "topic", m.topic)
	}
}

// messageForgotten uncounts a message that is given up.
func (s *state) messageForgotten(m *message) {
	if m.losses >= stuckAfter {
		s.stuck.Add(-1)
	}
}
