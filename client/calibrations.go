package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"nhip"
)

// Calibration is the calibration of one quantity of a station, of the fleet file and over the web.
type Calibration struct {
	Quantity   nhip.Quantity           `json:"quantity"`
	Unit       string                  `json:"unit"`
	Correction string                  `json:"correction,omitempty"` // of the fleet file; it excludes a calibration
	Change     *CalibrationChange      `json:"change,omitempty"`     // nil: staff have set nothing
	Lines      []ListedCalibrationLine `json:"lines"`                // by the time from which they are valid
}

// CalibrationChange says whether what staff have set counts.
type CalibrationChange struct {
	State string    `json:"state"` // in_force, superseded or invalid
	By    string    `json:"by"`    // who made the last change
	Time  time.Time `json:"time"`
}

// ListedCalibrationLine is a line with where it comes from.
type ListedCalibrationLine struct {
	ID      string `json:"id,omitempty"` // for RemoveCalibration; of lines in force only
	Source  string `json:"source"`       // file or web
	InForce bool   `json:"in_force"`     // it corrects values since From, until the next line in force
	Current bool   `json:"current"`      // it corrects values of now
	nhip.CalibrationLine
}

// NewCalibration is a line to add: slope × value + offset from a time on.
type NewCalibration struct {
	Quantity  nhip.Quantity `json:"quantity"`
	ValidFrom time.Time     `json:"valid_from"` // of the END of a reading, inclusive
	Slope     float64       `json:"slope"`      // 1 changes nothing
	Offset    float64       `json:"offset"`     // in the unit of the quantity
	Why       string        `json:"why"`
}

// CalibrationEffect is what another calibration would change.
type CalibrationEffect struct {
	Station  string                 `json:"station"`
	Quantity nhip.Quantity          `json:"quantity"`
	From     time.Time              `json:"from"`
	To       time.Time              `json:"to"`
	Lines    []nhip.CalibrationLine `json:"lines"` // that would be in force
	Effect
}

// Calibrations returns the calibration of each quantity of a station that has one.
func (c *Client) Calibrations(ctx context.Context, station string) ([]Calibration, error) {
	var answer struct{ Calibrations []Calibration }
	err := c.get(ctx, calibrationsPath(station), nil, &answer)
	return answer.Calibrations, err
}

// AddCalibration calibrates a quantity of a station from a time on, and returns its calibration. The error has
// nhip.CodeConflict if a line is valid from then on already.
func (c *Client) AddCalibration(ctx context.Context, station string, line NewCalibration) (*Calibration, error) {
	answer := new(Calibration)
	if err := c.post(ctx, calibrationsPath(station), line, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// RemoveCalibration removes the line in force with an id.
func (c *Client) RemoveCalibration(ctx context.Context, station, line string) error {
	return c.do(ctx, http.MethodDelete, calibrationsPath(station)+"/"+url.PathEscape(line), nil, nil)
}

// PreviewCalibration returns what a further line would change of the readings after from, up to to: at most 31 days.
// It stores nothing.
func (c *Client) PreviewCalibration(
	ctx context.Context, station string, line NewCalibration, from, to time.Time,
) (*CalibrationEffect, error) {
	return c.previewCalibration(ctx, station, struct {
		NewCalibration
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
	}{line, from, to})
}

// PreviewRemoval is PreviewCalibration without the line in force with an id.
func (c *Client) PreviewRemoval(
	ctx context.Context, station, line string, from, to time.Time,
) (*CalibrationEffect, error) {
	return c.previewCalibration(ctx, station, struct {
		Remove string    `json:"remove"`
		From   time.Time `json:"from"`
		To     time.Time `json:"to"`
	}{line, from, to})
}

func (c *Client) previewCalibration(ctx context.Context, station string, body any) (*CalibrationEffect, error) {
	effect := new(CalibrationEffect)
	if err := c.post(ctx, calibrationsPath(station)+"/preview", body, effect); err != nil {
		return nil, err
	}
	return effect, nil
}

func calibrationsPath(station string) string {
	return "/v1/stations/" + url.PathEscape(station) + "/calibrations"
}
