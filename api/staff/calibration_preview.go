package staff

import (
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/geo/qc"
	"nhip/geo/review"
	"nhip/internal/fleet"
)

// calibrationPreview is the body of POST /v1/stations/{id}/calibrations/preview: a line to be added, or the id of one
// to be removed, and the span of readings to look at.
type calibrationPreview struct {
	Quantity  nhip.Quantity     `json:"quantity"`
	ValidFrom time.Time         `json:"valid_from"`
	Slope     nhip.Opt[float64] `json:"slope"`
	Offset    nhip.Opt[float64] `json:"offset"`
	Why       string            `json:"why"`
	Remove    string            `json:"remove"`
	From      time.Time         `json:"from"` // exclusive
	To        time.Time         `json:"to"`   // inclusive
}

// calibrationEffect is its answer.
type calibrationEffect struct {
	Station  string                 `json:"station"`
	Quantity nhip.Quantity          `json:"quantity"`
	From     time.Time              `json:"from"`
	To       time.Time              `json:"to"`
	Lines    []nhip.CalibrationLine `json:"lines"` // that would be in force
	review.Effect
}

// previewCalibration answers POST /v1/stations/{id}/calibrations/preview with what another line, or one less, would
// change in a span of readings. It stores nothing.
func (h *Handler) previewCalibration(w http.ResponseWriter, r *http.Request) error {
	station, err := h.calibratedStation(r)
	if err != nil {
		return err
	}
	var body calibrationPreview
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	c, lines, err := h.proposedLines(r, station, &body)
	if err != nil {
		return err
	}
	span := nhip.Review{ // which changes no flag
		ID: "preview", Station: station, Quantity: c.quantity, From: body.From.UTC(), To: body.To.UTC(),
		Action: nhip.ActionAnnotate, By: "preview", Why: "preview", Time: h.Clock.Now().UTC(),
	}
	if err := span.Validate(); err != nil {
		return rest.AsInvalid(err)
	}
	if err := checkPreviewSpan(span.From, span.To); err != nil {
		return err
	}
	reviews, err := h.reviews(r.Context(), station)
	if err != nil {
		return err
	}
	release, err := h.Slots.Acquire(r.Context())
	if err != nil {
		return err
	}
	defer release()
	in, err := h.previewInput(r.Context(), &span, h.Decided.mergeOf(station, reviews),
		correctedBy(c.quantity, c.lines(), lines))
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, calibrationEffect{station, c.quantity, span.From, span.To, lines, review.Of(in)})
}

// proposedLines returns the calibration that a body names, and the lines that would be in force.
func (h *Handler) proposedLines(
	r *http.Request, station string, body *calibrationPreview,
) (*calibration, []nhip.CalibrationLine, error) {
	added := newLine{body.Quantity, body.ValidFrom, body.Slope, body.Offset, body.Why}
	if body.Remove != "" {
		if added != (newLine{}) {
			return nil, nil, nhip.Errorf(nhip.CodeInvalid, "remove", "must not be combined with a line to be added")
		}
		return h.without(station, body.Remove, "remove")
	}
	line, err := added.line(rest.CallerOf(r).Name, h.Clock.Now())
	if err != nil {
		return nil, nil, err
	}
	c := h.calibrationOf(station, body.Quantity)
	lines, err := c.with(&line)
	return c, lines, err
}

// correctedBy returns the values of a quantity under the lines before and after a change; those of other quantities are
// as stored. No correction needs the humidity: a quantity has either that or a calibration.
func correctedBy(q nhip.Quantity, before, after []nhip.CalibrationLine) func(*nhip.AssessedReading, bool) float64 {
	was, is := correctionOf(before), correctionOf(after)
	return func(r *nhip.AssessedReading, changed bool) float64 {
		c := was
		if changed {
			c = is
		}
		if r.Quantity != q {
			v, _ := r.At(nhip.QualityAutomatic)
			return v
		}
		v, _ := c.Correct(q, r.Value, r.Time, math.NaN())
		return v
	}
}

func correctionOf(lines []nhip.CalibrationLine) *qc.Correction {
	c := new(qc.Correction)
	for _, l := range fleet.CalibrationsOf(lines) {
		c.Calibrations = append(c.Calibrations, qc.LinearCorrection{From: l.From, Slope: l.Slope, Offset: l.Offset})
	}
	return c
}
