package fleet

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

// digestMark is the prefix of digests in the fleet file.
const digestMark = "sha256-"

// NewSecret returns a random secret of 256 bits in hexadecimal. Its digest may use a fast hash: the secret can't be
// guessed, and after a power cut devices log in by the thousand a second.
func NewSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// Digest returns the digest of a secret, in the form of the fleet file.
func Digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return digestMark + hex.EncodeToString(sum[:])
}

// ParseDigest parses a digest.
func ParseDigest(s string) (sum [sha256.Size]byte, err error) {
	digits, marked := strings.CutPrefix(s, digestMark)
	raw, err := hex.DecodeString(digits)
	if !marked || err != nil || len(raw) != sha256.Size {
		return sum, errors.New("must have the form that nhip device add writes: sha256- and 64 hexadecimal digits")
	}
	return [sha256.Size]byte(raw), nil
}
