package mqtt_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	paho "github.com/eclipse/paho.mqtt.golang"
)

var topics = []string{"nhip/in/position/1", "nhip/in/position/2", "nhip/in/position/3"}

// soon is how long a stop may take that can't succeed.
const soon = 100 * time.Millisecond

func TestASourceHearsWhatWasSaidWhileItWasAway(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		first := listen(t, b)
		first.waitUp(t)
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		if first.Connected() {
			t.Error("a source that has stopped is connected")
		}
		const n = 20
		m := speak(t, b.options(mqtttest.Gateway))
		m.say(0, n, topics...)
		m.settle(n * len(topics))
		second := listen(t, b)
		second.wants(t, n, topics...)
	})
}

// The library of the embedded broker is left out: what is said while a client reconnects, it drops.
func TestASourceLosesNothingWhenItsLineIsCut(t *testing.T) {
	b := mosquitto(t)
	line := newBridge(t, b.url)
	h := listen(t, b, across(line))
	h.waitUp(t)
	m := speak(t, b.options(mqtttest.Gateway))
	const n, cuts = 300, 5
	for i := range cuts {
		m.say(i*n/cuts, (i+1)*n/cuts, topics...)
		line.cut()
	}
	h.wants(t, n, topics...)
	h.waitUp(t)
	if line.dialled.Load() < 2 {
		t.Error("the line was never cut")
	}
}

// Mosquitto only, as above: between the two who take each other's place, the other library drops.
func TestASourceThatIsFullNoticesThatItsLineIsDead(t *testing.T) {
	b := mosquitto(t)
	line := newBridge(t, b.url)
	h := listen(t, b, across(line), mqtt.Narrow)
	h.waitUp(t)
	h.door.set(func(s *shelf) { s.silent = true })
	const n = 30
	speak(t, b.options(mqtttest.Gateway)).say(0, n, topics...)
	await.True(t, "it is full", func() bool { return h.number(t, "unacked") == 5 && h.number(t, "queue_length") == 10 })
	line.cut()
	await.True(t, "the loss is noticed", func() bool { return h.log.count("lost the MQTT broker") == 1 })
	h.door.set(func(s *shelf) { s.silent = false })
	takeOver(t, b.options(mqtttest.Collector)) // ends the connection that was made in the meantime
	h.wants(t, n, topics...)
}

func TestASourceLosesNothingToAnotherClientWithItsID(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		h := listen(t, b)
		h.waitUp(t)
		h.door.set(func(s *shelf) { s.silent = true })
		m := speak(t, b.options(mqtttest.Gateway))
		const n = 30
		m.say(0, n, topics...)
		await.True(t, "the door has all", func() bool { return h.number(t, "unacked") == n*float64(len(topics)) })
		h.door.set(func(s *shelf) { s.silent = false })
		takeOver(t, b.options(mqtttest.Collector))
		h.wants(t, n, topics...)
		await.True(t, "the loss is logged", func() bool { return h.log.count("lost the MQTT broker") > 0 })
	})
}

// takeOver connects with a persistent session and leaves again.
func takeOver(t *testing.T, o mqtt.Options) {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).SetCleanSession(false).SetAutoAckDisabled(true).
		SetDefaultPublishHandler(func(paho.Client, paho.Message) {}))
	if token := c.Connect(); !token.WaitTimeout(waitFor) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	c.Disconnect(0)
}

func TestTwoSourcesWithOneIDSaySo(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		one := listen(t, b)
		one.waitUp(t)
		two := listen(t, b)
		const warning = "another process may use the same client id"
		await.True(t, "a warning", func() bool { return one.log.count(warning)+two.log.count(warning) > 0 })
		if err := two.stop(); err != nil {
			t.Fatal(err)
		}
		one.waitUp(t)
		if n := one.log.count(warning); n > 1 {
			t.Errorf("it is said %d times", n)
		}
	})
}

func TestADoorThatFailsHoldsMessagesBack(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		line := newBridge(t, b.url)
		h := listen(t, b, across(line))
		h.waitUp(t)
		h.door.set(func(s *shelf) { s.full = true })
		m := speak(t, b.options(mqtttest.Gateway))
		const n = 10
		m.say(0, n, topics...)
		m.settle(n * len(topics)) // the broker has them
		await.True(t, "several tries", func() bool { return line.dialled.Load() >= 4 })
		if h.number(t, "acked_total") != 0 || h.number(t, "refused_total") == 0 {
			t.Errorf("%v acknowledged, %v refused", h.number(t, "acked_total"), h.number(t, "refused_total"))
		}
		h.door.set(func(s *shelf) { s.full = false })
		h.wants(t, n, topics...)
		await.True(t, "all is acknowledged", func() bool { return h.number(t, "acked_total") == n*float64(len(topics)) })
		if h.number(t, "redelivered_total") == 0 {
			t.Error("nothing was delivered again")
		}
		await.True(t, "the end is logged", func() bool { return h.log.count("taken in again") == 1 })
		if got := h.log.count("can't be put on disk"); got != 1 || h.log.count(errDiskFull.Error()) != 1 {
			t.Errorf("it is said %d times:\n%s", got, h.log.text())
		}
	})
}

func TestStopWaitsForTheDoor(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		line := newBridge(t, b.url)
		h := listen(t, b, across(line))
		h.waitUp(t)
		h.door.set(func(s *shelf) { s.silent = true })
		const n = 50
		m := speak(t, b.options(mqtttest.Gateway))
		m.say(0, n, topics[0])
		await.True(t, "the door has all", func() bool { return h.number(t, "unacked") == n })
		stopped := make(chan error, 1)
		go func() { stopped <- h.stop() }()
		await.True(t, "the door is closed", func() bool { return h.number(t, "unacked") == n })
		h.door.set(func(s *shelf) {
			for i := range s.held { // the last first: acknowledgements wait for the first
				go s.held[len(s.held)-1-i](nil)
			}
		})
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		if got := h.number(t, "acked_total"); got != n {
			t.Errorf("%v are acknowledged", got)
		}
		await.True(t, "the broker has read all", func() bool { return line.ended.Load() == 1 })
		next := listen(t, b)
		next.waitUp(t)
		m.say(n, n+1, topics[0])
		await.True(t, "the next message", func() bool { return next.number(t, "messages_total") > 0 })
		if got := next.number(t, "redelivered_total"); got != 0 {
			t.Errorf("%v messages come again", got)
		}
	})
}

func TestStopDoesNotWaitForEverForADoorThatNeverAnswers(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		h := listen(t, b)
		h.waitUp(t)
		h.door.set(func(s *shelf) { s.silent = true })
		m := speak(t, b.options(mqtttest.Gateway))
		m.say(0, 5, topics[0])
		await.True(t, "the door has all", func() bool { return h.number(t, "unacked") == 5 })
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		if err := h.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "for 5 messages") {
			t.Errorf("stopped with %v", err)
		}
		h.door.set(func(s *shelf) {
			for _, done := range s.held { // too late, and no harm
				done(nil)
			}
		})
		next := listen(t, b)
		next.wants(t, 5, topics[0])
	})
}

// stuck is a door that holds a caller until it is opened.
type stuck chan struct{}

// Accept waits.
func (s stuck) Accept(_ nhip.Message, done func(error)) { <-s; done(nil) }

func TestStopLeavesADoorThatHoldsIt(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		door := make(stuck)
		h := listen(t, b, func(o *mqtt.SourceOptions) { o.Door = door })
		h.waitUp(t)
		speak(t, b.options(mqtttest.Gateway)).say(0, 3, topics[0])
		await.True(t, "it hangs", func() bool { return h.number(t, "messages_total") == 3 && h.number(t, "unacked") == 1 })
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		if err := h.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stopped with %v", err)
		}
		close(door)
	})
}

func TestRetainedCopiesAreNoNews(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		o := b.options(mqtttest.Gateway)
		gateway, err := mqtt.Dial(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer gateway.Close()
		publish := func(topic string, retain bool, payload string) {
			if token := gateway.Publish(topic, 1, retain, []byte(payload)); !token.WaitTimeout(waitFor) || token.Error() != nil {
				t.Fatal(token.Error())
			}
		}
		publish(topics[0], true, "old")
		publish("tele/1/SENSOR", false, "") // the broker is through with the former when it answers this one
		h := listen(t, b)
		h.waitUp(t)
		await.True(t, "the copy is acknowledged", func() bool { return h.number(t, "acked_total") == 1 })
		publish(topics[0], true, "0")
		h.wants(t, 1, topics[0])
		if got := h.number(t, "retained_skipped_total"); got != 1 {
			t.Errorf("%v copies were left out", got)
		}
	})
}

func TestASourceAsksForATopicOnce(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		h := listen(t, b, func(o *mqtt.SourceOptions) {
			o.Filters = []string{"nhip/in/position/1", "nhip/in/#", "nhip/in/position/+", "nhip/in/#"}
		})
		h.waitUp(t)
		speak(t, b.options(mqtttest.Gateway)).say(0, 10, topics...)
		h.wants(t, 10, topics...)
		if got := h.number(t, "messages_total"); got != 10*float64(len(topics)) {
			t.Errorf("%v messages were delivered", got)
		}
	})
}

func TestWhenAMessageArrivedIsByTheCitysClock(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		at := time.Date(2026, 2, 16, 15, 58, 0, 0, time.UTC)
		h := listen(t, b, func(o *mqtt.SourceOptions) { o.Clock = nhip.NewReplayClock(at, 1) })
		h.waitUp(t)
		speak(t, b.options(mqtttest.Gateway)).say(0, 1, topics[0])
		h.wants(t, 1, topics[0])
		h.door.set(func(s *shelf) {
			if got := s.took[0].Received; !got.Equal(at) {
				t.Errorf("received at %s", got)
			}
		})
	})
}
