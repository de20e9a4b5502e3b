package open311

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"

	"nhip"
	"nhip/api/access"
	"nhip/api/actions"
	"nhip/api/reports"
)

// Documents is the Store of the platform: reports and contacts are documents, which the collectors keep.
type Documents struct{ Actions *actions.Client }

// publicName is the name of callers without credentials in the audit log.
const publicName = "public"

func actorOf(c access.Caller) nhip.Actor {
	return nhip.Actor{Name: cmp.Or(c.Name, publicName), Key: c.Key, Role: c.Role}
}

// SetReport implements Store.
func (d Documents) SetReport(ctx context.Context, r *nhip.CitizenReport, version int64, by access.Caller) error {
	doc := nhip.Document{
		Kind: nhip.DocumentReport, ID: r.ID, Object: "report/" + r.ID, IfVersion: nhip.Some(version), Time: r.Updated,
	}
	_, err := d.Actions.SetJSON(ctx, doc, r, actorOf(by))
	return asRequest(err)
}

// SetContact implements Store.
func (d Documents) SetContact(ctx context.Context, report string, c *nhip.ReportContact, by access.Caller) error {
	doc := nhip.Document{Kind: nhip.DocumentContact, ID: report, Object: "report/" + report}
	var err error
	if c == nil {
		_, err = d.Actions.Set(ctx, doc, actorOf(by))
	} else {
		_, err = d.Actions.SetJSON(ctx, doc, c, actorOf(by))
	}
	return asRequest(err)
}

// RemoveReport implements Store.
func (d Documents) RemoveReport(ctx context.Context, id string, by access.Caller) error {
	doc := nhip.Document{Kind: nhip.DocumentReport, ID: id, Object: "report/" + id}
	_, err := d.Actions.Set(ctx, doc, actorOf(by))
	return err
}

// asRequest returns the error of a change as that of a request.
func asRequest(err error) error {
	switch nhip.ErrorCode(err) {
	case "", nhip.CodeConflict, nhip.CodeUnavailable, nhip.CodeInternal, nhip.CodeTooMany, nhip.CodeTooLarge:
		return err
	}
	return errorOf(err)
}

// Follow keeps the state of the reports as the documents are. It must be called before the first message.
func Follow(documents *actions.Documents, state *reports.State, log *slog.Logger) {
	documents.Watch(nhip.DocumentReport, func(d nhip.DocumentState) {
		if r, ok := decoded[nhip.CitizenReport](&d, log); ok {
			state.SetReport(d.ID, r, d.Version)
		}
	})
	documents.Watch(nhip.DocumentContact, func(d nhip.DocumentState) {
		if c, ok := decoded[nhip.ReportContact](&d, log); ok {
			state.SetContact(d.ID, c, d.Version)
		}
	})
}

// decoded returns the body of a document, nil of one that is removed. It reports false if it can't be decoded.
func decoded[T any](d *nhip.DocumentState, log *slog.Logger) (*T, bool) {
	if !d.Exists() {
		return nil, true
	}
	body := new(T)
	if err := json.Unmarshal(d.Body, body); err != nil {
		log.Error("undecodable document", "kind", d.Kind, "id", d.ID, "error", err)
		return nil, false
	}
	return body, true
}
