package broker

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/packet"
)

// TestAcknowledgementsInOrder: outcomes come in any order, acknowledgements in the order of the messages.
func TestAcknowledgementsInOrder(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		h := new(held)
		b := startBroker(t, &testRules{publish: h.take})
		r, _ := b.login(t, version, "device", true)
		for id := range uint16(4) {
			r.send(publishPacket(version, 1, "a/b", id+1, fmt.Sprint(id)))
		}
		awaittest.True(t, "the server reads ahead", func() bool { return h.len() == 4 })
		if got := h.payloads(); !slices.Equal(got, []string{"0", "1", "2", "3"}) {
			t.Errorf("handed over as %q", got)
		}
		h.done(2, nil)
		h.done(1, nil)
		r.wantNothing()
		h.done(0, nil)
		r.want(puback(1), puback(2), puback(3))
		h.done(3, nil)
		r.want(puback(4))
	})
}

// TestFailedMessageDisconnects: neither the message nor a later one is acknowledged.
func TestFailedMessageDisconnects(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		h := new(held)
		b := startBroker(t, &testRules{publish: h.take})
		r, _ := b.login(t, version, "device", true)
		for id := range uint16(3) {
			r.send(publishPacket(version, 1, "a", id+1, ""))
		}
		awaittest.True(t, "all are handed over", func() bool { return h.len() == 3 })
		h.done(0, nil)
		r.want(puback(1))
		h.done(2, nil)
		h.done(1, errors.New("disk full"))
		if version == packet.V5 {
			r.want([]byte{0xe0, 2, byte(packet.ServerUnavailable), 0})
		}
		r.wantEnd()
	})
}

// TestWindow: a client of MQTT 5 that exceeds the receive maximum is disconnected; an older one is not read further.
func TestWindow(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		h := new(held)
		b := startBroker(t, &testRules{publish: h.take, limits: &Limits{Window: 2}})
		r, _ := b.login(t, version, "device", true)
		for id := range uint16(3) {
			r.send(publishPacket(version, 1, "a", id+1, ""))
		}
		if version == packet.V5 {
			r.wantEnd([]byte{0xe0, 2, byte(packet.ReceiveMaximumExceeded), 0})
			return
		}
		awaittest.True(t, "two are handed over", func() bool { return h.len() == 2 })
		h.done(0, nil)
		r.want(puback(1))
		awaittest.True(t, "the third is handed over", func() bool { return h.len() == 3 })
		h.done(1, nil)
		h.done(2, nil)
		r.want(puback(2), puback(3))
	})
}

func TestQoS2IsAcceptedOnce(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		h := new(held)
		b := startBroker(t, &testRules{publish: h.take})
		r, _ := b.login(t, version, "device", true)
		p := publishPacket(version, 2, "a", 7, "x")
		r.send(p)
		awaittest.True(t, "it is handed over", func() bool { return h.len() == 1 })
		h.done(0, nil)
		r.want(pack(0x50, num(7)))
		p[0] |= 8 // DUP
		r.send(p)
		r.want(pack(0x50, num(7)))
		r.send(pack(0x62, num(7)))
		r.want(pack(0x70, num(7)))
		r.send(pack(0x62, num(7)))
		if version == packet.V5 {
			r.want(pack(0x70, num(7), []byte{byte(packet.IDNotFound)}))
		} else {
			r.want(pack(0x70, num(7)))
		}
		if h.len() != 1 {
			t.Errorf("handed over %d times", h.len())
		}
	})
}

// TestHalfClosedConnectionIsAcknowledged: a client that has sent all it has may still read acknowledgements.
func TestHalfClosedConnectionIsAcknowledged(t *testing.T) {
	h := new(held)
	b := startBroker(t, &testRules{publish: h.take})
	r, _ := b.login(t, packet.V311, "device", true)
	r.send(publishPacket(packet.V311, 1, "a", 1, "x"))
	_ = r.Conn.(*net.TCPConn).CloseWrite()
	awaittest.True(t, "it is handed over", func() bool { return h.len() == 1 })
	go h.done(0, nil)
	r.wantEnd(puback(1))
}

// TestUnreadAcknowledgementsHaveABound: a client that reads no acknowledgements is not read further.
func TestUnreadAcknowledgementsHaveABound(t *testing.T) {
	t.Parallel()
	rules := &testRules{publish: func(_ *Client, _ *Message, done func(error)) Decision { done(nil); return Take }}
	b := startBrokerWith(t, Options{Rules: rules, WriteTimeout: 300 * time.Millisecond})
	r, _ := b.login(t, packet.V311, "c", true)
	go func() {
		for flood := bytes.Repeat(publishPacket(packet.V311, 1, "a", 1, ""), 10_000); ; {
			if _, err := r.Write(flood); err != nil {
				return
			}
		}
	}()
	awaittest.True(t, "it is disconnected", func() bool { return b.Stats().Connections == 0 })
	if b.counted(b.limited, LimitedSlowRead) != 1 {
		t.Error("not counted")
	}
}

func TestDeniedMessage(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		b := startBroker(t, &testRules{publish: func(*Client, *Message, func(error)) Decision { return Deny }})
		r, _ := b.login(t, version, "device", true)
		r.send(publishPacket(version, 0, "a", 0, "x"))
		r.wantNothing()
		r.send(publishPacket(version, 1, "a", 1, "x"))
		if version == packet.V5 {
			r.want(puback(1, byte(packet.NotAuthorized)))
			r.wantNothing()
		} else {
			r.wantEnd()
		}
	})
}

func TestIgnoredMessageIsNotAcknowledged(t *testing.T) {
	b := startBroker(t, &testRules{publish: func(*Client, *Message, func(error)) Decision { return Ignore }})
	r, _ := b.login(t, packet.V311, "device", true)
	r.send(publishPacket(packet.V311, 1, "a", 1, "x"))
	r.wantNothing()
}

func TestTopicAliases(t *testing.T) {
	h := new(held)
	b := startBroker(t, &testRules{publish: h.take, limits: persistent})
	r, ack := b.login(t, packet.V5, "device", true)
	if !slices.Equal(ack[len(ack)-7:len(ack)-2], []byte{0x22, 0, 4, 0x2a, 0}) && !contains(ack, []byte{0x22, 0, 4}) {
		t.Errorf("CONNACK % x without the topic alias maximum", ack)
	}
	r.send(publishPacket(packet.V5, 0, "long/topic", 0, "1", 0x23, 0, 4))
	r.send(publishPacket(packet.V5, 0, "", 0, "2", 0x23, 0, 4))
	r.wantNothing()
	if h.len() != 2 || h.all[1].Topic != "long/topic" {
		t.Errorf("handed over %d messages", h.len())
	}
	r.send(publishPacket(packet.V5, 0, "a", 0, "3", 0x23, 0, 5))
	r.wantEnd([]byte{0xe0, 2, byte(packet.TopicAliasInvalid), 0})
}

func contains(all, part []byte) bool {
	for i := range len(all) - len(part) + 1 {
		if slices.Equal(all[i:i+len(part)], part) {
			return true
		}
	}
	return false
}
