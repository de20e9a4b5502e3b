package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
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
	Operator string
	Role     string
}

// Kind returns Role or Operator for their secrets and Unauthenticated for every other password. It takes the same
// time for every password. An empty secret matches no password.
func (a Accounts) Kind(password []byte) PrincipalKind {
	switch {
	case same(password, a.Role):
		return Role
	case same(password, a.Operator):
		return Operator
	}
	return Unauthenticated
}

func same(password []byte, secret string) bool {
	given, want := sha256.Sum256(password), sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1 && secret != ""
}
