package staff

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/fleet"
)

// newLine is a line that the body of a request describes. Without slope it is 1, without offset 0, as in a fleet file.
type newLine struct {
	Quantity nhip.Quantity     `json:"quantity"`
	From     time.Time         `json:"valid_from"`
	Slope    nhip.Opt[float64] `json:"slope"`
	Offset   nhip.Opt[float64] `json:"offset"`
	Why      string            `json:"why"`
}

// line returns the line with its author. The error names a field of the body.
func (n *newLine) line(by string, now time.Time) (nhip.CalibrationLine, error) {
	line := nhip.CalibrationLine{
		From: n.From.UTC(), Slope: n.Slope.Or(1), Offset: n.Offset.Or(0), Why: n.Why, By: by,
		Time: now.UTC().Truncate(time.Millisecond),
	}
	if err := checkQuantity(n.Quantity); err != nil {
		return line, err
	}
	return line, rest.AsInvalid(line.Validate())
}

func checkQuantity(q nhip.Quantity) error {
	switch {
	case q == "":
		return nhip.Errorf(nhip.CodeInvalid, "quantity", "is required")
	case !q.Known():
		return nhip.Errorf(nhip.CodeInvalid, "quantity", "%q is not a known quantity", string(q))
	case q.Circular():
		return nhip.Errorf(nhip.CodeInvalid, "quantity", "%s is a direction, which is not calibrated", string(q))
	}
	return nil
}

// with returns the lines in force with another one.
func (c *calibration) with(line *nhip.CalibrationLine) ([]nhip.CalibrationLine, error) {
	lines := c.lines()
	at, exists := slices.BinarySearchFunc(lines, line.From, func(l nhip.CalibrationLine, from time.Time) int {
		return l.From.Compare(from)
	})
	switch {
	case c.entry.Correction != "":
		return nil, nhip.Errorf(nhip.CodeConflict, "quantity",
			"the fleet file corrects the quantity by %s; a value is corrected once", c.entry.Correction)
	case exists:
		return nil, nhip.Errorf(nhip.CodeConflict, "valid_from",
			"a line is valid from then on already; delete %s first", lineID(c.quantity, &lines[at]))
	case len(lines) >= nhip.MaxCalibrationLines:
		return nil, nhip.Errorf(nhip.CodeConflict, "quantity", "has %d lines already; the maximum is %d", len(lines),
			nhip.MaxCalibrationLines)
	}
	return slices.Insert(lines, at, *line), nil
}

// without finds the line in force of a station with an id, and returns the calibration and its lines without it.
func (h *Handler) without(station, id, field string) (*calibration, []nhip.CalibrationLine, error) {
	name := id[:max(strings.LastIndexByte(id, '-'), 0)]
	if q, known := nhip.ParseQuantity(name); known {
		c := h.calibrationOf(station, q)
		lines := c.lines()
		byID := func(l nhip.CalibrationLine) bool { return lineID(q, &l) == id }
		if i := slices.IndexFunc(lines, byID); i >= 0 {
			return c, slices.Delete(lines, i, i+1), nil
		}
	}
	return nil, nil, nhip.Errorf(nhip.CodeNotFound, field, "the station has no line %q in force", id)
}

// postCalibration answers POST /v1/stations/{id}/calibrations with the calibration of the quantity, in force from now
// on.
func (h *Handler) postCalibration(w http.ResponseWriter, r *http.Request) error {
	station, err := h.calibratedStation(r)
	if err != nil {
		return err
	}
	var body newLine
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	line, err := body.line(rest.CallerOf(r).Name, h.Clock.Now())
	if err != nil {
		return err
	}
	if err := nhip.CheckID("why", line.Why); err != nil {
		return rest.AsInvalid(err)
	}
	c := h.calibrationOf(station, body.Quantity)
	lines, err := c.with(&line)
	if err != nil {
		return err
	}
	if err := h.setCalibration(r, c, lines); err != nil {
		return err
	}
	return h.Created(w, c.describe(h.Clock.Now()))
}

// deleteCalibration answers DELETE /v1/stations/{id}/calibrations/{line}. A line of the fleet file stays there and does
// not count until the file's entry is edited.
func (h *Handler) deleteCalibration(w http.ResponseWriter, r *http.Request) error {
	station, err := h.calibratedStation(r)
	if err != nil {
		return err
	}
	id, err := rest.PathID(r, "line")
	if err != nil {
		return err
	}
	c, lines, err := h.without(station, id, "line")
	if err != nil {
		return err
	}
	if err := h.setCalibration(r, c, lines); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// setCalibration stores the lines that count, and updates c. Lines that are those of the file again leave the file
// alone in force.
func (h *Handler) setCalibration(r *http.Request, c *calibration, lines []nhip.CalibrationLine) error {
	actor := rest.ActorOf(r)
	if actor == nil {
		return nhip.Errorf(nhip.CodeUnauthorized, "Authorization", "must name who changes the calibration")
	}
	doc := nhip.Document{
		Kind: nhip.DocumentCalibration, ID: nhip.CalibrationID(c.station, c.quantity), Object: "station/" + c.station,
		IfVersion: nhip.Some(c.doc.Version), // 0 if there is none
	}
	if err := nhip.CheckID("id", doc.ID); err != nil {
		return rest.AsInvalid(err) // the id of the station is too long for a document
	}
	own := c.entry.Lines()
	if slices.EqualFunc(lines, own, func(a, b nhip.CalibrationLine) bool { return sameLine(&a, &b) }) {
		if c.change, c.state = nil, ""; !c.doc.Exists() {
			return nil
		}
		_, err := h.Fleet.Actions.Set(r.Context(), doc, *actor)
		return err
	}
	change := &nhip.CalibrationChange{Base: c.entry.Base(), Lines: lines}
	made, err := h.Fleet.Actions.SetJSON(r.Context(), doc, change, *actor)
	if err != nil {
		return err
	}
	c.change, c.state = change, fleet.ChangeInForce
	c.doc.By, c.doc.Time = actor.Name, made.Time
	return nil
}
