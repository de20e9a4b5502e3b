package deadletter

import (
	"fmt"
	"testing"
	"time"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

func TestSamplerLimitsOneSender(t *testing.T) {
	const messages = 10_000
	s, kept, dropped := NewSampler(), 0, 0
	for range messages {
		before, drop := s.Sample("noisy", 10, noon)
		if !drop {
			kept++
			dropped += before
		}
	}
	most := QuotaLetters + messages/SampleOneIn
	if kept < most-2 || kept > most || kept+dropped < messages-SampleOneIn {
		t.Errorf("%d letters kept, %d reported as dropped, want about %d and all others", kept, dropped, most)
	}
	if _, drop := s.Sample("quiet", 10, noon); drop {
		t.Error("dropped the letter of another sender")
	}
	if before, drop := s.Sample("noisy", 10, noon.Add(quotaSpan)); drop || before == 0 {
		t.Errorf("in a new span: dropped %v, %d dropped before", drop, before)
	}
}

func TestSamplerLimitsTotal(t *testing.T) {
	const size = 64 << 10
	s, bytes := NewSampler(), 0
	for i := range 3 * maxSenders {
		if _, drop := s.Sample(fmt.Sprint(i), size, noon); !drop {
			bytes += size
		}
	}
	if bytes == 0 || bytes > totalBytes || len(s.senders) > maxSenders+1 {
		t.Errorf("%d bytes kept of %d senders", bytes, len(s.senders))
	}
	s.Sample("next", 1, noon.Add(quotaSpan))
	if len(s.senders) > 1 {
		t.Errorf("%d senders are remembered in a new span", len(s.senders))
	}
}
