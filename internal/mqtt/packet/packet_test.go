package packet

import (
	"bytes"
	"runtime"
	"slices"
	"testing"
)

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		in   []byte
		want Header
		err  error
	}{
		{nil, Header{}, nil},
		{[]byte{0x30}, Header{}, nil},
		{[]byte{0x30, 0x80}, Header{}, nil},
		{[]byte{0x30, 0x7f}, Header{TypePublish, 0, 127, 2}, nil},
		{[]byte{0x3b, 0x80, 0x01}, Header{TypePublish, 0x0b, 128, 3}, nil},
		{[]byte{0xc0, 0xff, 0xff, 0xff, 0x7f}, Header{TypePingreq, 0, MaxRemaining, 5}, nil},
		{[]byte{0xc0, 0xff, 0xff, 0xff, 0x80}, Header{}, Malformed},
		{[]byte{0xc0, 0x80, 0x00}, Header{}, Malformed},
		{[]byte{0xc1}, Header{}, Malformed},
		{[]byte{0x00}, Header{}, Malformed},
		{[]byte{0x36}, Header{}, Malformed},
		{[]byte{0x38}, Header{}, Malformed},
		{[]byte{0x80}, Header{}, Malformed},
	} {
		if got, err := ParseHeader(c.in, V5); got != c.want || err != c.err {
			t.Errorf("% x: %+v, %v", c.in, got, err)
		}
	}
}

func TestUvarint(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, MaxRemaining} {
		b := appendUvarint(nil, n)
		if got, size, err := uvarint(b); got != n || size != len(b) || err != nil || uvarintSize(n) != len(b) {
			t.Errorf("%d: % x is %d of %d bytes, %v", n, b, got, size, err)
		}
	}
}

// TestPublishRoundTrip decodes what was encoded.
func TestPublishRoundTrip(t *testing.T) {
	for _, version := range []byte{V311, V5} {
		for _, p := range []Publish{
			{Payload: []byte("x")},
			{QoS: 1, ID: 7, Dup: true, Retain: true},
			{QoS: 2, ID: 0xffff, Payload: bytes.Repeat([]byte("x"), 20_000)},
			{HasExpiry: true, Expiry: 9, Properties: []byte{propUser, 0, 1, 'a', 0, 1, 'b'}},
		} {
			b := append(AppendPublishHead(nil, version, "a/b", &p), p.Payload...)
			if len(b) != PublishSize(version, "a/b", &p) {
				t.Errorf("%d bytes, want %d", len(b), PublishSize(version, "a/b", &p))
			}
			h, err := ParseHeader(b, version)
			if err != nil || h.Size+h.Remaining != len(b) {
				t.Fatalf("%+v, %v", h, err)
			}
			got, err := DecodePublish(h.Flags, b[h.Size:], version)
			if err != nil || string(got.Topic) != "a/b" || got.ID != p.ID || got.QoS != p.QoS || got.Dup != p.Dup ||
				got.Retain != p.Retain || !bytes.Equal(got.Payload, p.Payload) {
				t.Errorf("decoded as %+v, %v", got, err)
			}
			if version == V5 && (!bytes.Equal(got.Properties, p.Properties) || got.Expiry != p.Expiry) {
				t.Errorf("properties decoded as %+v", got)
			}
		}
	}
}

// TestForwardedPropertiesLeaveTheInput: properties are gathered without changing the packet, which is shared.
func TestForwardedPropertiesLeaveTheInput(t *testing.T) {
	body := []byte{0, 1, 'a', 10, propPayloadFormat, 1, propMessageExpiry, 0, 0, 0, 1, propContentType, 0, 0, 'x'}
	before := bytes.Clone(body)
	p, err := DecodePublish(0, body, V5)
	if err != nil || !bytes.Equal(p.Properties, []byte{propPayloadFormat, 1, propContentType, 0, 0}) {
		t.Errorf("% x, %v", p.Properties, err)
	}
	if !bytes.Equal(body, before) {
		t.Errorf("the packet has changed to % x", body)
	}
}

// TestHeaderByVersion: what MQTT 5 forbids and older versions permit.
func TestHeaderByVersion(t *testing.T) {
	for _, c := range []struct {
		in     []byte
		oldest byte // that forbids it
	}{
		{[]byte{0x30, 0x85, 0x80, 0x80, 0x00}, V5}, // a length of four bytes
		{[]byte{0x6a, 2}, V311},                    // PUBREL, SUBSCRIBE and UNSUBSCRIBE that are sent again
		{[]byte{0x8a, 2}, V311},
		{[]byte{0xaa, 2}, V311},
		{[]byte{0x4a, 2}, 0},
		{[]byte{0x83, 2}, 0},
	} {
		for _, version := range []byte{V31, V311, V5} {
			if _, err := ParseHeader(c.in, version); (err != nil) != (version >= c.oldest) {
				t.Errorf("% x in version %d: %v", c.in, version, err)
			}
		}
	}
}

// TestManyProperties: decoding takes memory once for the properties, however many they are and whatever is in between.
func TestManyProperties(t *testing.T) {
	const n = 13_000
	user := []byte{propUser, 0, 0, 0, 0}
	expiry := []byte{propMessageExpiry, 0, 0, 0, 9}
	for name, c := range map[string]struct {
		props [][]byte
		own   uint64 // bytes that may be allocated
	}{
		"in one piece": {[][]byte{bytes.Repeat(user, n)}, 16 << 10},
		"two pieces":   {[][]byte{bytes.Repeat(user, n/2), expiry, bytes.Repeat(user, n/2)}, 80<<10 + 16<<10},
		"the last":     {[][]byte{expiry, bytes.Repeat(user, n)}, 16 << 10},
	} {
		props := bytes.Join(c.props, nil)
		body := slices.Concat([]byte{0, 1, 'a'}, appendUvarint(nil, len(props)), props, []byte("payload"))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, err := DecodePublish(0, body, V5)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; err != nil || got > c.own {
			t.Errorf("%s: %d bytes allocated, %v", name, got, err)
		}
		if want := bytes.Repeat(user, n); !bytes.Equal(p.Properties, want) || string(p.Payload) != "payload" {
			t.Errorf("%s: %d bytes of properties, want %d", name, len(p.Properties), len(want))
		}
	}
}

// FuzzDecode decodes any bytes as each packet. Nothing may panic, and what is decoded is never longer than the input.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01c"))
	f.Add([]byte("\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01c"))
	f.Add([]byte("\x00\x01\x00\x00\x01a\x00"))
	f.Add([]byte("\x00\x01a\x0a\x01\x01\x02\x00\x00\x00\x01\x03\x00\x00x"))
	f.Fuzz(func(t *testing.T, in []byte) {
		_, _ = ParseHeader(in, V5)
		if p, err := DecodeConnect(in); err == nil && len(p.ClientID)+len(p.Username)+len(p.Password) > len(in) {
			t.Errorf("CONNECT %+v", p)
		}
		for _, v := range []byte{V31, V311, V5} {
			for flags := range byte(16) {
				p, err := DecodePublish(flags, in, v)
				if err == nil && len(p.Topic)+len(p.Payload)+len(p.Properties) > len(in) {
					t.Errorf("PUBLISH %+v", p)
				}
			}
			if s, err := DecodeSubscribe(in, v, 10); err == nil && (len(s.Filters) == 0 || len(s.Filters) > 10) {
				t.Errorf("SUBSCRIBE %+v", s)
			}
			if _, filters, err := DecodeUnsubscribe(in, v, 10); err == nil && (len(filters) == 0 || len(filters) > 10) {
				t.Errorf("UNSUBSCRIBE %q", filters)
			}
			_, _, _ = DecodeAck(in, v)
			_, _ = DecodeDisconnect(in, v)
		}
	})
}
