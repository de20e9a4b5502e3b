package nhip

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// DeviceChange is what staff have set of a device over the web, beside the fleet file. It counts as long as the entry
// of the file is the one that it was made from: a later edit of that entry wins.
type DeviceChange struct {
	Base    string `json:"base"`              // digest of the entry of the file; "" if the file had none
	Removed bool   `json:"removed,omitempty"` // the device is not in the fleet any more; no other field is set

	DeviceEntry
}

// DeviceEntry is an entry of a device in a fleet.
type DeviceEntry struct {
	Feed      string   `json:"feed,omitempty"`    // name of a configured feed
	Topics    []string `json:"topics,omitempty"`  // MQTT filters under which it may publish; empty: the feed's, for itself
	Rate      int64    `json:"rate,omitempty"`    // messages a second; 0: the default limit
	Secrets   []string `json:"secrets,omitempty"` // sha256- and the digest, at most MaxDeviceSecrets, the newest last
	Mosquitto string   `json:"mosquitto,omitempty"`
	Disabled  bool     `json:"disabled,omitempty"`
}

// Bounds of an entry.
const (
	MaxDeviceSecrets = 2 // during a rotation, the old and the new one
	MaxDeviceTopics  = 20
	deviceDigestMark = "sha256-"
)

// Validate checks c. Whether its feed exists is for the gateways to say. It returns an *Error that names the field.
func (c *DeviceChange) Validate() error {
	if err := CheckText("base", c.Base); err != nil {
		return err
	}
	if c.Removed {
		if c.Base == "" || c.Feed != "" || len(c.Topics)+len(c.Secrets) > 0 {
			return Errorf(CodeOutOfRange, "removed", "must stand alone, with the base of an entry of the file")
		}
		return nil
	}
	return c.DeviceEntry.validate()
}

func (e *DeviceEntry) validate() error {
	if err := CheckID("feed", e.Feed); err != nil {
		return err
	}
	if err := CheckText("mosquitto", e.Mosquitto); err != nil {
		return err
	}
	switch {
	case len(e.Topics) > MaxDeviceTopics:
		return Errorf(CodeOutOfRange, "topics", "must be at most %d, got %d", MaxDeviceTopics, len(e.Topics))
	case len(e.Secrets) > MaxDeviceSecrets:
		return Errorf(CodeOutOfRange, "secrets", "must be at most %d, got %d", MaxDeviceSecrets, len(e.Secrets))
	case e.Rate < 0:
		return Errorf(CodeOutOfRange, "rate", "must not be negative")
	}
	for _, topic := range e.Topics {
		if err := CheckID("topics", topic); err != nil {
			return err
		}
	}
	for _, s := range e.Secrets {
		digits, marked := strings.CutPrefix(s, deviceDigestMark)
		if raw, err := hex.DecodeString(digits); !marked || err != nil || len(raw) != hashHexBytes/2 {
			return Errorf(CodeMalformed, "secrets", "must be SHA-256 digests in hex, each after %s", deviceDigestMark)
		}
	}
	return nil
}

// MadeChange is a change of a device with who made it, as the API tells it: of each secret only ShortSecret.
type MadeChange struct {
	ID   string    `json:"id"`
	By   string    `json:"by"`
	Time time.Time `json:"time"`
	DeviceChange
}

// ShortSecret returns the begin of a digest, which tells secrets apart and is of no use to a client.
func ShortSecret(digest string) string { return digest[:min(len(digest), len(deviceDigestMark)+8)] }

func validateDeviceChange(_ string, body json.RawMessage) error {
	var c DeviceChange
	if err := DecodeStrict(body, &c); err != nil {
		return err
	}
	return c.Validate()
}

// redactDevice leaves only the number of secrets.
func redactDevice(body json.RawMessage) json.RawMessage {
	var c DeviceChange
	if json.Unmarshal(body, &c) != nil {
		return nil
	}
	for i := range c.Secrets {
		c.Secrets[i] = "…"
	}
	if c.Mosquitto != "" {
		c.Mosquitto = "…"
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return nil
	}
	return raw
}
