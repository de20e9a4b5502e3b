package nhip

import (
	"encoding/json"
	"time"
)

// AuditEntry is one row of the audit log: what somebody did.
type AuditEntry struct {
	Time   time.Time       `json:"time"`
	Kind   string          `json:"kind"` // of the user action, as in nhip/say/<kind>/<id>
	ID     string          `json:"id"`   // of the review, the alert or the document
	By     string          `json:"by"`   // name of who did it
	Role   Role            `json:"role,omitempty"`
	Key    string          `json:"key,omitempty"`    // id of the key or of the account
	Object string          `json:"object,omitempty"` // what it is about, as in "station/hn-01"
	Before json.RawMessage `json:"before,omitempty"` // the state before; none if there was none
	After  json.RawMessage `json:"after,omitempty"`  // the state after; none if it was removed
}
