package consume

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip/internal/mqtt"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

const second = time.Second

func newTestSessionLog(rejecting *atomic.Bool) (*sessionLog, *bytes.Buffer) {
	var out bytes.Buffer
	return newSessionLog(slog.New(slog.NewTextHandler(&out, nil)), "c", defaultLimits(), rejecting), &out
}

// expect compares a pause, and checks that the log contains want or, if want is "", nothing. It empties the log.
func expect(t *testing.T, what string, pause, wantPause time.Duration, out *bytes.Buffer, want string) {
	t.Helper()
	if pause != wantPause {
		t.Errorf("%s: pause %s, want %s", what, pause, wantPause)
	}
	if want == "" && out.Len() > 0 || !strings.Contains(out.String(), want) {
		t.Errorf("%s: logged %q, want %q", what, out, want)
	}
	out.Reset()
}

func TestSessionLogBacksOffWhileUnreachable(t *testing.T) {
	l, out := newTestSessionLog(new(atomic.Bool))
	down, slow := errors.New("down"), errors.New("slow")
	for _, step := range []struct {
		err   error
		pause time.Duration
		log   string
	}{
		{down, 2 * second, "error=down"},
		{down, 4 * second, ""},
		{slow, 8 * second, "error=slow"},
		{down, 15 * second, ""},
		{mqtt.Options{URL: "tcp://b"}.Explain(packets.ErrorRefusedIDRejected), 15 * second, "level=ERROR"},
	} {
		expect(t, step.err.Error(), l.ended(step.err, 0, false), step.pause, out, step.log)
	}
	l.up()
	expect(t, "up", 0, 0, out, "connected to the MQTT broker")
	expect(t, "lost while stable", l.ended(io.EOF, stableAfter, true), 0, out, "lost the MQTT broker")
	expect(t, "unreachable again", l.ended(down, 0, false), 2*second, out, "error=down")
}

func TestSessionLogWarnsOfSharedClientID(t *testing.T) {
	l, out := newTestSessionLog(new(atomic.Bool))
	for i, step := range []struct {
		pause time.Duration
		log   string
	}{
		{2 * second, "lost the MQTT broker"},
		{4 * second, "another process may use the same client id"},
		{8 * second, ""},
		{15 * second, ""},
	} {
		l.up()
		if i > 2 && out.Len() > 0 {
			t.Errorf("each connection is logged: %s", out)
		}
		out.Reset()
		expect(t, "lost at once", l.ended(io.EOF, second, true), step.pause, out, step.log)
	}
	expect(t, "lost while stable", l.ended(io.EOF, stableAfter, true), 0, out, "lost the MQTT broker")
	expect(t, "lost at once", l.ended(io.EOF, second, true), 2*second, out, "lost the MQTT broker")
}

func TestSessionLogBacksOffWhileRejecting(t *testing.T) {
	rejecting := new(atomic.Bool)
	l, out := newTestSessionLog(rejecting)
	full := &rejectedError{errors.New("disk full")}
	for _, step := range []struct {
		accepted bool
		pause    time.Duration
		log      string
	}{
		{false, 1 * second, "disk full"},
		{false, 2 * second, ""},
		{false, 4 * second, ""},
		{false, 8 * second, ""},
		{false, 15 * second, ""},
		{true, 1 * second, ""},
	} {
		expect(t, "rejected", l.ended(full, second, step.accepted), step.pause, out, step.log)
	}
	rejecting.Store(false) // the source does this when the acceptor has accepted a message
	expect(t, "rejected again", l.ended(full, 0, false), 2*second, out, "disk full")
}
