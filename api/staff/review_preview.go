package staff

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/geo/review"
	"nhip/geo/rollup"
	"nhip/internal/influx"
)

// Bounds of a preview.
const (
	maxPreviewSpan     = 31 * 24 * time.Hour
	maxPreviewReadings = 500_000
)

// newPreview is the body of POST /v1/reviews/preview: that of a review without its author, or the review to be undone.
type newPreview struct {
	Station  string            `json:"station"`
	Quantity nhip.Quantity     `json:"quantity"`
	From     time.Time         `json:"from"`
	To       time.Time         `json:"to"`
	Action   nhip.ReviewAction `json:"action"`
	Of       string            `json:"of"`
}

// previewAnswer is the answer of POST /v1/reviews/preview.
type previewAnswer struct {
	Station  string            `json:"station"`
	Quantity nhip.Quantity     `json:"quantity,omitempty"`
	From     time.Time         `json:"from"`
	To       time.Time         `json:"to"`
	Action   nhip.ReviewAction `json:"action"`
	Of       string            `json:"of,omitempty"`
	review.Effect
}

// previewReview answers POST /v1/reviews/preview with what a review would change. It stores nothing.
func (h *Handler) previewReview(w http.ResponseWriter, r *http.Request) error {
	var body newPreview
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	change, reviews, err := h.proposed(r, &body)
	if err != nil {
		return err
	}
	release, err := h.Slots.Acquire(r.Context())
	if err != nil {
		return err
	}
	defer release()
	in, err := h.previewInput(r.Context(), change, reviews, nil)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, previewAnswer{
		change.Station, change.Quantity, change.From, change.To, change.Action, change.Of, review.Of(in),
	})
}

// proposed returns the review of a preview, and those of its station that were decided.
func (h *Handler) proposed(r *http.Request, body *newPreview) (*nhip.Review, []nhip.Review, error) {
	change := &nhip.Review{
		ID: "preview", Station: body.Station, Quantity: body.Quantity, From: body.From.UTC(), To: body.To.UTC(),
		Action: body.Action, Of: body.Of, By: "preview", Why: "preview", Time: h.Clock.Now().UTC(),
	}
	if body.Action == nhip.ActionUndo {
		if err := nhip.CheckID("of", body.Of); err != nil {
			return nil, nil, rest.AsInvalid(err)
		}
		all, at, err := h.findReview(r, body.Of)
		if err != nil {
			return nil, nil, rest.InField(err, "of")
		}
		of := &all[at]
		change.Station, change.Quantity, change.From, change.To = of.Station, of.Quantity, of.From, of.To
		if !change.Time.After(of.Time) {
			change.Time = of.Time.Add(time.Millisecond)
		}
	}
	if err := change.Validate(); err != nil {
		return nil, nil, rest.AsInvalid(err)
	}
	if err := checkPreviewSpan(change.From, change.To); err != nil {
		return nil, nil, err
	}
	if err := h.stationInScope(r, change.Station); err != nil {
		return nil, nil, err
	}
	reviews, err := h.reviews(r.Context(), change.Station)
	if err != nil {
		return nil, nil, err
	}
	return change, h.Decided.mergeOf(change.Station, reviews), nil
}

func checkPreviewSpan(from, to time.Time) error {
	if to.Sub(from) > maxPreviewSpan {
		return nhip.Errorf(nhip.CodeInvalid, "from", "must be at most %d days before to",
			int(maxPreviewSpan/(24*time.Hour)))
	}
	return nil
}

// errManyReadings ends the reading of a preview with too many.
var errManyReadings = nhip.Errorf(nhip.CodeInvalid, "from", "the span has more than %d readings; choose a shorter one",
	maxPreviewReadings)

// previewInput reads what the effect of a review or a calibration is computed from. corrected may be nil; see
// review.Input.
func (h *Handler) previewInput(
	ctx context.Context, change *nhip.Review, reviews []nhip.Review,
	corrected func(*nhip.AssessedReading, bool) float64,
) (*review.Input, error) {
	state := h.Collectors.Live
	in := &review.Input{
		Reviews: reviews, Change: *change, Corrected: corrected, Zone: state.Zone(change.Station), Now: h.Clock.Now(),
		Completeness: cmp.Or(h.Completeness, rollup.DefaultCompleteness),
	}
	if s, ok := state.Known(change.Station); ok {
		in.Every = time.Duration(s.ReportInterval * float64(time.Second))
	}
	hoursFrom, hoursTo, daysFrom, daysTo := review.Touched(change, in.Zone)
	readings := influx.ReadingQuery{Station: change.Station, From: hoursFrom, To: hoursTo}
	err := h.History.Readings(ctx, readings, func(r nhip.AssessedReading) error {
		if len(in.Readings) >= maxPreviewReadings {
			return errManyReadings
		}
		in.Readings = append(in.Readings, r)
		return nil
	})
	if errors.Is(err, errManyReadings) {
		return nil, errManyReadings
	}
	if err == nil {
		err = h.History.Rollups(ctx, influx.RollupQuery{
			Station: change.Station, Period: nhip.PeriodHour, Quality: nhip.QualityReviewed, Brief: true,
			From: daysFrom.Add(-review.LookBack).UTC(), To: daysTo.Add(review.LookAhead).UTC(),
		}, func(r influx.RollupRow) error {
			in.Stored = append(in.Stored, r.Rollup)
			return nil
		})
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, h.historyError("preview", err)
	}
	return in, nil
}
