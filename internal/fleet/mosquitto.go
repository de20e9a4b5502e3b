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

// Parameters of Mosquitto's password hash (mosquitto_passwd.c), PBKDF2 with HMAC-SHA-512. The rounds are Mosquitto's
// default; a secret of 256 random bits needs none.
const (
	mosquittoRounds = 101
	mosquittoSalt   = 12 // bytes
)

var mosquittoPattern = regexp.MustCompile(`^\$7\$[0-9]+\$[A-Za-z0-9+/]+=*\$[A-Za-z0-9+/]+=*$`)

// MosquittoDigest returns the hash of a secret for Mosquitto's password file. It can't be computed from Digest.
func MosquittoDigest(secret string) string {
	salt := make([]byte, mosquittoSalt)
	rand.Read(salt) // never fails (crypto/rand)
	key, err := pbkdf2.Key(sha512.New, secret, salt, mosquittoRounds, sha512.Size)
	if err != nil {
		panic(err) // only invalid lengths return an error
	}
	enc := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$7$%d$%s$%s", mosquittoRounds, enc(salt), enc(key))
}

func mosquittoRule(s string) error {
	if !mosquittoPattern.MatchString(s) {
		return errors.New("must have the form that nhip device add --mosquitto writes")
	}
	return nil
}
