package influx

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"nhip"
)

// AppendAudit appends a row of the audit log as AppendReview appends a review.
func AppendAudit(dst []byte, e *nhip.AuditEntry, received time.Time) []byte {
	dst = append(dst, AuditMeasurement...)
	dst = appendTag(dst, colID, e.ID)
	dst = appendTag(dst, colKind, e.Kind)
	dst = appendReceived(dst, received)
	dst = appendText(dst, colAfter, string(e.After))
	dst = appendText(dst, colBefore, string(e.Before))
	dst = appendText(dst, colBy, e.By)
	dst = appendText(dst, colKey, e.Key)
	dst = appendText(dst, colObject, e.Object)
	dst = appendText(dst, colRole, string(e.Role))
	return appendTime(dst, e.Time)
}

// The columns of a row of the audit log, as auditOf expects them.
const (
	auditID = iota
	auditKind
	auditAfter
	auditBefore
	auditBy
	auditKey
	auditObject
	auditRole
)

var auditColumns = columnsOf(auditSchema(), colID, colKind, colAfter, colBefore, colBy, colKey, colObject, colRole)

// AuditQuery selects rows of the audit log. Texts that are empty select all.
type AuditQuery struct {
	Kinds      []string // empty: all
	By, Object string
	From, To   time.Time // From inclusive, To exclusive
	Limit      int       // at least 1
}

// maxAuditTies is the number of rows of one millisecond that a page may have beyond its limit.
const maxAuditTies = 100

// Audit returns rows of the audit log, the newest first, and To of the next page, which is zero after the last. Rows of
// the same time are never split over two pages. Errors are those of Readings.
func (h History) Audit(ctx context.Context, q AuditQuery) (rows []nhip.AuditEntry, next time.Time, err error) {
	if err := checkInterval(q.From, q.To); err != nil {
		return nil, next, err
	}
	s := &Selection{
		Measurement: AuditMeasurement, Columns: auditColumns, From: millis(q.From), To: millis(q.To), Newest: true,
		Limit: q.Limit + maxAuditTies,
	}
	if len(q.Kinds) > 0 {
		s.Where = []TagCondition{where(colKind, q.Kinds...)}
	}
	for _, text := range []TextCondition{{colBy, q.By}, {colObject, q.Object}} {
		if text.Value != "" {
			s.Texts = append(s.Texts, text)
		}
	}
	err = h.Source.Select(ctx, s, func(row *Row) error {
		rows = append(rows, auditOf(row))
		return nil
	})
	if err != nil {
		return nil, next, err
	}
	slices.SortStableFunc(rows, func(a, b nhip.AuditEntry) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	end := q.Limit
	for end < len(rows) && rows[end].Time.Equal(rows[end-1].Time) {
		end++
	}
	if end < len(rows) {
		rows, next = rows[:end], rows[end-1].Time
	}
	return rows, next, nil
}

func auditOf(row *Row) nhip.AuditEntry {
	raw := func(i int) json.RawMessage {
		if text := row.Text(i); json.Valid([]byte(text)) {
			return json.RawMessage(text)
		}
		return nil
	}
	return nhip.AuditEntry{
		Time: row.At(), Kind: row.TagText(auditKind), ID: row.TagText(auditID), By: row.Text(auditBy),
		Role: nhip.Role(row.Text(auditRole)), Key: row.Text(auditKey), Object: row.Text(auditObject),
		Before: raw(auditBefore), After: raw(auditAfter),
	}
}
