package open311

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/reports"
	"nhip/api/rest"
)

// change is the body of POST /v1/queue/{id}. What is not given stays as it is.
type change struct {
	Version      *int64             `json:"version"` // that the change was made from
	Assignee     *string            `json:"assignee"`
	Status       *nhip.ReportStatus `json:"status"`
	Answer       *string            `json:"answer"`
	PublicText   *bool              `json:"public_text"`
	PublicPhoto  *bool              `json:"public_photo"`
	Note         string             `json:"note"`
	EraseContact bool               `json:"erase_contact"`
	ErasePhoto   bool               `json:"erase_photo"`
}

// maxAnswer is the longest public answer, characters: with a description it must fit into a document.
const maxAnswer = 2000

// changeQueued answers POST /v1/queue/{id} with the report after the change.
func (h *Handler) changeQueued(w http.ResponseWriter, r *http.Request) error {
	e, err := h.findQueued(r)
	if err != nil {
		return err
	}
	var c change
	if err := rest.DecodeBody(w, r, &c); err != nil {
		return err
	}
	by := rest.CallerOf(r)
	if c.Version != nil && *c.Version != e.Version {
		return nhip.Errorf(nhip.CodeConflict, "version",
			"the report has changed meanwhile: it has version %d, not %d", e.Version, *c.Version)
	}
	changed, err := c.apply(e.Report, by.Name, h.now())
	if err != nil {
		return err
	}
	if err := h.erase(r.Context(), &c, e.Report.ID, by); err != nil {
		return err
	}
	if err := h.Store.SetReport(r.Context(), changed, e.Version, by); err != nil {
		return err
	}
	out := h.withContact(reports.Entry{Report: changed, Version: e.Version + 1})
	if c.EraseContact {
		out.Contact = nil
	}
	return h.JSON(w, rest.NoStore, out)
}

// erase deletes what a change orders to delete.
func (h *Handler) erase(ctx context.Context, c *change, report string, by access.Caller) error {
	if c.EraseContact {
		if known, _ := h.Reports.Contact(report); known != nil {
			if err := h.Store.SetContact(ctx, report, nil, by); err != nil {
				return err
			}
		}
	}
	if c.ErasePhoto {
		return h.Photos.Remove(ctx, report)
	}
	return nil
}

// apply returns a report after a change. Errors name the field and the rule.
func (c *change) apply(before *nhip.CitizenReport, by string, now time.Time) (*nhip.CitizenReport, error) {
	r := *before
	if c.Assignee != nil {
		var err error
		if r.Assignee, err = cleanLine("assignee", *c.Assignee); err != nil {
			return nil, rest.AsInvalid(err)
		}
	}
	if c.Status != nil {
		r.Status = *c.Status
	}
	if c.Answer != nil {
		r.Answer = cleanProse(*c.Answer)
		if err := nhip.CheckProse("answer", r.Answer, maxAnswer); err != nil {
			return nil, rest.AsInvalid(err)
		}
	}
	if c.PublicText != nil {
		r.PublicText = *c.PublicText
	}
	if c.PublicPhoto != nil {
		r.PublicPhoto = *c.PublicPhoto
	}
	if c.ErasePhoto {
		r.Photo, r.PublicPhoto = false, false
	}
	r.Updated = now
	if now.Before(before.Updated) {
		r.Updated = before.Updated // clocks of several apis differ
	}
	if note := cleanProse(c.Note); note != "" {
		r.Notes = append(slices.Clone(before.Notes), nhip.ReportNote{By: by, Time: now, Text: note})
		r.Notes = r.Notes[max(0, len(r.Notes)-nhip.MaxNotes):]
	}
	if err := r.Validate(); err != nil {
		return nil, rest.AsInvalid(err)
	}
	return &r, fitNotes(&r)
}

// maxChanged is the largest report after a change as JSON, bytes.
const maxChanged = nhip.MaxDocumentBytes - 1<<10

// fitNotes drops the oldest notes of a report that would be too large for a document. They stay in the audit log.
func fitNotes(r *nhip.CitizenReport) error {
	for {
		raw, err := json.Marshal(r)
		switch {
		case err != nil:
			return err
		case len(raw) <= maxChanged:
			return nil
		case len(r.Notes) <= 1:
			return nhip.Errorf(nhip.CodeInvalid, "answer", "must be shorter: the report has %d bytes, the limit is %d",
				len(raw), maxChanged)
		}
		r.Notes = r.Notes[1:]
	}
}
