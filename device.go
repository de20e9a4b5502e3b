package nhip

import (
	"cmp"
	"time"
)

// DeviceQuery selects devices of a gateway's fleet, in the order of their ids.
type DeviceQuery struct {
	ID    string `json:"id,omitempty"`    // only this device; "": all
	After string `json:"after,omitempty"` // only devices whose id is greater
	Limit int    `json:"limit"`           // of devices in the page
	// Entry asks for the entry of the one device. With a feed in Propose, a device that the fleet does not have is
	// answered as it would be with that entry.
	Entry   bool         `json:"entry,omitempty"`
	Propose *DeviceEntry `json:"propose,omitempty"`
}

// DevicePage is a page of the devices of a gateway's fleet.
type DevicePage struct {
	Devices []DeviceState `json:"devices"`
	Next    string        `json:"next,omitempty"` // for DeviceQuery.After; "" on the last page
}

// DeviceState is what gateways know of a device of their fleet. Times are zero, and events nil, if nothing is known.
type DeviceState struct {
	ID       string `json:"id"`
	Feed     string `json:"feed"`
	Disabled bool   `json:"disabled"`
	Agency   string `json:"agency,omitempty"` // of a bus
	Web      bool   `json:"web,omitempty"`    // the entry is one that staff have set over the web

	Entry *DeviceEntry `json:"entry,omitempty"` // if it was asked for
	Base  string       `json:"base,omitempty"`  // with Entry: digest of the entry of the file; "" if the file has none

	Connected      bool      `json:"connected"`                // over MQTT
	ConnectedSince time.Time `json:"connected_since,omitzero"` // of its latest connection
	Heard          time.Time `json:"heard,omitzero"`           // when its last message arrived, over MQTT or HTTP
	Gateway        string    `json:"gateway,omitempty"`        // that it is connected to, or that heard it last

	Refused   *DeviceEvent `json:"refused,omitempty"`    // the last log-in, message or subscription that was refused
	Limited   *DeviceEvent `json:"limited,omitempty"`    // the last time that a limit slowed it or ended its connection
	TakenOver *DeviceEvent `json:"taken_over,omitempty"` // the last connection that another one with its client id ended
}

// DeviceEvent is something that happened to a device.
type DeviceEvent struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`           // as in the metrics of the gateway
	Detail string    `json:"detail,omitempty"` // the topic, or the address of the client
}

// Reasons why a device is refused, besides the classes of limits.
const (
	RefusedCredentials = "credentials" // wrong or no secret, or a certificate of another
	RefusedClientID    = "client_id"   // the MQTT client id of another
	RefusedDisabled    = "disabled"    // it is disabled in the fleet
	RefusedRevoked     = "revoked"     // its secret or certificate is no longer valid
	RefusedPublish     = "publish"     // a message on a topic, or for a device, that is not its own
	RefusedSubscribe   = "subscribe"   // a subscription that it may not have
)

// Merge returns what two gateways know together of one device.
func (s DeviceState) Merge(other DeviceState) DeviceState {
	out := s
	out.Disabled = s.Disabled && other.Disabled // it may log in at one of them
	out.Connected = s.Connected || other.Connected
	out.Agency = cmp.Or(s.Agency, other.Agency)
	if s.Entry == nil && (other.Entry != nil || s.Base == "") {
		out.Entry, out.Base, out.Web = other.Entry, other.Base, other.Web
	}
	if later(&s, &other) {
		out.Gateway, out.Feed = other.Gateway, other.Feed
	}
	if other.ConnectedSince.After(s.ConnectedSince) {
		out.ConnectedSince = other.ConnectedSince
	}
	if other.Heard.After(s.Heard) {
		out.Heard = other.Heard
	}
	out.Refused = latest(s.Refused, other.Refused)
	out.Limited = latest(s.Limited, other.Limited)
	out.TakenOver = latest(s.TakenOver, other.TakenOver)
	return out
}

// later reports whether b knows more of the device's present than a.
func later(a, b *DeviceState) bool {
	if a.Connected != b.Connected {
		return b.Connected
	}
	return b.Heard.After(a.Heard)
}

func latest(a, b *DeviceEvent) *DeviceEvent {
	if a == nil || b != nil && b.Time.After(a.Time) {
		return b
	}
	return a
}
