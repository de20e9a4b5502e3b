package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/gateway/amqp/amqptest"
	"nhip/internal/health"
	"nhip/internal/torturetest"
)

// boxes are buses that send way points through AMQP, one a second.
type boxes struct {
	from time.Time
	sent int // seconds of each
}

// boxesOf is how many buses there are.
const boxesOf = 3

// next returns the way points of all buses for so many seconds.
func (b *boxes) next(seconds int) (payloads [][]byte) {
	for range seconds {
		for v := range boxesOf {
			payloads = append(payloads, fmt.Appendf(nil, `{"msgType":"MsgType_BusWayPoint","msgBusWayPoint":{`+
				`"vehicle":"29B-%05d","datetime":%d,"x":%f,"y":21.03,"speed":20,"working":true}}`,
				v, b.from.Unix()+int64(b.sent), 105.8+float64(b.sent)*1e-5))
		}
		b.sent++
	}
	return payloads
}

// TestNothingFromAMQPIsLost kills the platform and the broker while messages are on their way. Everything that the
// broker has confirmed is stored once or among the dead letters, and the ledger balances.
func TestNothingFromAMQPIsLost(t *testing.T) {
	b := amqptest.RabbitMQ(t)
	b.Declare(t, "boxes")
	t.Setenv("NHIP_SOURCES_BUS_BOXES_PASSWORD", amqptest.Password)
	conf := apptest.WriteFile(t, "nhip.yaml", fmt.Sprintf("sources:\n"+
		"- {name: bus-boxes, url: %q, queue: boxes, format: ufms-bus}\n"+
		"- {name: more, url: %q, queue: nowhere, format: ufms-bus, ca: %q}\n", b.WithoutPassword(), b.TLSURL(), b.CA()))
	dir := t.TempDir()
	traffic := boxes{from: time.Now().Add(-time.Hour)}
	p := launchUp(t, dir, "--config", conf)

	for range torturetest.Times(t, 1, 20) {
		b.Publish(t, "boxes", traffic.next(100)...)
		killProcess(t, p.cmd.Process.Pid)
		p.kill()
		b.Publish(t, "boxes", traffic.next(50)...)
		p = launchUp(t, dir, "--config", conf)
		b.Publish(t, "boxes", traffic.next(50)...)
		b.Kill()
		b.Start(t)
	}
	repeated := traffic.next(1)
	b.Publish(t, "boxes", repeated...)
	b.Publish(t, "boxes", repeated...)
	huge := append([]byte(`{"msgType":"MsgType_BusWayPoint",`), bytes.Repeat([]byte(" "), 600<<10)...)
	b.Publish(t, "boxes", []byte(`{"msgType":"MsgType_BusWayPoint"}`), huge)

	awaitNoFault(t, func() string { return boxesFault(t, dir, traffic.sent) })
	awaitNoFault(t, func() string {
		if n := b.Ready(t, "boxes"); n > 0 {
			return fmt.Sprintf("%d messages are left at the broker", n)
		}
		return readinessFault(t, p, "more: ")
	})
	awaitNoFault(t, func() string { return boxLettersFault(t, dir, len(huge)) })
	succeed(t, dir, "ledger", "--verify")
	if err := p.stop(t); err != nil {
		t.Error(err)
	}
	if log := p.stderr.String(); strings.Contains(log, "s3cret") {
		t.Errorf("the log has the password:\n%s", log)
	}
}

// boxesFault returns what in the ledger is not as it must be, or not yet: each bus has so many rows, of which the
// broker delivered some twice.
func boxesFault(t *testing.T, dir string, seconds int) string {
	t.Helper()
	code, stdout, stderr := try(t, dir, "ledger", "--json")
	if code != 0 {
		return stderr
	}
	stored, duplicates := make(map[string]int64), int64(0)
	for _, r := range ledgerByHour(t, stdout) {
		if !r.Balanced() || r.Pending != 0 || r.Revised != 0 {
			return fmt.Sprintf("%+v", r)
		}
		if strings.HasPrefix(r.Device, "bus/") {
			stored[r.Device] += r.Stored
			duplicates += r.Duplicate
		}
	}
	for device, n := range stored {
		if n != int64(seconds) {
			return fmt.Sprintf("%s has %d rows, want %d", device, n, seconds)
		}
	}
	if len(stored) != boxesOf || duplicates < boxesOf {
		return fmt.Sprintf("%d buses with %d duplicates", len(stored), duplicates)
	}
	return ""
}

// readinessFault returns what is wrong with /readyz, which must name the source that begins with a text as the only
// faulty one.
func readinessFault(t *testing.T, p *process, want string) string {
	t.Helper()
	var state health.State
	a := p.API(t).Get(t, "/readyz")
	if err := json.Unmarshal(a.Body, &state); err != nil {
		t.Fatal(err)
	}
	reason := state.Reasons["sources"]
	if !state.Ready || !strings.HasPrefix(reason, want) || !strings.Contains(reason, `queue "nowhere" does not exist`) {
		return string(a.Body)
	}
	return ""
}

// boxLettersFault returns what is wrong with the dead letters, which must be of the message without a point and of the
// huge one.
func boxLettersFault(t *testing.T, dir string, size int) string {
	t.Helper()
	codes := make(map[nhip.Code]nhip.DeadLetter)
	for line := range strings.Lines(succeed(t, dir, "dead", "list", "--json", "--limit", "0")) {
		var letter nhip.DeadLetter
		if err := json.Unmarshal([]byte(line), &letter); err != nil {
			t.Fatal(err)
		}
		codes[letter.Code] = letter
	}
	missing, large := codes[nhip.CodeMissing], codes[nhip.CodeTooLarge]
	if len(codes) != 2 || missing.Topic != "nhip/in/ufms-bus/bus-boxes" ||
		large.Topic != missing.Topic || !strings.Contains(large.Rule, fmt.Sprintf("has %d bytes", size)) {
		return fmt.Sprintf("dead letters %+v", codes)
	}
	return ""
}
