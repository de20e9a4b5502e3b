package mqtt

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestLossesAreForgotten(t *testing.T) {
	var l Losses
	start := time.Now()
	cause := errors.New("the broker closed the connection")
	for i := range manyLosses {
		if f := l.fault(start); f != "" {
			t.Errorf("after %d losses: %s", i, f)
		}
		l.add(cause, start.Add(time.Duration(i)*time.Minute))
	}
	if f := l.fault(start.Add(lossesSpan)); !strings.Contains(f, cause.Error()) {
		t.Errorf("the fault is %q", f)
	}
	if f := l.fault(start.Add(lossesSpan + time.Second)); f != "" {
		t.Errorf("after the span: %s", f)
	}
}
