package consume_test

import (
	"strconv"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/consume"
	"nhip/internal/mqtt/mqtttest"

	paho "github.com/eclipse/paho.mqtt.golang"
)

func TestMosquittoKeepsAcknowledgedMessagesAcrossRestart(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	first := startSource(t, mosquittoAt(b))
	first.waitConnected(t)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	const n = 1500 // per topic; more than Mosquitto keeps by default
	p := newPublisher(t, b.Options(mqtttest.Gateway))
	p.publish(0, n, deviceTopics...)
	p.waitAcked(n * len(deviceTopics))
	b.Stop(t)
	b.Start(t)
	second := startSource(t, mosquittoAt(b))
	second.wait(t, n, deviceTopics...)
}

// TestFullMosquittoDeliversAcknowledgedMessages checks that a Mosquitto at its memory limit stops acknowledging, and
// has kept what it acknowledged. At the limit it may have no memory left for a collector that reconnects, so the test
// raises the limit before the source starts, as the comment in the shipped configuration tells the operator to do.
func TestFullMosquittoDeliversAcknowledgedMessages(t *testing.T) {
	b := mqtttest.MosquittoWith(t, map[string]string{"memory_limit": "3000000"}) // about 7,000 messages
	first := startSource(t, mosquittoAt(b))
	first.waitConnected(t)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	acked := fillUp(t, b.Options(mqtttest.Gateway))
	b.Stop(t)
	b.Set(t, map[string]string{"memory_limit": "30000000"})
	b.Start(t)
	f := startSource(t, mosquittoAt(b))
	f.wait(t, acked, deviceTopics[0])
}

// fillUp publishes until the broker ends the connection, and returns how many messages it has acknowledged.
func fillUp(t *testing.T, o mqtt.Options) int {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).SetAutoReconnect(false))
	if token := c.Connect(); !token.WaitTimeout(awaittest.Timeout) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer c.Disconnect(0)
	for acked, timeout := 0, time.After(awaittest.Timeout); ; acked++ {
		token := c.Publish(deviceTopics[0], 1, false, strconv.Itoa(acked))
		select {
		case <-token.Done():
			if token.Error() != nil {
				return acked
			}
		case <-timeout:
			t.Fatalf("the broker has acknowledged %d messages and is not full", acked)
		}
	}
}

func TestSourceReconnectsAfterBrokerRestart(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	f := startSource(t, mosquittoAt(b))
	f.waitConnected(t)
	published := 0
	for _, end := range []func(testing.TB){b.Stop, b.Kill} {
		newPublisher(t, b.Options(mqtttest.Gateway)).publish(published, published+100, deviceTopics...)
		published += 100
		f.wait(t, published, deviceTopics...) // a killed broker loses what it has not delivered
		end(t)
		awaittest.True(t, "the loss is noticed", func() bool { return !f.Connected() })
		b.Start(t)
		f.waitConnected(t)
	}
	if got := f.log.Count("connection refused"); got > 2 {
		t.Errorf("%d lines for two outages of the broker:\n%s", got, f.log)
	}
}

func TestSourceKeepsHeldMessagesAcrossBrokerRestart(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	f := startSource(t, mosquittoAt(b))
	f.waitConnected(t)
	f.acceptor.with(func(r *recorder) { r.hold = true })
	const n = 100
	newPublisher(t, b.Options(mqtttest.Gateway)).publish(0, n, deviceTopics...)
	awaittest.True(t, "the acceptor holds every message", func() bool {
		return f.metric(t, "unacked") == n*float64(len(deviceTopics))
	})
	b.Stop(t)
	f.acceptor.with(func(r *recorder) {
		r.hold = false
		for _, done := range r.pending { // these can't be acknowledged any more
			go done(nil)
		}
	})
	b.Start(t)
	f.wait(t, n, deviceTopics...)
	awaittest.True(t, "every message is acknowledged", func() bool {
		return f.metric(t, "acked_total") >= n*float64(len(deviceTopics))
	})
}

// TestSourceStartsBeforeBroker starts two sources while the broker is down: the one dials a closed port, the other a
// proxy that accepts connections and ends them. Each must log each cause once, however often it tries.
func TestSourceStartsBeforeBroker(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	b.Stop(t)
	proxy := mqtttest.NewProxy(t, b.URL)
	refused := startSource(t, mosquittoAt(b))
	cut := startSource(t, mosquittoAt(b), through(proxy), func(o *consume.Options) { o.ClientID = "second" })
	const warning = "can't open a session at the MQTT broker"
	// The sources run side by side: the attempts of the one say nothing about the other.
	awaittest.True(t, "the refused connection is logged", func() bool { return refused.log.Count(warning) > 0 })
	awaittest.True(t, "five attempts have ended", func() bool { return proxy.Dialed() > 5 && cut.log.Count(warning) > 0 })
	if refused.Connected() || cut.Connected() {
		t.Error("a source is connected without a broker")
	}
	for _, f := range []fixture{refused, cut} {
		if line := f.log.Repeated(warning); line != "" {
			t.Errorf("logged twice: %s\n%s", line, f.log)
		}
	}
	b.Start(t)
	refused.waitConnected(t)
	cut.waitConnected(t)
}

func TestSourceLogsRefusedLogInOnce(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	proxy := mqtttest.NewProxy(t, b.URL)
	f := startSource(t, mosquittoAt(b), through(proxy), func(o *consume.Options) { o.Password = "wrong" })
	awaittest.True(t, "four connections", func() bool { return proxy.Dialed() >= 4 })
	if f.Connected() {
		t.Error("the source is connected with a wrong password")
	}
	if f.log.Count("level=ERROR") != 1 || f.log.Count(proxy.URL) == 0 ||
		f.log.Count("the user name or its password is wrong") != 1 || f.log.Count("wrong") != 1 {
		t.Errorf("want one error that names the broker and the cause, and not the password:\n%s", f.log)
	}
}
