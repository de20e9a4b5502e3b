package broker

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt/packet"
)

// TestBadPackets sends packets that MQTT forbids. Each ends its connection, with the reason for a client of MQTT 5 that
// has logged in, and disturbs nobody else.
func TestBadPackets(t *testing.T) {
	b := startBroker(t, &testRules{limits: &Limits{TopicAliases: 4}})
	neighbour, _ := b.login(t, packet.V311, "neighbour", true)
	const any = 0 // versions: both
	connect := func(version byte, flags byte, parts ...[]byte) []byte {
		return pack(0x10, slices.Concat([][]byte{str("MQTT"), {version, flags}, num(60), withProps(version)}, parts)...)
	}
	first := map[string][]byte{
		"a PINGREQ first":                   pingreq,
		"a SUBSCRIBE first":                 subscribePacket(4, 1, 0, "#"),
		"a PUBLISH first":                   publishPacket(4, 0, "a", 0, ""),
		"another protocol":                  pack(0x10, str("HTTP"), []byte{4, 2, 0, 60}, str("c")),
		"HTTP":                              []byte("GET / HTTP/1.1\r\n\r\n"),
		"TLS":                               {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3},
		"CONNECT with flags":                append([]byte{0x11}, connectPacket(4, "c", true, 60)[1:]...),
		"CONNECT without a body":            {0x10, 0},
		"a CONNECT cut at its version":      pack(0x10, str("MQTT")),
		"a CONNECT cut at its keep-alive":   pack(0x10, str("MQTT"), []byte{4, 2, 0}),
		"CONNECT with the reserved flag":    connect(4, 0x03, str("c")),
		"a will's QoS without a will":       connect(4, 0x0a, str("c")),
		"a will's retain without a will":    connect(4, 0x22, str("c")),
		"a will with QoS 3":                 connect(4, 0x1e, str("c"), str("w"), str("m")),
		"a will without a topic":            connect(4, 0x06, str("c"), str(""), str("m")),
		"a will to a wildcard":              connect(4, 0x06, str("c"), str("#"), str("m")),
		"a will that is missing":            connect(4, 0x06, str("c")),
		"a user that is missing":            connect(4, 0x82, str("c")),
		"bytes behind CONNECT":              connect(4, 0x02, str("c"), []byte("x")),
		"a client id that is not UTF-8":     connect(4, 0x02, str("c\xff")),
		"a client id with NUL":              connect(4, 0x02, str("c\x00")),
		"a client id with a surrogate":      connect(4, 0x02, str("\xed\xa0\x80")),
		"a property twice":                  connectPacket(5, "c", true, 60, 0x21, 0, 9, 0x21, 0, 9),
		"a receive maximum of 0":            connectPacket(5, "c", true, 60, 0x21, 0, 0),
		"a maximum packet size of 0":        connectPacket(5, "c", true, 60, 0x27, 0, 0, 0, 0),
		"a property of another packet":      connectPacket(5, "c", true, 60, 0x23, 0, 1),
		"an unknown property":               connectPacket(5, "c", true, 60, 0x7f, 0),
		"a property with a high id":         connectPacket(5, "c", true, 60, 0xff, 0x7f),
		"a property that is cut":            connectPacket(5, "c", true, 60, 0x11, 0, 0),
		"properties longer than CONNECT":    pack(0x10, str("MQTT"), []byte{5, 2, 0, 60, 0x7f}, str("c")),
		"properties without an end":         pack(0x10, str("MQTT"), []byte{5, 2, 0, 60, 0xff, 0xff, 0xff, 0xff, 0xff}),
		"authentication data, no method":    connectPacket(5, "c", true, 60, 0x16, 0),
		"a flag property of 2":              connectPacket(5, "c", true, 60, 0x17, 2),
		"a length of five bytes":            {0x10, 0xff, 0xff, 0xff, 0xff, 0x01},
		"a length that is not the shortest": {0x10, 0x80, 0x00},
		"256 MB":                            {0x10, 0xff, 0xff, 0xff, 0x7f},
		"a packet of type 0":                {0x00, 0},
		"a packet of type 15":               {0xf0, 0},
		"a CONNACK":                         {0x20, 2, 0, 0},
	}
	for name, send := range first {
		t.Run(name, func(t *testing.T) {
			r := b.dial(t)
			r.send(send)
			if bytes.HasPrefix(send, []byte{0x10, 2}) {
				_ = r.Conn.(*net.TCPConn).CloseWrite()
			}
			if got, err := io.ReadAll(r); err != nil || len(got) > 0 {
				t.Errorf("received % x, %v", got, err)
			}
			neighbour.wantNothing()
		})
	}
	for _, c := range []struct {
		name    string
		version byte // 0: each
		send    func(version byte) []byte
		reason  packet.Reason
	}{
		{"a second CONNECT", any, func(v byte) []byte { return connectPacket(v, "c", true, 60) }, packet.ProtocolError},
		{"a packet of type 0", any, func(byte) []byte { return []byte{0x00, 0} }, packet.Malformed},
		{"AUTH", any, func(byte) []byte { return []byte{0xf0, 0} }, packet.ProtocolError},
		{"what servers send", any, func(byte) []byte { return pingresp }, packet.ProtocolError},
		{"a PINGREQ with a body", any, func(byte) []byte { return []byte{0xc0, 1, 0} }, packet.Malformed},
		{"SUBSCRIBE with wrong flags", any, func(v byte) []byte {
			return append([]byte{0x80}, subscribePacket(v, 1, 0, "a")[1:]...)
		}, packet.Malformed},
		{"SUBSCRIBE without a filter", any, func(v byte) []byte { return subscribePacket(v, 1, 0) }, packet.ProtocolError},
		{"SUBSCRIBE to nothing", any, func(v byte) []byte { return subscribePacket(v, 1, 0, "") }, packet.ProtocolError},
		{"SUBSCRIBE with id 0", any, func(v byte) []byte { return subscribePacket(v, 0, 0, "a") }, packet.ProtocolError},
		{"SUBSCRIBE with QoS 3", any, func(v byte) []byte { return subscribePacket(v, 1, 3, "a") }, packet.Malformed},
		{"SUBSCRIBE with reserved options", any, func(v byte) []byte {
			return subscribePacket(v, 1, 0xc0, "a")
		}, packet.Malformed},
		{"SUBSCRIBE with retain handling 3", 5, func(v byte) []byte {
			return subscribePacket(v, 1, 0x30, "a")
		}, packet.Malformed},
		{"a SUBSCRIBE that is cut", 5, func(byte) []byte {
			return []byte{0x82, 0x06, 0, 1, 0, 0, 1, 'a'}
		}, packet.Malformed},
		{"a SUBSCRIBE that is cut (3.1.1)", 4, func(byte) []byte {
			return []byte{0x82, 0x05, 0, 1, 0, 1, 'a'}
		}, packet.Malformed},
		{"a SUBSCRIBE without a body", any, func(byte) []byte { return []byte{0x82, 0} }, packet.Malformed},
		{"a SUBSCRIBE without properties", 5, func(byte) []byte { return []byte{0x82, 2, 0, 1} }, packet.Malformed},
		{"a subscription id of 0", 5, func(byte) []byte {
			return pack(0x82, num(1), []byte{2, 0x0b, 0}, str("a"), []byte{0})
		}, packet.ProtocolError},
		{"a filter that is not UTF-8", any, func(v byte) []byte {
			return subscribePacket(v, 1, 0, "a\xff")
		}, packet.Malformed},
		{"an UNSUBSCRIBE that is cut", any, func(v byte) []byte {
			return pack(0xa2, num(1), withProps(v), []byte{0, 9, 'a'})
		}, packet.Malformed},
		{"UNSUBSCRIBE without a filter", any, func(v byte) []byte {
			return pack(0xa2, num(1), withProps(v))
		}, packet.ProtocolError},
		{"PUBLISH with QoS 3", any, func(v byte) []byte {
			return append([]byte{0x36}, publishPacket(v, 1, "a", 1, "")[1:]...)
		}, packet.Malformed},
		{"a duplicate with QoS 0", any, func(v byte) []byte {
			return append([]byte{0x38}, publishPacket(v, 0, "a", 1, "")[1:]...)
		}, packet.Malformed},
		{"PUBLISH with id 0", any, func(v byte) []byte { return publishPacket(v, 1, "a", 0, "") }, packet.ProtocolError},
		{"PUBLISH without a topic", any, func(v byte) []byte {
			return publishPacket(v, 1, "", 1, "")
		}, packet.ProtocolError},
		{"PUBLISH to #", any, func(v byte) []byte { return publishPacket(v, 0, "a/#", 0, "") }, packet.TopicInvalid},
		{"PUBLISH to +", any, func(v byte) []byte { return publishPacket(v, 0, "+", 0, "") }, packet.TopicInvalid},
		{"PUBLISH to a topic with NUL", any, func(v byte) []byte {
			return publishPacket(v, 0, "a\x00", 0, "")
		}, packet.Malformed},
		{"PUBLISH to many levels", any, func(v byte) []byte {
			return publishPacket(v, 0, strings.Repeat("/", MaxLevels), 0, "")
		}, packet.TopicInvalid},
		{"a PUBLISH of a topic longer than itself", any, func(byte) []byte {
			return []byte{0x30, 3, 0xff, 0xff, 'a'}
		}, packet.Malformed},
		{"an empty PUBLISH", any, func(byte) []byte { return []byte{0x30, 0} }, packet.Malformed},
		{"PUBLISH of more than the maximum", any, func(v byte) []byte {
			return publishPacket(v, 0, "a", 0, strings.Repeat("x", DefaultMaxPacket))
		}, packet.TooLarge},
		{"an announcement of 256 MB", any, func(byte) []byte {
			return []byte{0x30, 0xff, 0xff, 0xff, 0x7f}
		}, packet.TooLarge},
		{"a topic alias of 0", 5, func(v byte) []byte {
			return publishPacket(v, 0, "a", 0, "", 0x23, 0, 0)
		}, packet.TopicAliasInvalid},
		{"a topic alias beyond the maximum", 5, func(v byte) []byte {
			return publishPacket(v, 0, "a", 0, "", 0x23, 0, 5)
		}, packet.TopicAliasInvalid},
		{"an unknown topic alias", 5, func(v byte) []byte {
			return publishPacket(v, 0, "", 0, "", 0x23, 0, 1)
		}, packet.ProtocolError},
		{"a subscription id in PUBLISH", 5, func(v byte) []byte {
			return publishPacket(v, 0, "a", 0, "", 0x0b, 1)
		}, packet.Malformed},
		{"a response topic with a wildcard", 5, func(v byte) []byte {
			return publishPacket(v, 0, "a", 0, "", 0x08, 0, 1, '#')
		}, packet.ProtocolError},
		{"a PUBACK that is cut", any, func(byte) []byte { return []byte{0x40, 1, 0} }, packet.Malformed},
		{"a PUBACK that is too long", 4, func(byte) []byte { return []byte{0x40, 3, 0, 1, 0} }, packet.Malformed},
		{"PUBREL with wrong flags", any, func(byte) []byte { return []byte{0x60, 2, 0, 1} }, packet.Malformed},
		{"a DISCONNECT with flags", any, func(byte) []byte { return []byte{0xe1, 0} }, packet.Malformed},
		{"a DISCONNECT with a body", 4, func(byte) []byte { return []byte{0xe0, 1, 0} }, packet.Malformed},
		{"a session that begins to last at its end", 5, func(byte) []byte {
			return pack(0xe0, []byte{0, 5, 0x11, 0, 0, 0, 9})
		}, packet.Success}, // the rules permit no session, so the client's wish has no effect
	} {
		for _, version := range []byte{packet.V311, packet.V5} {
			if c.version != any && c.version != version {
				continue
			}
			t.Run(c.name, func(t *testing.T) {
				r, _ := b.login(t, version, "bad", true)
				r.send(c.send(version))
				if version == packet.V5 && c.reason != packet.Success {
					r.want([]byte{0xe0, 2, byte(c.reason), 0})
				}
				r.wantEnd()
				neighbour.wantNothing()
			})
		}
	}
	neighbour.send(publishPacket(packet.V311, 1, "a", 1, ""))
	neighbour.want(puback(1))
}

// TestRefusedConnect: the code is one of the client's version (MQTT 3.1.1 §3.2.2.3), or none is sent.
func TestRefusedConnect(t *testing.T) {
	for _, c := range []struct {
		reason packet.Reason
		old    byte // 0: no CONNACK
	}{
		{packet.UnsupportedVersion, 1},
		{packet.ClientIDInvalid, 2},
		{packet.ServerUnavailable, 3},
		{packet.ServerBusy, 3},
		{packet.QuotaExceeded, 3},
		{packet.BadCredentials, 4},
		{packet.NotAuthorized, 5},
		{packet.TopicInvalid, 0},
	} {
		b := startBroker(t, &testRules{connect: func(*Client, *packet.Connect) (Grant, error) { return Grant{}, c.reason }})
		for _, version := range []byte{packet.V311, packet.V5} {
			r := b.dial(t)
			r.send(connectPacket(version, "c", true, 60))
			switch {
			case version == packet.V5:
				r.want([]byte{0x20, 3, 0, byte(c.reason), 0})
			case c.old > 0:
				r.want([]byte{0x20, 2, 0, c.old})
			}
			r.wantEnd()
		}
	}
}

func TestVersions(t *testing.T) {
	b := startBroker(t, &testRules{})
	for _, c := range []struct {
		name    string
		version byte
		want    []byte
	}{
		{"MQIsdp", 3, []byte{0x20, 2, 0, 0}},
		{"MQTT", 3, []byte{0x20, 2, 0, 1}},
		{"MQTT", 6, []byte{0x20, 2, 0, 1}},
		{"MQIsdp", 4, []byte{0x20, 2, 0, 1}},
	} {
		r := b.dial(t)
		r.send(pack(0x10, str(c.name), []byte{c.version, 2, 0, 60}, str("c")))
		r.want(c.want)
	}
	r := b.dial(t)
	r.send(connectPacket(4, "", false, 60))
	r.wantEnd([]byte{0x20, 2, 0, 2})
	r = b.dial(t)
	r.send(pack(0x10, str("MQTT"), []byte{4, 0x42, 0, 60}, str("c"), str("p"))) // a password without a user
	r.wantEnd([]byte{0x20, 2, 0, 4})
	r = b.dial(t)
	r.send(connectPacket(5, "c", true, 60, 0x15, 0, 1, 'x'))
	r.wantEnd([]byte{0x20, 3, 0, byte(packet.BadAuthMethod), 0})
}

// TestAssignedClientID: a client without an id gets one, and one of MQTT 5 is told.
func TestAssignedClientID(t *testing.T) {
	b := startBroker(t, &testRules{})
	for _, version := range []byte{packet.V311, packet.V5} {
		r, ack := b.login(t, version, "", true)
		id := b.Clients()[0].ID()
		if id == "" || version == packet.V5 && !contains(ack, append([]byte{0x12}, str(id)...)) {
			t.Errorf("id %q, CONNACK % x", id, ack)
		}
		_ = r.Close()
		awaittest.True(t, "it has gone", func() bool { return b.Stats().Connections == 0 })
	}
}

// TestWillIsIgnored: a client may have a will, which is never published.
func TestWillIsIgnored(t *testing.T) {
	eachVersion(t, func(t *testing.T, version byte) {
		b := startBroker(t, &testRules{})
		s, _ := b.login(t, version, "s", true)
		s.subscribe(version, 0, "#")
		r := b.dial(t)
		r.send(pack(0x10, str("MQTT"), []byte{version, 0x06, 0, 60}, withProps(version), str("c"), withProps(version),
			str("will"), str("forged")))
		if got := r.read(); got[3] != 0 {
			t.Fatalf("CONNACK % x", got)
		}
		_ = r.Close()
		awaittest.True(t, "it is disconnected", func() bool { return b.Stats().Clients == 1 })
		s.wantNothing()
	})
}

// TestMemoryFollowsWhatHasArrived: a client that announces a large packet does not make the server allocate it.
func TestMemoryFollowsWhatHasArrived(t *testing.T) {
	b := &buffer{data: make([]byte, bufferSize), w: 10}
	b.makeRoom(100 << 20)
	if len(b.data) != bufferSize {
		t.Errorf("%d bytes for 10", len(b.data))
	}
	b.w = bufferSize
	b.makeRoom(100 << 20)
	if len(b.data) != 2*bufferSize {
		t.Errorf("%d bytes for %d", len(b.data), bufferSize)
	}
}

// serveBytes serves a connection on which bytes arrive. It returns when the server has ended it.
func serveBytes(s *Server, in []byte) {
	client, server := net.Pipe()
	served := make(chan struct{})
	go func() { defer close(served); s.Serve(server, "pipe") }()
	_ = client.SetDeadline(time.Now().Add(awaittest.Timeout))
	read := make(chan struct{})
	go func() { defer close(read); _, _ = io.Copy(io.Discard, client) }()
	_, _ = client.Write(in)
	_ = client.Close()
	<-read
	<-served
}

// FuzzServe feeds any bytes to a connection, alone and behind a CONNECT of each version. The server must not panic, and
// must free what belonged to the connection.
func FuzzServe(f *testing.F) {
	for _, version := range []byte{packet.V311, packet.V5} {
		f.Add(version, subscribePacket(version, 1, 1, "#", "a/+"))
		f.Add(version, append(subscribePacket(version, 1, 1, "a"), publishPacket(version, 1, "a", 1, "x")...))
		f.Add(version, retainedPacket(version, 2, "a", 1, "x"))
		f.Add(version, unsubscribePacket(version, 1, "a"))
		f.Add(version, pack(0x62, num(1)))
		f.Add(version, puback(1))
		f.Add(version, pingreq)
		f.Add(version, []byte{0xe0, 0})
	}
	f.Add(byte(0), connectPacket(5, "c", false, 60, keep(5)...))
	f.Add(byte(5), []byte{0x82, 0x06, 0, 1, 0, 0, 1, 'a'})
	f.Add(byte(5), publishPacket(5, 0, "a", 0, "x", 0x23, 0, 1, 0x02, 0, 0, 0, 1, 0x26, 0, 1, 'a', 0, 1, 'b'))
	s := New(Options{
		Rules: &testRules{limits: &Limits{TopicAliases: 4}}, MaxRetained: 100,
		Observer: Observer{Panicked: func(_ *Client, value any, stack []byte) {
			panic(string(stack)) // ends the fuzzer
		}},
	})
	f.Fuzz(func(t *testing.T, version byte, in []byte) {
		if version == packet.V311 || version == packet.V5 {
			in = append(connectPacket(version, "c", true, 60), in...)
		}
		serveBytes(s, in)
		if st := s.Stats(); st.Connections != 0 || st.Clients != 0 || st.Sessions != 0 || st.Subscriptions != 0 {
			t.Errorf("left behind: %+v", st)
		}
	})
}
