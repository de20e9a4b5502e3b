package mqtt

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const second = time.Second

func newTestDiary(failing *atomic.Bool) (*diary, *bytes.Buffer) {
	var out bytes.Buffer
	return newDiary(slog.New(slog.NewTextHandler(&out, nil)), "c", usualPace(), failing), &out
}

// expect ends sessions and compares pauses and lines of the log.
func expect(t *testing.T, what string, got, want time.Duration, out *bytes.Buffer, line string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: pause %s, want %s", what, got, want)
	}
	if line == "" && out.Len() > 0 || !strings.Contains(out.String(), line) {
		t.Errorf("%s: logged %q, want %q", what, out, line)
	}
	out.Reset()
}

func TestABrokerThatIsAwayIsTriedLessAndLessOften(t *testing.T) {
	d, out := newTestDiary(new(atomic.Bool))
	down, slow := errors.New("down"), errors.New("slow")
	for _, step := range []struct {
		err  error
		want time.Duration
		line string
	}{
		{down, 2 * second, "error=down"},
		{down, 4 * second, ""},
		{slow, 8 * second, "error=slow"},
		{down, 15 * second, ""},
		{&refusal{"tcp://b", "says no"}, 15 * second, "level=ERROR"},
	} {
		expect(t, step.err.Error(), d.ended(step.err, 0, false), step.want, out, step.line)
	}
	d.up()
	expect(t, "up", 0, 0, out, "connected to the MQTT broker")
	expect(t, "lost after long", d.ended(io.EOF, moment, true), 0, out, "lost the MQTT broker")
	expect(t, "away again", d.ended(down, 0, false), 2*second, out, "error=down")
}

func TestConnectionsThatAreLostAtOnceAreAWarning(t *testing.T) {
	d, out := newTestDiary(new(atomic.Bool))
	for i, step := range []struct {
		want time.Duration
		line string
	}{
		{2 * second, "lost the MQTT broker"},
		{4 * second, "another process may use the same client id"},
		{8 * second, ""},
		{15 * second, ""},
	} {
		d.up()
		if i > 2 && out.Len() > 0 {
			t.Errorf("each connection is logged: %s", out)
		}
		out.Reset()
		expect(t, "lost at once", d.ended(io.EOF, second, true), step.want, out, step.line)
	}
	expect(t, "lost after long", d.ended(io.EOF, moment, true), 0, out, "lost the MQTT broker")
	expect(t, "lost at once", d.ended(io.EOF, second, true), 2*second, out, "lost the MQTT broker")
}

func TestADoorThatRefusesIsAskedLessAndLessOften(t *testing.T) {
	failing := new(atomic.Bool)
	d, out := newTestDiary(failing)
	full := &doorError{errors.New("disk full")}
	for _, step := range []struct {
		took bool
		want time.Duration
		line string
	}{
		{false, 1 * second, "disk full"},
		{false, 2 * second, ""},
		{false, 4 * second, ""},
		{false, 8 * second, ""},
		{false, 15 * second, ""},
		{true, 1 * second, ""},
	} {
		expect(t, "refused", d.ended(full, second, step.took), step.want, out, step.line)
	}
	failing.Store(false) // as the source does when the door took one
	expect(t, "again", d.ended(full, 0, false), 2*second, out, "disk full")
}
