package gateway

import (
	"bytes"
	"testing"

	"nhip/internal/fleet"
	"nhip/internal/mqtt"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestGuestReadsLiveTopics(t *testing.T) { onEachTransport(t, guestReadsLiveTopics) }

func guestReadsLiveTopics(t *testing.T, at transport) {
	p := startPublicOn(t, at, Options{Public: PublicOptions{Anonymous: true}})
	g := p.Gateway
	g.SetFleet(&fleet.Fleet{Stations: []fleet.Station{{ID: "home", Position: fleet.Private}}}, feeds)
	role := dial(t, clientOptions(g, "role", accounts.Role))
	r, code := dialGuest(t, p, "role", "") // the gateway assigns another client id
	if code != 0 {
		t.Fatalf("CONNACK code %d for a guest", code)
	}
	r.send(subscribe("nhip/live/bus/#", "nhip/live/air/#", "/hfp/v2/journey/ongoing/vp/bus/+/+/+/+/+/+/+/0/#",
		"nhip/live/service/#", "nhip/live/#", "nhip/live/air/home", "nhip/fleet/#", "#"))
	if got := r.read(12); !bytes.Equal(got[4:], []byte{0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80}) {
		t.Fatalf("SUBACK %x", got)
	}
	for _, m := range [][2]string{
		{"nhip/live/air/home", "private"},
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
	received := r.readUntil([]byte("the end"))
	checkGuestReadsOneReminder(t, r, role)
	if !bytes.Contains(received, []byte("/hfp/v2/journey/ongoing/vp/bus/1/2/3/1/h/10:00/s/0/21;105/01/02/03/")) ||
		bytes.Contains(received, []byte("nhip/live/hfp")) {
		t.Errorf("HFP received as %q", received)
	}
	for _, secret := range []string{"private", "small", "event", "{}"} {
		if bytes.Contains(received, []byte(secret)) {
			t.Errorf("a guest received %q", secret)
		}
	}
	if !acked(role.Publish("nhip/live/bus/a/1", 1, false, []byte("{}")), waitFor) {
		t.Error("a guest took over the session of a role")
	}
}

// checkGuestReadsOneReminder: a guest may listen to a reminder whose id it knows, and not to all.
func checkGuestReadsOneReminder(t *testing.T, r *rawClient, role *mqtt.Client) {
	t.Helper()
	r.send(subscribe(topics.NotificationTopic("ABC"), "nhip/event/notification/+", "nhip/event/notification/#",
		"nhip/event/+/ABC", "nhip/event/reminder/ABC", "nhip/event/notification/"))
	if got := r.read(10); !bytes.Equal(got[4:], []byte{0, 0x80, 0x80, 0x80, 0x80, 0x80}) {
		t.Errorf("SUBACK for reminders %x", got)
	}
	for _, id := range []string{"XYZ", "ABC"} {
		if !acked(role.Publish(topics.NotificationTopic(id), 1, false, []byte("told "+id)), waitFor) {
			t.Fatal(id)
		}
	}
	if received := r.readUntil([]byte("told ABC")); bytes.Contains(received, []byte("XYZ")) {
		t.Errorf("received %q", received)
	}
}

// TestGuestCannotReadVanishedPrivateStation: the fleet no longer names the station, and its live state says that it is
// private.
func TestGuestCannotReadVanishedPrivateStation(t *testing.T) {
	onEachTransport(t, guestCannotReadVanishedPrivateStation)
}

func guestCannotReadVanishedPrivateStation(t *testing.T, at transport) {
	p := startPublicOn(t, at, Options{Public: PublicOptions{Anonymous: true}})
	g := p.Gateway
	role := dial(t, clientOptions(g, "role", accounts.Role))
	r, _ := dialGuest(t, p, "x", "")
	r.send(subscribe("nhip/live/air/#"))
	r.read(5)
	const named = "nhip/live/air/a"
	for _, m := range [][2]string{
		{"nhip/live/air/home", `{"id":"home","values":{},"private":true}`},
		{named, `{"id":"\"private\":true","lat":21}`},
		{"nhip/live/air/home", ""},
	} {
		if !acked(role.Publish(m[0], 1, true, []byte(m[1])), waitFor) {
			t.Fatal(m[0])
		}
	}
	if received := r.readUntil([]byte(`"lat":21}`)); bytes.Contains(received, []byte("home")) {
		t.Errorf("received %q", received)
	}
	again, _ := dialGuest(t, p, "y", "")
	again.send(subscribe("nhip/live/air/home"))
	if got := again.read(5); !bytes.Equal(got, []byte{0x90, 3, 0, 7, 0x80}) {
		t.Errorf("SUBACK %x", got)
	}
}

func TestGuestCannotPublish(t *testing.T) { onEachTransport(t, guestCannotPublish) }

func guestCannotPublish(t *testing.T, at transport) {
	p := startPublicOn(t, at, Options{Public: PublicOptions{Anonymous: true}})
	g := p.Gateway
	for _, topic := range []string{
		"nhip/in/position/1", "nhip/live/bus/a/1", "/hfp/v2/journey/ongoing/vp/bus/1/2", "nhip/cmd/a/b",
	} {
		r, _ := dialGuest(t, p, "g", "")
		r.send(publish1(topic, 1, "{}"))
		if answer, closed := r.readToEnd(); !closed || bytes.Contains(answer, []byte{0x40, 2}) {
			t.Errorf("a guest may publish to %s", topic)
		}
	}
	if n := len(g.hook.acceptor.(*fakeAcceptor).messages()); n != 0 ||
		testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("publish")) != 4 {
		t.Errorf("%d messages of guests accepted, or attempts not counted", n)
	}
}

func TestGuestNeedsSecretUnlessAnonymous(t *testing.T) {
	onEachTransport(t, guestNeedsSecretUnlessAnonymous)
}

func guestNeedsSecretUnlessAnonymous(t *testing.T, at transport) {
	p := startPublicOn(t, at, Options{Public: PublicOptions{Anonymous: false}})
	g := p.Gateway
	setDevices(g, newDevice("bus-1", "s"))
	for _, c := range []struct {
		id, secret string
		want       byte
	}{{"x", "", 5}, {"x", "wrong", 5}, {"bus-1", "s", 0}, {"x", accounts.Operator.String(), 0}} {
		if _, code := dialGuest(t, p, c.id, c.secret); code != c.want {
			t.Errorf("%+v: CONNACK code %d", c, code)
		}
	}
}

func TestPublicListenerSurvivesBadGuests(t *testing.T) {
	onEachTransport(t, publicListenerSurvivesBadGuests)
}

func publicListenerSurvivesBadGuests(t *testing.T, at transport) {
	p := startPublicOn(t, at, Options{Public: PublicOptions{Anonymous: true}})
	for _, bytes := range [][]byte{
		nil,
		{0xff},
		[]byte("GET / HTTP/1.1\r\n\r\n"),
		[]byte("GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n"),
	} {
		r := &rawClient{p.dialConn(t), t}
		r.send(bytes)
		_ = r.Close()
	}
	r, code := dialGuest(t, p, "g", "")
	if code != 0 {
		t.Fatal("the listener accepts no guests any more")
	}
	r.send([]byte{0x10, 0xff, 0xff, 0xff, 0x7f})
	if _, closed := r.readToEnd(); !closed {
		t.Error("a guest may announce a packet of 256 MB")
	}
}
