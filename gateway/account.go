package gateway

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"nhip/internal/mqtt"
)

// Rank is what a client may do.
type Rank int

// The ranks, from nothing to everything that is asked of them.
const (
	Nobody   Rank = iota
	Operator      // publishes like any device, reads everything
	Role          // one of our own processes: speaks and reads on the roles' topics
)

// Accounts are the secrets that clients log in with, as MQTT password under any user name.
type Accounts struct {
	Operator string
	Role     string
}

// NewSecret returns a random secret of 256 bits in hexadecimal.
func NewSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
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

// mayPublish tells whether a client of this rank may publish to a topic. Devices speak on their own
// topics and on nhip/in/…; the rest of nhip/… is between the roles.
func (r Rank) mayPublish(topic string) bool {
	ours := strings.HasPrefix(topic, mqtt.Root) && !strings.HasPrefix(topic, mqtt.In)
	switch {
	case strings.HasPrefix(topic, "$") || mqtt.CheckTopic(topic) != nil:
		return false
	case r == Role:
		return ours
	}
	return r == Operator && !ours
}

// mayRead tells whether a client of this rank may subscribe to a filter or be sent a topic.
func (r Rank) mayRead(string) bool { return r == Operator || r == Role }
