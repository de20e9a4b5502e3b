package mqtt

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
)

// state is what the lanes of a Fan have in common: its counts, whether the broker can be reached,
// and what was said in the log about that.
type state struct {
	log *slog.Logger
	url string

	acked, resent, stuck atomic.Int64

	mu   sync.Mutex
	up   int             // lines that stand
	down bool            // the broker is not reached, and whoever reads the log knows
	said map[string]bool // why it is not, so far
}

func newState(url string, log *slog.Logger) *state {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &state{log: log, url: url, said: make(map[string]bool)}
}

// away says that the broker is not reached yet.
func (s *state) away() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
}

func (s *state) connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.up > 0
}

// rose notes a line that stands.
func (s *state) rose() {
	s.mu.Lock()
	s.up++
	news := s.down
	s.down = false
	if s.up == 1 {
		clear(s.said)
	}
	s.mu.Unlock()
	if news {
		s.log.Info("reached the MQTT broker", "url", s.url)
	}
}

// fell notes the end of a line; without err it was wanted, and so it was when ctx has ended.
func (s *state) fell(ctx context.Context, err error) {
	s.mu.Lock()
	s.up--
	news := s.up == 0 && err != nil && ctx.Err() == nil
	s.down = s.down || news
	s.mu.Unlock()
	if news {
		s.log.Warn("lost the MQTT broker", "url", s.url, "error", err)
	}
}

// unreachable notes that a line could not be opened, and tells each cause once.
func (s *state) unreachable(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	cause := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1 // ports differ from try to try
		}
		return r
	}, err.Error())
	s.mu.Lock()
	known := s.said[cause]
	s.said[cause] = true
	s.mu.Unlock()
	if !known {
		s.log.Warn("can't reach the MQTT broker; trying again", "url", s.url, "error", err)
	}
}

// stays notes a message over which the connection is lost again and again.
func (s *state) stays(m *sent) {
	s.stuck.Add(1)
	s.log.Error("the connection to the MQTT broker is lost again and again over one message; it stays first in its line",
		"url", s.url, "topic", m.topic, "bytes", len(m.payload), "times", m.lost)
}

// settled notes a message that is acknowledged.
func (s *state) settled(m *sent) {
	s.acked.Add(1)
	if m.lost >= stuckAfter {
		s.stuck.Add(-1)
		s.log.Info("the MQTT broker has taken the message that stood in the way", "url", s.url, "topic", m.topic)
	}
}
