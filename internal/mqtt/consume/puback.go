package consume

import "github.com/eclipse/paho.mqtt.golang/packets"

// pubackSize is the length of a PUBACK in bytes (MQTT 3.1.1 §3.4): its type, the length 2, the packet id.
const pubackSize = 4

// appendPubacks appends a PUBACK for each packet id. A message with QoS 0 has id 0 and gets none.
func appendPubacks(b []byte, ids []uint16) []byte {
	for _, id := range ids {
		if id != 0 {
			b = append(b, packets.Puback<<4, 2, byte(id>>8), byte(id))
		}
	}
	return b
}

// nopStore is a paho store that keeps nothing. A session has one connection only, and the broker redelivers what is not
// acknowledged on the next.
type nopStore struct{}

// Open implements paho.Store.
func (nopStore) Open() {}

// Put implements paho.Store.
func (nopStore) Put(string, packets.ControlPacket) {}

// Get implements paho.Store.
func (nopStore) Get(string) packets.ControlPacket { return nil }

// All implements paho.Store.
func (nopStore) All() []string { return nil }

// Del implements paho.Store.
func (nopStore) Del(string) {}

// Close implements paho.Store.
func (nopStore) Close() {}

// Reset implements paho.Store.
func (nopStore) Reset() {}
