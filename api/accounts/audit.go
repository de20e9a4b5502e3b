package accounts

import (
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/internal/influx"
)

// Bounds of a page of the audit log.
const (
	defaultEntries = 200
	maxEntries     = 1000
)

// auditAnswer is the answer of GET /v1/audit.
type auditAnswer struct {
	Entries []nhip.AuditEntry `json:"entries"`
	Next    *time.Time        `json:"next,omitempty"` // to of the next page
}

// getAudit answers GET /v1/audit, newest first.
func (h *Handler) getAudit(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "who", "kind", "object", "from", "to", "limit", "format")
	now := h.Clock.Now()
	query := influx.AuditQuery{
		By: q.Text("who"), Object: q.Text("object"), From: q.Time("from", time.UnixMilli(0)),
		To: q.Time("to", now.Add(nhip.FutureTolerance)), Limit: q.Integer("limit", defaultEntries, 1, maxEntries),
	}
	kind, format := q.Text("kind"), q.Format(r)
	switch {
	case q.Err != nil:
		return q.Err
	case format == "":
		return rest.ErrNotAcceptable
	case kind != "" && !slices.Contains(auditKinds(true), kind):
		return nhip.Errorf(nhip.CodeInvalid, "kind", "must be one of %v, got %q", auditKinds(true), kind)
	case query.To.Before(query.From):
		return nhip.Errorf(nhip.CodeInvalid, "from", "must not be after to")
	}
	if query.Kinds = auditKinds(false); kind != "" {
		query.Kinds = []string{kind}
	}
	entries, next, err := h.History.Audit(r.Context(), query)
	if err != nil {
		h.Logger.Warn("history query failed", "query", "audit", "error", err)
		return live.ErrHistoryAway
	}
	if entries == nil {
		entries = []nhip.AuditEntry{}
	}
	if format == rest.FormatCSV {
		h.CSV(w, "audit", rest.NoStore, auditCSV(entries))
		return nil
	}
	return h.JSON(w, rest.NoStore, auditAnswer{entries, timeOf(next)})
}

// auditKinds returns the kinds of user actions; with quiet also those that programs make.
func auditKinds(quiet bool) []string {
	kinds := []string{nhip.ActionKindReview, nhip.ActionKindAck}
	for _, k := range nhip.DocumentKinds() {
		if quiet || !k.Quiet {
			kinds = append(kinds, k.Name)
		}
	}
	return kinds
}

// auditColumns are the columns of the CSV answer.
const auditColumns = "time,who,role,key,kind,id,object,before,after\n"

func auditCSV(entries []nhip.AuditEntry) []byte {
	b := []byte(rest.ByteOrderMark + auditColumns)
	for i := range entries {
		e := &entries[i]
		row := rest.NewCSVRow(b)
		row.Time(e.Time)
		for _, text := range []string{
			e.By, string(e.Role), e.Key, e.Kind, e.ID, e.Object, string(e.Before), string(e.After),
		} {
			row.Text(text)
		}
		b = row.End()
	}
	return b
}
