package gateway

import (
	"time"

	"nhip/internal/topics"
)

// Limits bounds what one client or one address may use. Zero means no limit. The gateway slows a client down where
// that is enough and closes its connection otherwise; it counts both by class.
type Limits struct {
	Connections int // open at a time
	PerAddress  int // open at a time from one address (IPv6: from one /64)
	ConnectRate int // a second from one address
	MessageRate int // publications a second of one device; the device is slowed down
	ByteRate    int // bytes a second of one device; the device is slowed down
}

// MaxMessage is the length of the longest message that is not a packet of MQTT, in bytes, decompressed: half a record
// of the collector.
const MaxMessage = 512 << 10

// Bounds without a configuration key.
const (
	burstSeconds     = 5                // a device may send so many seconds' worth at once, as after a tunnel
	maxPacket        = topics.MaxPacket // bytes
	maxPush          = MaxMessage       // bytes of a push or a file, as sent and decompressed
	maxLevels        = 32               // of a topic; HFP has 19, and more if a headsign contains slashes
	maxSubscriptions = 4                // of a device
	minKeepAlive     = 10               // s
	maxKeepAlive     = 20 * 60          // s; also for clients that ask for none
	failedBurst      = 10               // log-ins that may fail at once from an address; then one a second
	failedPause      = 5 * time.Second  // delay of the answer to each further failed log-in
)

// Bounds of what clients send besides messages. SUBSCRIBE counts once for each filter: each may need a search of all
// retained messages.
const (
	controlRate    = 10       // SUBSCRIBE, UNSUBSCRIBE, PINGREQ and AUTH packets a second; a guest's packets of any type
	controlBurst   = 128      // of them at once: a map with two zoom levels
	guestByteRate  = 4 << 10  // bytes a second that a guest may send, with those of WebSocket and TLS
	guestByteBurst = 64 << 10 // of them at once
)

// writeTimeout is how long a client may accept no byte of a packet.
const writeTimeout = 30 * time.Second

// Classes of limits, as metrics name them.
const (
	classConnections   = "connections"
	classAddress       = "address"
	classConnectRate   = "connect_rate"
	classLogin         = "login"
	classMessageRate   = "message_rate"
	classByteRate      = "byte_rate"
	classPacket        = "packet"
	classTopic         = "topic"
	classSubscriptions = "subscriptions"
	classKeepAlive     = "keep_alive"
	classControlRate   = "control_rate"
	classAddressTable  = "address_table"
)
