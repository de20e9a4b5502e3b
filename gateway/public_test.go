package gateway

import (
	"bytes"
	"context"
	"testing"

	"nhip/internal/fleet"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// square is a gateway with a public listener.
func square(t *testing.T, anonymous bool) *Gateway {
	t.Helper()
	return startAs(t, &door{}, Options{Public: PublicOptions{Addr: "127.0.0.1:0", Anonymous: anonymous}})
}

// guest connects over WebSocket and logs in; the answer is the CONNACK's code.
func guest(t *testing.T, g *Gateway, id, secret string) (*raw, byte) {
	t.Helper()
	ws, resp, err := websocket.Dial(t.Context(), g.PublicURL(), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("Sec-WebSocket-Protocol") != "mqtt" {
		t.Error("the sub-protocol is not agreed on")
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	t.Cleanup(cancel)
	r := &raw{websocket.NetConn(ctx, ws, websocket.MessageBinary), t}
	t.Cleanup(func() { _ = r.Close() })
	if secret == "" {
		r.say(packet(0x10, str("MQTT"), []byte{4, 2, 0, 60}, str(id)))
	} else {
		r.say(connectAs(id, secret))
	}
	answer := r.hear(4)
	if len(answer) < 4 {
		return r, 0xff
	}
	return r, answer[3]
}

func TestGuestsHearTheLiveCity(t *testing.T) {
	g := square(t, true)
	g.SetFleet(&fleet.Fleet{Stations: []fleet.Station{{ID: "balcony", Position: fleet.Private}}}, feeds)
	role := dial(t, as(g, "role", accounts.Role))
	r, code := guest(t, g, "role", "") // which is not what it gets
	if code != 0 {
		t.Fatalf("a guest is answered with %d", code)
	}
	r.say(subscribe("nhip/live/bus/#", "nhip/live/air/#", "/hfp/v2/journey/ongoing/vp/bus/+/+/+/+/+/+/+/0/#", "nhip/live/#", "nhip/live/air/balcony", "nhip/fleet/#", "#"))
	if got := r.hear(11); !bytes.Equal(got[4:], []byte{1, 1, 1, 0x80, 0x80, 0x80, 0x80}) {
		t.Fatalf("subscriptions are answered with %x", got)
	}
	for _, m := range [][2]string{
		{"nhip/live/air/balcony", "private"},
		{"nhip/live/census/main", "{}"},
		{"nhip/event/x", "event"},
		{"nhip/live/hfp/v2/journey/ongoing/vp/bus/1/2/3/1/h/10:00/s/5/21;105/01/02/03/", "small"},
		{"nhip/live/hfp/v2/journey/ongoing/vp/bus/1/2/3/1/h/10:00/s/0/21;105/01/02/03/", "big"},
		{"nhip/live/bus/a/1", "the end"},
	} {
		if !acked(role.Publish(m[0], 1, false, []byte(m[1])), waitFor) {
			t.Fatal(m[0])
		}
	}
	heard := r.until([]byte("the end"))
	if !bytes.Contains(heard, []byte("/hfp/v2/journey/ongoing/vp/bus/1/2/3/1/h/10:00/s/0/21;105/01/02/03/")) || bytes.Contains(heard, []byte("nhip/live/hfp")) {
		t.Errorf("HFP is heard as %q", heard)
	}
	for _, secret := range []string{"private", "small", "event", "{}"} {
		if bytes.Contains(heard, []byte(secret)) {
			t.Errorf("a guest hears %q", secret)
		}
	}
	if !acked(role.Publish("nhip/live/bus/a/1", 1, false, []byte("{}")), waitFor) {
		t.Error("a guest takes a role's place")
	}
}

func TestGuestsSayNothing(t *testing.T) {
	g := square(t, true)
	for _, topic := range []string{"nhip/in/position/1", "nhip/live/bus/a/1", "/hfp/v2/journey/ongoing/vp/bus/1/2", "nhip/cmd/a/b"} {
		r, _ := guest(t, g, "g", "")
		r.say(publish1(topic, 1, "{}"))
		if said, cut := r.isCut(); !cut || bytes.Contains(said, []byte{0x40, 2}) {
			t.Errorf("a guest may publish to %s", topic)
		}
	}
	if n := len(g.hook.door.(*door).messages()); n != 0 || testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("publish")) != 4 {
		t.Errorf("%d messages of guests came through", n)
	}
}

func TestGuestsWithoutASecretWhereOneIsAsked(t *testing.T) {
	g := square(t, false)
	withFleet(g, box("bus-1", "s"))
	for _, c := range []struct {
		id, secret string
		want       byte
	}{{"x", "", 5}, {"x", "wrong", 5}, {"bus-1", "s", 0}, {"x", accounts.Operator, 0}} {
		if _, code := guest(t, g, c.id, c.secret); code != c.want {
			t.Errorf("%+v is answered with %d", c, code)
		}
	}
}

func TestThePublicListenerOutlivesBadGuests(t *testing.T) {
	g := square(t, true)
	for _, say := range [][]byte{nil, {0xff}, []byte("GET / HTTP/1.1\r\n\r\n"), []byte("GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n")} {
		r := dialRaw(t, &Gateway{street: g.public})
		r.say(say)
		_ = r.Close()
	}
	r, code := guest(t, g, "g", "")
	if code != 0 {
		t.Fatal("nobody is let in any more")
	}
	r.say([]byte{0x10, 0xff, 0xff, 0xff, 0x7f})
	if _, cut := r.isCut(); !cut {
		t.Error("a guest may announce 256 MB")
	}
}
