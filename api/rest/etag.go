package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// JSONTagged answers with body as JSON and an ETag, or with 304 if the client has it already. The ETag is weak, because
// the answer may be compressed later.
func (p Responder) JSONTagged(w http.ResponseWriter, r *http.Request, cache string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	etag := fmt.Sprintf(`"%016x"`, xxhash.Sum64(raw))
	w.Header().Set("ETag", "W/"+etag)
	if ETagMatches(r.Header.Get("If-None-Match"), etag) {
		w.Header().Set("Cache-Control", cache)
		w.Header().Set("Vary", "Accept")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	p.Bytes(w, FormatJSON, cache, append(raw, '\n'))
	return nil
}

// ETagMatches reports whether an If-None-Match header contains an ETag or "*". Weak ETags match, too.
func ETagMatches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == etag || part == "*" {
			return true
		}
	}
	return false
}
