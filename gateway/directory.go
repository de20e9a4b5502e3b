package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"

	"nhip/internal/fleet"
	"nhip/internal/topics"
)

// directory holds the devices of the fleet that may log in, by id; disabled devices are not in it. It is immutable:
// a new fleet makes a new directory.
type directory map[string]*device

// device is the part of a fleet's device that the gateway uses.
type device struct {
	id       string
	topics   []string // filters under which it may publish
	format   string   // of its feed
	bridge   bool     // it publishes for other devices and may have any number of connections
	rate     int      // messages a second; 0: the default limit
	commands string   // filter of the commands that it may read
	secrets  [][sha256.Size]byte
}

func newDirectory(f *fleet.Fleet, feeds fleet.Feeds) directory {
	d := make(directory, len(f.Devices))
	for i := range f.Devices {
		if one := &f.Devices[i]; !one.Disabled {
			d[one.ID] = newDirectoryDevice(one, feeds)
		}
	}
	return d
}

func newDirectoryDevice(d *fleet.Device, feeds fleet.Feeds) *device {
	known := &device{
		id: d.ID, topics: feeds.Topics(d), format: feeds[d.Feed].Format, bridge: len(d.Topics) > 0, rate: int(d.Rate),
		commands: topics.CommandFilter(d.ID),
	}
	for _, s := range d.Secrets {
		if sum, err := fleet.ParseDigest(s); err == nil { // package fleet has checked it
			known.secrets = append(known.secrets, sum)
		}
	}
	return known
}

// unknown has a secret that matches nothing: checking an unknown id takes as long as checking a wrong secret.
var unknown = &device{secrets: make([][sha256.Size]byte, 1)}

// withSecret returns the device with an id and a secret, or nil if they don't belong together. How long it takes does
// not depend on the secret.
func (d directory) withSecret(id string, secret []byte) *device {
	known, ok := d[id]
	if !ok {
		known = unknown
	}
	if !known.hasDigest(sha256.Sum256(secret)) || !ok {
		return nil
	}
	return known
}

// hasDigest reports whether one of the device's secrets has the digest.
func (d *device) hasDigest(digest [sha256.Size]byte) bool {
	match := 0
	for i := range d.secrets {
		match |= subtle.ConstantTimeCompare(d.secrets[i][:], digest[:])
	}
	return match == 1
}

// mayUseClientID reports whether a connection of the device keeps the client id that it asks for: its own id or, if it
// is a bridge, its id followed by "-" and any text.
func (d *device) mayUseClientID(clientID string) bool {
	return clientID == d.id || d.bridge && strings.HasPrefix(clientID, d.id+"-")
}

// mayPublish reports whether a topic is one of the device's. Only the operator publishes on import topics.
func (d *device) mayPublish(topic string) bool {
	return !strings.HasPrefix(topic, topics.Import) &&
		slices.ContainsFunc(d.topics, func(filter string) bool { return topics.Match(filter, topic) })
}
