package fleet

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
)

// Mosquitto's way to keep a password (mosquitto_passwd.c): PBKDF2 with HMAC-SHA-512. The rounds are its
// default; a secret of 256 random bits needs none.
const (
	mosquittoRounds = 101
	mosquittoSalt   = 12 // bytes
)

var mosquittoForm = regexp.MustCompile(`^\$7\$[0-9]+\$[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]+=*$`)

// MosquittoDigest is how Mosquitto 2 keeps a secret: it has to be made while the secret is known.
func MosquittoDigest(secret string) string {
	salt := make([]byte, mosquittoSalt)
	rand.Read(salt) // never fails (crypto/rand)
	key, err := pbkdf2.Key(sha512.New, secret, salt, mosquittoRounds, sha512.Size)
	if err != nil {
		panic(err) // only the lengths could be wrong
	}
	enc := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$7$%d$%s$%s", mosquittoRounds, enc(salt), enc(key))
}

func mosquittoDigest(s string) error {
	if !mosquittoForm.MatchString(s) {
		return errors.New("must be as nhip device add --mosquitto writes it")
	}
	return nil
}
