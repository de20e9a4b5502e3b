package mqtt

import "github.com/eclipse/paho.mqtt.golang/packets"

// pubackSize is the length of a PUBACK (MQTT 3.1.1 §3.4): its type, the length 2, the packet id.
const pubackSize = 4

// appendPubacks appends a PUBACK for each id. QoS 0 has no id and gets none.
func appendPubacks(b []byte, ids []uint16) []byte {
	for _, id := range ids {
		if id != 0 {
			b = append(b, packets.Puback<<4, 2, byte(id>>8), byte(id))
		}
	}
	return b
}

// forgetful is paho's store for a client that has one connection only: what was not acknowledged is
// the broker's to deliver again, so there is nothing to keep.
type forgetful struct{}

// Open does nothing.
func (forgetful) Open() {}

// Put does nothing.
func (forgetful) Put(string, packets.ControlPacket) {}

// Get finds nothing.
func (forgetful) Get(string) packets.ControlPacket { return nil }

// All lists nothing.
func (forgetful) All() []string { return nil }

// Del does nothing.
func (forgetful) Del(string) {}

// Close does nothing.
func (forgetful) Close() {}

// Reset does nothing.
func (forgetful) Reset() {}
