package gtfs

import (
	"encoding/hex"
	"hash/fnv"
	"strings"

	"nhip"
)

// ShortID returns an id that is at most nhip.MaxText bytes long: the id itself, or its beginning with a hash of it.
func ShortID(id string) string {
	if len(id) <= nhip.MaxText {
		return id
	}
	h := fnv.New128a()
	_, _ = h.Write([]byte(id)) // writing to a hash never fails
	hash := "~" + hex.EncodeToString(h.Sum(nil))
	return strings.ToValidUTF8(id[:nhip.MaxText-len(hash)], "") + hash
}
