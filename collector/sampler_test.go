package collector

import (
	"fmt"
	"testing"
)

func TestASenderOfGarbageIsSampled(t *testing.T) {
	s, kept, skipped := newSampler(), 0, 0
	for range 10_000 {
		before, unkept := s.sample("noisy", 10, noon)
		if !unkept {
			kept++
			skipped += before
		}
	}
	most := sampleLetters + 10_000/sampleOneIn
	if kept < most-2 || kept > most || kept+skipped < 10_000-sampleOneIn {
		t.Errorf("kept %d with %d told of between, want about %d and all others", kept, skipped, most)
	}
	if _, unkept := s.sample("quiet", 10, noon); unkept {
		t.Error("another sender's letter is not kept")
	}
	if before, unkept := s.sample("noisy", 10, noon.Add(sampleSpan)); unkept || before == 0 {
		t.Errorf("in a new span: unkept %v, %d before it", unkept, before)
	}
}

func TestSamplesTakeBoundedRoom(t *testing.T) {
	s, bytes := newSampler(), 0
	for i := range 3 * maxSampled {
		if _, unkept := s.sample(fmt.Sprint(i), 64<<10, noon); !unkept {
			bytes += 64 << 10
		}
	}
	if bytes == 0 || bytes > sampleAll || len(s.senders) > maxSampled+1 {
		t.Errorf("%d bytes are kept of %d senders", bytes, len(s.senders))
	}
	s.sample("next", 1, noon.Add(sampleSpan))
	if len(s.senders) > 1 {
		t.Errorf("%d senders are remembered for ever", len(s.senders))
	}
}
