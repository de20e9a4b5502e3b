package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"

	"nhip/internal/fleet"
	"nhip/internal/mqtt"
)

// directory is who may speak: the devices of the fleet that are not disabled, by id. It is never changed;
// a new fleet makes a new one.
type directory map[string]*device

// device is what the gateway needs to know of one.
type device struct {
	id       string
	topics   []string // filters under which it may publish
	format   string   // that it speaks
	bridge   bool     // it carries what others say, over as many connections as it likes
	rate     int      // messages a second; 0: as any
	commands string   // filter of what it may hear
	secrets  [][sha256.Size]byte
}

func newDirectory(f *fleet.Fleet, feeds fleet.Feeds) directory {
	d := make(directory, len(f.Devices))
	for i := range f.Devices {
		one := &f.Devices[i]
		if one.Disabled {
			continue
		}
		known := &device{id: one.ID, topics: feeds.Topics(one), format: feeds[one.Feed].Format, bridge: len(one.Topics) > 0, rate: int(one.Rate), commands: mqtt.CommandFilter(one.ID)}
		for _, s := range one.Secrets {
			if sum, err := fleet.ParseDigest(s); err == nil { // the fleet was checked
				known.secrets = append(known.secrets, sum)
			}
		}
		d[one.ID] = known
	}
	return d
}

// unknown has a secret that nobody has, so that an id that is not known takes as long as a wrong secret.
var unknown = &device{secrets: make([][sha256.Size]byte, 1)}

// withSecret returns the device that an id and a secret belong to; nil where they don't. Times tell nothing
// of the secret.
func (d directory) withSecret(id string, secret []byte) *device {
	known, ok := d[id]
	if !ok {
		known = unknown
	}
	if !known.opens(sha256.Sum256(secret)) || !ok {
		return nil
	}
	return known
}

// opens reports whether one of the device's secrets has the digest.
func (d *device) opens(digest [sha256.Size]byte) bool {
	match := 0
	for i := range d.secrets {
		match |= subtle.ConstantTimeCompare(d.secrets[i][:], digest[:])
	}
	return match == 1
}

// mayBe reports whether a client id may be the device's: its id or, of a bridge, its id with something
// behind it.
func (d *device) mayBe(clientID string) bool {
	return clientID == d.id || d.bridge && strings.HasPrefix(clientID, d.id+"-")
}

// speaksOn reports whether a topic is one of the device's. History is the operator's to tell.
func (d *device) speaksOn(topic string) bool {
	return !strings.HasPrefix(topic, mqtt.Import) && slices.ContainsFunc(d.topics, func(filter string) bool { return mqtt.Match(filter, topic) })
}
