package broker

import (
	"fmt"
	"testing"
	"time"

	"nhip/internal/mqtt/packet"
)

// offline returns a session that has no connection and accepts nothing with QoS 0.
func (s *Server) offline(id string) *session {
	return &session{server: s, id: id, limits: defaultLimits}
}

// BenchmarkRoute measures a message of a role with a number of subscribers, while 100,000 devices have subscribed to
// their commands. Nothing is written to a network.
func BenchmarkRoute(b *testing.B) {
	for _, guests := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("subscribers=%d", guests), func(b *testing.B) {
			s := New(Options{Rules: &testRules{}})
			for i := range 100_000 {
				id := fmt.Sprintf("bus-%06d", i)
				s.offline(id).subscribe("nhip/cmd/"+id+"/#", packet.Filter{QoS: 1}, 0)
			}
			for i := range guests {
				s.offline(fmt.Sprint("guest-", i)).subscribe("nhip/live/bus/#", packet.Filter{}, 0)
			}
			m := &Message{Topic: "nhip/live/bus/hanoi/29B-12345", Payload: make([]byte, 400), Retain: true}
			b.ReportAllocs()
			for b.Loop() {
				s.route(m, nil)
			}
		})
	}
}

// BenchmarkRetainedExpiry measures the replacement of one of 100,000 retained messages that expire. No other is looked
// at.
func BenchmarkRetainedExpiry(b *testing.B) {
	s := New(Options{Rules: &testRules{}})
	const n = 100_000
	topics := make([]string, n)
	for i := range topics {
		topics[i] = fmt.Sprintf("nhip/live/bus/hanoi/%d", i)
	}
	payload := make([]byte, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.retained.put(&Message{Topic: topics[i%n], Payload: payload, Expires: time.Now().Add(time.Hour)})
	}
	s.expiry.close()
}
