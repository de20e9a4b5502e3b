package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"nhip/internal/mqtt"
)

// Rank is what a client may do.
type Rank int

// The ranks, from nothing to everything that is asked of them.
const (
	Nobody   Rank = iota
	Guest         // hears the live city on the public listener, and says nothing
	Box           // a device of the fleet: publishes on its own topics, hears its own commands
	Operator      // publishes like any device, commands them, reads everything
	Role          // one of our own processes: speaks and reads on the roles' topics
)

// Accounts are the secrets of those who belong to the house, as MQTT password under any user name.
type Accounts struct {
	Operator string
	Role     string
}

// Rank returns what the owner of a password may do. It takes the same time for every password, and
// an empty secret opens nothing.
func (a Accounts) Rank(password []byte) Rank {
	switch {
	case same(password, a.Role):
		return Role
	case same(password, a.Operator):
		return Operator
	}
	return Nobody
}

func same(password []byte, secret string) bool {
	given, want := sha256.Sum256(password), sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1 && secret != ""
}

// mayPublish tells whether a client may publish to a topic. Devices speak on their own topics; the
// operator on those of any device, and gives them commands; the rest of nhip/… is between the roles.
func (s *session) mayPublish(topic string) bool {
	if strings.HasPrefix(topic, "$") || mqtt.CheckTopic(topic) != nil {
		return false
	}
	ours := strings.HasPrefix(topic, mqtt.Root) && !strings.HasPrefix(topic, mqtt.In)
	command := strings.HasPrefix(topic, mqtt.Command)
	switch s.rank {
	case Role:
		return ours && !command
	case Operator:
		return !ours || command
	case Box:
		return s.device.Load().speaksOn(topic)
	}
	return false
}

// mayRead tells whether a client may subscribe to a filter or be sent a topic.
func (s *session) mayRead(filter string) bool {
	switch s.rank {
	case Role, Operator:
		return true
	case Box:
		return mqtt.Covers(s.device.Load().commands, filter)
	}
	return false
}
