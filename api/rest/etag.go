package rest

import (
	"encoding/json"
	"fmt"
	"net/http"

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
