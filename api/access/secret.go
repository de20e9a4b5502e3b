package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Prefixes of secrets, by which a person and a scanner of source code recognise them.
const (
	KeyPrefix     = "nhip_k_"
	SessionPrefix = "nhip_s_"
	LinkPrefix    = "nhip_l_"
)

const secretBytes = 32

// NewSecret returns a secret of 32 random bytes behind a prefix, and its hash.
func NewSecret(prefix string) (secret, hash string) {
	var b [secretBytes]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return prefix + base64.RawURLEncoding.EncodeToString(b[:]), hashOf(b[:])
}

// HashOf returns the hash by which a secret is known: SHA-256 of its random bytes, in lower-case hex. A slow hash would
// add nothing, because nobody can guess 32 random bytes. ok is false if the text is no such secret.
func HashOf(prefix, secret string) (hash string, ok bool) {
	text, is := strings.CutPrefix(secret, prefix)
	if !is || len(text) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return "", false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", false
	}
	return hashOf(raw), true
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
