package mqtt_test

import (
	"strconv"
	"testing"
	"time"

	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	paho "github.com/eclipse/paho.mqtt.golang"
)

func over(b *mqtttest.Broker) testBroker { return testBroker{b.URL, b.Options, true} }

func TestWhatMosquittoAcknowledgedOutlivesItsRestart(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	first := listen(t, over(b))
	first.waitUp(t)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	const n = 1500 // more than Mosquitto keeps by default, of each
	m := speak(t, b.Options(mqtttest.Gateway))
	m.say(0, n, topics...)
	m.settle(n * len(topics))
	b.Stop(t)
	b.Start(t)
	second := listen(t, over(b))
	second.wants(t, n, topics...)
}

// TestAMosquittoThatIsFullAcknowledgesNothingMore: what it has acknowledged is delivered. At its bound it may
// have no memory left for a collector that comes back, so its operator gives it more, as the comment of its
// configuration says.
func TestAMosquittoThatIsFullAcknowledgesNothingMore(t *testing.T) {
	b := mqtttest.MosquittoWith(t, map[string]string{"memory_limit": "3000000"}) // some 7,000 messages
	first := listen(t, over(b))
	first.waitUp(t)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	said := fillUp(t, b.Options(mqtttest.Gateway))
	b.Stop(t)
	b.Set(t, map[string]string{"memory_limit": "30000000"})
	b.Start(t)
	h := listen(t, over(b))
	h.wants(t, said, topics[0])
}

// fillUp publishes until the broker ends the connection, and returns how many it acknowledged.
func fillUp(t *testing.T, o mqtt.Options) int {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).SetAutoReconnect(false))
	if token := c.Connect(); !token.WaitTimeout(waitFor) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer c.Disconnect(0)
	for said, late := 0, time.After(waitFor); ; said++ {
		token := c.Publish(topics[0], 1, false, strconv.Itoa(said))
		select {
		case <-token.Done():
			if token.Error() != nil {
				return said
			}
		case <-late:
			t.Fatalf("%d are acknowledged and it is not full", said)
		}
	}
}

func TestASourceComesBackWithItsBroker(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	h := listen(t, over(b))
	h.waitUp(t)
	said := 0
	for _, end := range []func(testing.TB){b.Stop, b.Kill} {
		speak(t, b.Options(mqtttest.Gateway)).say(said, said+100, topics...)
		said += 100
		h.wants(t, said, topics...) // a kill takes what is not delivered
		end(t)
		await.True(t, "the loss is noticed", func() bool { return !h.Connected() })
		b.Start(t)
		h.waitUp(t)
	}
	if got := h.log.count("connection refused"); got > 2 {
		t.Errorf("a broker that is down is logged %d times:\n%s", got, h.log.text())
	}
}

func TestASourceKeepsWhatTheDoorHasAcrossARestart(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	h := listen(t, over(b))
	h.waitUp(t)
	h.door.set(func(s *shelf) { s.silent = true })
	const n = 100
	speak(t, b.Options(mqtttest.Gateway)).say(0, n, topics...)
	await.True(t, "the door has all", func() bool { return h.number(t, "unacked") == n*float64(len(topics)) })
	b.Stop(t)
	h.door.set(func(s *shelf) {
		s.silent = false
		for _, done := range s.held { // these acknowledgements have nowhere to go
			go done(nil)
		}
	})
	b.Start(t)
	h.wants(t, n, topics...)
	await.True(t, "all is acknowledged", func() bool { return h.number(t, "acked_total") >= n*float64(len(topics)) })
}

func TestASourceStartsBeforeItsBroker(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	b.Stop(t)
	line := newBridge(t, b.URL)
	away := listen(t, over(b))
	refused := listen(t, over(b), across(line), func(o *mqtt.SourceOptions) { o.ClientID = "second" })
	await.True(t, "some tries", func() bool { return line.dialled.Load() >= 5 })
	if away.Connected() || refused.Connected() {
		t.Error("connected to nothing")
	}
	for _, h := range []heard{away, refused} {
		if got := h.log.count("can't listen to the MQTT broker"); got < 1 || got > 2 { // an end in mid-air may be worded in two ways
			t.Errorf("%d lines:\n%s", got, h.log.text())
		}
	}
	b.Start(t)
	away.waitUp(t)
	refused.waitUp(t)
}

func TestARefusedLogInIsAnErrorThatNamesTheBroker(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	line := newBridge(t, b.URL)
	h := listen(t, over(b), across(line), func(o *mqtt.SourceOptions) { o.Password = "wrong" })
	await.True(t, "some tries", func() bool { return line.dialled.Load() >= 4 })
	if h.Connected() {
		t.Error("it is connected")
	}
	if h.log.count("level=ERROR") != 1 || h.log.count(line.url) == 0 ||
		h.log.count("the user name or its password is wrong") != 1 || h.log.count("wrong") != 1 {
		t.Errorf("it is not said once and well:\n%s", h.log.text())
	}
}
