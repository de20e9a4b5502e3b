package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync/atomic"
)

// PrincipalKind is the kind of a client, which determines what it may do. A higher kind is trusted more.
type PrincipalKind int

// The kinds of principals, from the least to the most trusted.
const (
	Unauthenticated PrincipalKind = iota
	Guest                         // reads live topics on the public listener and never publishes
	Device                        // a device of the fleet: publishes on its own topics, reads its own commands
	Operator                      // publishes like any device, sends commands to devices, reads every topic
	Role                          // one of our own processes: publishes and reads on the topics between roles
)

// Accounts holds the secrets of the operator and of our own roles. A client sends its secret as the MQTT password;
// the user name does not matter.
type Accounts struct {
	Operator *Secret
	Role     string
	Own      string // of the simulator, which publishes as the operator does
}

// Secret is a secret that may be replaced at any time. The zero Secret and nil match no password. It is safe for
// concurrent use.
type Secret struct{ text atomic.Pointer[string] }

// NewSecret returns a secret with a text.
func NewSecret(text string) *Secret {
	s := new(Secret)
	s.Set(text)
	return s
}

// Set replaces the text.
func (s *Secret) Set(text string) { s.text.Store(&text) }

// String returns the text.
func (s *Secret) String() string {
	if s == nil {
		return ""
	}
	if text := s.text.Load(); text != nil {
		return *text
	}
	return ""
}

// Kind returns Role or Operator for their secrets and Unauthenticated for every other password. It takes the same
// time for every password. An empty secret matches no password.
func (a Accounts) Kind(password []byte) PrincipalKind {
	switch {
	case same(password, a.Role):
		return Role
	case same(password, a.Operator.String()), same(password, a.Own):
		return Operator
	}
	return Unauthenticated
}

func same(password []byte, secret string) bool {
	given, want := sha256.Sum256(password), sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1 && secret != ""
}
