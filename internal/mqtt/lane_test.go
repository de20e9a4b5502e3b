package mqtt_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/internal/await"
	"nhip/internal/mqtt"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"pgregory.net/rapid"
)

// What a scripted broker does with a message.
type reaction int

const (
	ack   reaction = iota
	later          // acknowledges it after the next one, if that is there already
	mute           // takes it and never says so
	cut            // ends the connection instead of taking it
	leave          // takes it and ends the connection without saying so
)

// scripted is a broker that does with each message what a test says, and keeps what it took.
type scripted struct {
	listener net.Listener
	url      string

	mu     sync.Mutex
	react  func(topic string) reaction
	login  byte // the answer to a log-in
	logins int
	took   []string // "topic payload", in order
}

func script(t testing.TB, react func(string) reaction) *scripted {
	t.Helper()
	return scriptAt(t, "127.0.0.1:0", react)
}

func scriptAt(t testing.TB, addr string, react func(string) reaction) *scripted {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{listener: l, url: "tcp://" + l.Addr().String(), react: react}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(conn); _ = conn.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return s
}

func (s *scripted) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	var owed []uint16
	for {
		p, err := packets.ReadPacket(in)
		if err != nil {
			return
		}
		switch p := p.(type) {
		case *packets.ConnectPacket:
			answer := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
			if answer.ReturnCode = s.admit(); answer.Write(conn) != nil || answer.ReturnCode != 0 {
				return
			}
		case *packets.PublishPacket:
			r := s.take(p)
			switch r {
			case cut, leave:
				return
			case mute:
				continue
			}
			owed = slices.Insert(owed, 0, p.MessageID)
			if r == later && in.Buffered() > 0 {
				continue
			}
			for _, id := range owed {
				puback := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
				puback.MessageID = id
				_ = puback.Write(conn) // the next read says what is wrong
			}
			owed = nil
		}
	}
}

func (s *scripted) admit() byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins++
	return s.login
}

func (s *scripted) take(p *packets.PublishPacket) reaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.react(p.TopicName)
	if r != cut {
		s.took = append(s.took, p.TopicName+" "+string(p.Payload))
	}
	return r
}

func (s *scripted) set(react func(string) reaction, login byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.react, s.login = react, login
}

func (s *scripted) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.took)
}

func (s *scripted) knocks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

func always(r reaction) func(string) reaction { return func(string) reaction { return r } }

func newFan(t testing.TB, o mqtt.FanOptions) *mqtt.Fan {
	t.Helper()
	o.ClientID = "fan"
	o.Retry = time.Millisecond
	o.Lanes = max(o.Lanes, 1)
	f, err := mqtt.NewFan(o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func closeFan(t testing.TB, f *mqtt.Fan) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	if err := f.Close(ctx); err != nil {
		t.Error(err)
	}
}

// logged is what a logger writes, for tests to read while it does.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), s)
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// TestOrderHoldsWhateverHappensToTheLine publishes for a few devices, whose topics change with each
// message, while the broker takes, forgets to acknowledge and cuts as it likes.
func TestOrderHoldsWhateverHappensToTheLine(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.Uint64().Draw(r, "seed")
		trouble := rapid.IntRange(0, 30).Draw(r, "trouble in 100")
		chance := rand.New(rand.NewPCG(seed, 1))
		broker := script(t, func(string) reaction {
			if chance.IntN(100) >= trouble {
				return ack
			}
			return []reaction{later, cut, leave}[chance.IntN(3)]
		})
		fan := newFan(t, mqtt.FanOptions{Options: mqtt.Options{URL: broker.url}, Lanes: rapid.IntRange(1, 3).Draw(r, "lanes")})
		fan.Start()
		const devices, each = 5, 60
		var mu sync.Mutex
		acked := make(map[string]int)
		for i := range each {
			for d := range devices {
				topic := fmt.Sprintf("%d/%d", d, i)
				err := fan.PublishFor(t.Context(), fmt.Sprint(d), topic, []byte("x"), func() {
					mu.Lock()
					defer mu.Unlock()
					acked[topic]++
				})
				if err != nil {
					r.Fatal(err)
				}
			}
		}
		closeFan(t, fan)
		checkOrder(r, broker.taken(), devices, each)
		for topic, n := range acked {
			if n != 1 {
				r.Errorf("%s is acknowledged %d times", topic, n)
			}
		}
		if len(acked) != devices*each || fan.Acked() != devices*each {
			r.Errorf("%d and %d of %d are acknowledged", len(acked), fan.Acked(), devices*each)
		}
	})
}

// checkOrder checks that each device's messages came first in order; again they may come at any time.
func checkOrder(t rapid.TB, took []string, devices, each int) {
	t.Helper()
	next := make(map[int]int)
	for _, m := range took {
		var d, i int
		if _, err := fmt.Sscanf(m, "%d/%d x", &d, &i); err != nil {
			t.Fatal(err)
		}
		if i > next[d] {
			t.Fatalf("of device %d, message %d came before %d", d, i, next[d])
		}
		next[d] = max(next[d], i+1)
	}
	for d := range devices {
		if next[d] != each {
			t.Errorf("of device %d, %d of %d messages came", d, next[d], each)
		}
	}
}

func TestWhatWasInFlightGoesFirstAndOnceMore(t *testing.T) {
	broker := script(t, always(mute))
	fan := newFan(t, mqtt.FanOptions{Options: mqtt.Options{URL: broker.url}})
	fan.Start()
	for i := range 3 {
		if err := fan.Publish(t.Context(), fmt.Sprint(i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	await.True(t, "the broker took three", func() bool { return len(broker.taken()) == 3 })
	broker.set(func(topic string) reaction {
		if topic == "3" && len(broker.took) == 3 {
			return cut
		}
		return ack
	}, 0)
	if err := fan.Publish(t.Context(), "3", []byte("x")); err != nil {
		t.Fatal(err)
	}
	closeFan(t, fan)
	if got, want := strings.Join(broker.taken(), ","), "0 x,1 x,2 x,0 x,1 x,2 x,3 x"; got != want {
		t.Errorf("the broker took %s, want %s", got, want)
	}
	if fan.Resent() != 4 {
		t.Errorf("%d sent again, want 4", fan.Resent())
	}
}

func TestAFanStartsWithoutABroker(t *testing.T) {
	var log logged
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // nobody listens there now
	fan := newFan(t, mqtt.FanOptions{Options: mqtt.Options{URL: "tcp://" + l.Addr().String(), Logger: log.logger()}, Lanes: 3})
	fan.Start()
	if err := fan.Publish(t.Context(), "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the cause is told", func() bool { return log.count("connection refused") > 0 })
	if fan.Connected() || fan.Acked() != 0 {
		t.Error("connected to nothing")
	}
	broker := scriptAt(t, l.Addr().String(), always(ack))
	await.True(t, "the message is acknowledged", func() bool { return fan.Acked() == 1 && fan.Connected() })
	await.True(t, "all lanes are up", func() bool { return broker.knocks() == 3 })
	if n := log.count("can't reach"); n != 1 {
		t.Errorf("one cause is told %d times", n)
	}
	if n := log.count("reached the MQTT broker"); n != 1 {
		t.Errorf("the way back is told %d times", n)
	}
	closeFan(t, fan)
}

func TestARefusedLogInIsTriedAgain(t *testing.T) {
	var log logged
	broker := script(t, always(ack))
	broker.set(always(ack), packets.ErrRefusedNotAuthorised)
	fan := newFan(t, mqtt.FanOptions{Options: mqtt.Options{URL: broker.url, Logger: log.logger()}})
	fan.Start()
	await.True(t, "it tries again and again", func() bool { return broker.knocks() > 4 })
	if n := log.count("refuses the log-in"); n != 1 {
		t.Errorf("the refusal is told %d times", n)
	}
	broker.set(always(ack), packets.Accepted)
	await.True(t, "it is let in", fan.Connected)
	closeFan(t, fan)
}

func TestAMessageThatIsNotTakenStaysFirst(t *testing.T) {
	var log logged
	refuse := func(topic string) reaction {
		if topic == "bad" {
			return cut
		}
		return ack
	}
	broker := script(t, refuse)
	fan := newFan(t, mqtt.FanOptions{Options: mqtt.Options{URL: broker.url, Logger: log.logger()}})
	fan.Start()
	for _, topic := range []string{"before", "bad", "behind"} {
		if err := fan.PublishFor(t.Context(), "device", topic, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	await.True(t, "it is noticed", func() bool { return fan.Stuck() == 1 })
	tries := broker.knocks()
	await.True(t, "it is tried on and on", func() bool { return broker.knocks() > tries+3 })
	if log.count("topic=bad bytes=1") != 1 {
		t.Errorf("told %d times", log.count("topic=bad"))
	}
	broker.set(always(ack), 0)
	closeFan(t, fan)
	if got := strings.Join(broker.taken(), ","); got != "before x,bad x,behind x" || fan.Stuck() != 0 {
		t.Errorf("the broker took %s, %d stuck", got, fan.Stuck())
	}
}

func TestAnswersThatMakeNoSenseEndTheLine(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for what, answer := range map[string][]byte{
		"refuses the log-in with code 77": {0x20, 2, 0, 77},
		"does not answer a log-in":        {0x40, 2, 0, 1},
		"nobody asked for":                {0x20, 0x7f},
		"ended the connection":            {},
	} {
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = packets.ReadPacket(conn)
			_, _ = conn.Write(answer)
			_ = conn.Close()
		}()
		_, err := mqtt.DialFan(t.Context(), mqtt.FanOptions{Lanes: 1, Options: mqtt.Options{URL: "tcp://" + l.Addr().String()}})
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%x: %v, want one that says %q", answer, err, what)
		}
	}
}

func TestAFanThatWasNeverStartedKeepsNobodyWaiting(t *testing.T) {
	fan := newFan(t, mqtt.FanOptions{Options: mqtt.Options{URL: "tcp://127.0.0.1:1"}})
	if err := fan.Close(t.Context()); err != nil {
		t.Error(err)
	}
	fan = newFan(t, mqtt.FanOptions{Options: mqtt.Options{URL: "tcp://127.0.0.1:1"}})
	if err := fan.Publish(t.Context(), "a/1", nil); err != nil {
		t.Fatal(err)
	}
	if err := fan.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "a/1") {
		t.Errorf("closed with %v", err)
	}
}

func TestFanOptions(t *testing.T) {
	for _, o := range []mqtt.FanOptions{
		{Options: mqtt.Options{URL: "tcp://127.0.0.1:1"}},
		{Lanes: 1, Options: mqtt.Options{URL: "ws://127.0.0.1:1"}},
		{Lanes: 1, Options: mqtt.Options{URL: "127.0.0.1:1"}},
		{Lanes: 1, Options: mqtt.Options{URL: "tcp://"}},
		{Lanes: 1},
	} {
		if _, err := mqtt.NewFan(o); err == nil {
			t.Errorf("%q with %d lanes is accepted", o.URL, o.Lanes)
		}
	}
}

func TestLogIn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	logins := make(chan *packets.ConnectPacket, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p, _ := packets.ReadPacket(conn)
			login, _ := p.(*packets.ConnectPacket)
			logins <- login
			_ = conn.Close()
		}
	}()
	for _, c := range []struct {
		url, user, password string
		want                string
	}{
		{"tcp://" + l.Addr().String(), "u", "p", "x-0 true u true p"},
		{"tcp://" + l.Addr().String(), "", "p", "x-0 false  false "},
		{"mqtt://me:secret@" + l.Addr().String(), "u", "p", "x-0 true me true secret"},
	} {
		_, err := mqtt.DialFan(t.Context(), mqtt.FanOptions{
			Lanes: 1, Options: mqtt.Options{URL: c.url, ClientID: "x", Username: c.user, Password: c.password},
		})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("the error is %v", err)
		}
		p := <-logins
		got := fmt.Sprintf("%s %v %s %v %s", p.ClientIdentifier, p.UsernameFlag, p.Username, p.PasswordFlag, p.Password)
		if got != c.want || !p.CleanSession || p.ProtocolVersion != 4 {
			t.Errorf("logs in as %q, want %q", got, c.want)
		}
	}
}
