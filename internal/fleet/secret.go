package fleet

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// digestMark begins a secret's digest in the fleet file.
const digestMark = "sha256-"

// NewSecret returns a random secret of 256 bits in hexadecimal. A fast hash is the right one for it:
// nobody guesses it, and a city's boxes that come back after a power cut log in by the thousand a second.
func NewSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// Digest is how a secret is kept.
func Digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return digestMark + hex.EncodeToString(sum[:])
}

// ParseDigest returns the SHA-256 of a secret that Digest has written.
func ParseDigest(s string) (sum [sha256.Size]byte, err error) {
	digits, marked := strings.CutPrefix(s, digestMark)
	raw, err := hex.DecodeString(digits)
	if !marked || err != nil || len(raw) != sha256.Size {
		return sum, errors.New("must be as nhip device add writes it: sha256- and 64 hexadecimal digits")
	}
	return [sha256.Size]byte(raw), nil
}
