package broker_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/packet"

	paho "github.com/eclipse/paho.mqtt.golang"
)

func TestMain(m *testing.M) {
	mqtttest.RunIfCrowd()
	os.Exit(m.Run())
}

// TestPahoClient: the client library of our roles subscribes, publishes with each QoS, and reconnects to its session.
func TestPahoClient(t *testing.T) {
	b, url := mqtttest.Serve(t, mqtttest.AllowAll{})
	received := make(chan string, 100)
	connected := make(chan bool, 10)
	o := paho.NewClientOptions().AddBroker(url).SetClientID("paho").SetCleanSession(false).
		SetMaxReconnectInterval(50 * time.Millisecond).SetOnConnectHandler(func(paho.Client) { connected <- true }).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { received <- string(m.Payload()) })
	c := paho.NewClient(o)
	wait := func(what string, tok paho.Token) {
		t.Helper()
		if !tok.WaitTimeout(awaittest.Timeout) || tok.Error() != nil {
			t.Fatalf("%s: %v", what, tok.Error())
		}
	}
	next := func(want string) {
		t.Helper()
		select {
		case got := <-received:
			if got != want {
				t.Fatalf("received %q, want %q", got, want)
			}
		case <-time.After(awaittest.Timeout):
			t.Fatalf("%q has not come", want)
		}
	}
	wait("connect", c.Connect())
	<-connected
	wait("subscribe", c.Subscribe("a/#", 1, nil))
	for qos := range byte(3) {
		wait("publish", c.Publish("a/b", qos, false, fmt.Sprint("qos ", qos)))
		next(fmt.Sprint("qos ", qos))
	}
	awaittest.True(t, "it has acknowledged all, so that nothing comes again", func() bool {
		return b.Clients()[0].Unacknowledged() == 0
	})
	b.Clients()[0].Disconnect(packet.AdministrativeAction)
	<-connected
	_ = b.Publish(broker.Message{Topic: "a/c", Payload: []byte("again"), QoS: 1})
	next("again")
	wait("unsubscribe", c.Unsubscribe("a/#"))
	c.Disconnect(100)
	awaittest.True(t, "it has gone", func() bool { return b.Stats().Connections == 0 })
}

// TestOurClient: our own client over paho, with its buffers and watch-dog.
func TestOurClient(t *testing.T) {
	_, url := mqtttest.Serve(t, mqtttest.AllowAll{})
	o := mqtt.Options{URL: url, ClientID: "a"}
	l := mqtttest.Listen(t, mqtt.Options{URL: url, ClientID: "l"}, "x/#")
	c, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	var all sync.WaitGroup
	for i := range 500 {
		tok := c.Publish(fmt.Sprintf("x/%d", i), 1, false, []byte("p"))
		all.Go(func() {
			if !tok.WaitTimeout(awaittest.Timeout) || tok.Error() != nil {
				t.Error("not acknowledged")
			}
		})
	}
	for i := range 500 {
		want := fmt.Sprintf("x/%d", i)
		if m := l.Wait(t, want, func(mqtttest.Message) bool { return true }); m.Topic != want {
			t.Fatalf("received %s, want %s", m.Topic, want)
		}
	}
	all.Wait()
}
