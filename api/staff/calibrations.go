package staff

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/internal/fleet"
)

// calibrationsAnswer is the answer of GET /v1/stations/{id}/calibrations.
type calibrationsAnswer struct {
	Station      string                `json:"station"`
	Calibrations []quantityCalibration `json:"calibrations"`
}

// quantityCalibration is the calibration of one quantity: the lines of the fleet file and those of staff.
type quantityCalibration struct {
	Quantity   nhip.Quantity     `json:"quantity"`
	Unit       string            `json:"unit"`
	Correction string            `json:"correction,omitempty"` // of the fleet file; excludes a calibration
	Change     *calibrationState `json:"change,omitempty"`     // over the web; nil if there is none
	Lines      []calibrationLine `json:"lines"`                // by valid_from
}

// calibrationState says whether what staff have set counts.
type calibrationState struct {
	State fleet.ChangeState `json:"state"`
	By    string            `json:"by"` // who made the last change
	Time  time.Time         `json:"time"`
}

// Sources of a line.
const (
	sourceFile = "file"
	sourceWeb  = "web"
)

// calibrationLine is a line with where it comes from.
type calibrationLine struct {
	ID      string `json:"id,omitempty"` // for DELETE; of lines in force only
	Source  string `json:"source"`       // sourceFile or sourceWeb
	InForce bool   `json:"in_force"`     // it counts for readings since valid_from, until the next line in force
	Current bool   `json:"current"`      // it counts for readings of now
	nhip.CalibrationLine
}

// lineID returns the id of a line in force, which no other line in force of the station has.
func lineID(q nhip.Quantity, l *nhip.CalibrationLine) string {
	return string(q) + "-" + l.From.UTC().Format("20060102T150405.999999999Z")
}

// calibration is what is known of the calibration of a station's quantity.
type calibration struct {
	station  string
	quantity nhip.Quantity
	entry    fleet.Quantity // of the fleet file
	change   *nhip.CalibrationChange
	doc      nhip.DocumentState // that has change
	state    fleet.ChangeState  // of change
}

// calibrationOf returns the calibration of a station's quantity.
func (h *Handler) calibrationOf(station string, q nhip.Quantity) *calibration {
	c := &calibration{station: station, quantity: q, entry: fleet.Quantity{Name: q}}
	if known := h.Collectors.Live.FleetStation(station); known != nil {
		c.entry = known.QuantityOf(q)
	}
	doc, ok := h.Fleet.Documents.Find(nhip.DocumentCalibration, nhip.CalibrationID(station, q))
	if !ok || !doc.Exists() {
		return c
	}
	c.doc = doc
	change := new(nhip.CalibrationChange)
	if json.Unmarshal(doc.Body, change) != nil {
		return c // a collector has checked it
	}
	c.change, c.state = change, c.entry.CalibrationState(change)
	return c
}

// lines returns the lines in force.
func (c *calibration) lines() []nhip.CalibrationLine {
	if c.state == fleet.ChangeInForce {
		return slices.Clone(c.change.Lines)
	}
	return c.entry.Lines()
}

// sameLine reports whether two lines correct values in the same way.
func sameLine(a, b *nhip.CalibrationLine) bool {
	return a.From.Equal(b.From) && a.Slope == b.Slope && a.Offset == b.Offset
}

// describe returns the calibration as the API tells it.
func (c *calibration) describe(now time.Time) quantityCalibration {
	out := quantityCalibration{
		Quantity: c.quantity, Unit: c.quantity.Unit(), Correction: c.entry.Correction, Lines: []calibrationLine{},
	}
	inForce := c.lines()
	current := -1
	for i := range inForce {
		if !inForce[i].From.After(now) {
			current = i
		}
	}
	for i, l := range inForce {
		out.Lines = append(out.Lines, calibrationLine{lineID(c.quantity, &l), sourceOf(&l), true, i == current, l})
	}
	others := c.entry.Lines()
	if c.change != nil {
		out.Change = &calibrationState{c.state, c.doc.By, c.doc.Time}
		others = append(others, c.change.Lines...)
	}
	for _, l := range others {
		known := func(have calibrationLine) bool { return sameLine(&have.CalibrationLine, &l) }
		if !slices.ContainsFunc(out.Lines, known) {
			out.Lines = append(out.Lines, calibrationLine{"", sourceOf(&l), false, false, l})
		}
	}
	slices.SortStableFunc(out.Lines, func(a, b calibrationLine) int { return a.From.Compare(b.From) })
	return out
}

func sourceOf(l *nhip.CalibrationLine) string {
	if l.By == "" {
		return sourceFile
	}
	return sourceWeb
}

// calibratedStation returns the station of the path, which must be in the caller's scope.
func (h *Handler) calibratedStation(r *http.Request) (string, error) {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return "", err
	}
	s, err := h.Stations.Station(r.Context(), id)
	if err == nil && !rest.ScopeOf(r).Station(s) {
		err = live.UnknownStation(id)
	}
	return id, err
}

// listCalibrations answers GET /v1/stations/{id}/calibrations with the lines of the fleet file and of the web.
func (h *Handler) listCalibrations(w http.ResponseWriter, r *http.Request) error {
	station, err := h.calibratedStation(r)
	if err = cmp.Or(err, rest.ReadQuery(r).Err); err != nil {
		return err
	}
	var quantities []nhip.Quantity
	if known := h.Collectors.Live.FleetStation(station); known != nil {
		for i := range known.Quantities {
			if q := &known.Quantities[i]; q.Base() != "" {
				quantities = append(quantities, q.Name)
			}
		}
	}
	for _, doc := range h.Fleet.Documents.List(nhip.DocumentCalibration) {
		if of, q, ok := nhip.ParseCalibrationID(doc.ID); ok && of == station {
			quantities = append(quantities, q)
		}
	}
	slices.Sort(quantities)
	answer := calibrationsAnswer{Station: station, Calibrations: []quantityCalibration{}}
	for _, q := range slices.Compact(quantities) {
		answer.Calibrations = append(answer.Calibrations, h.calibrationOf(station, q).describe(h.Clock.Now()))
	}
	return h.JSON(w, rest.NoStore, answer)
}

// madeCalibrations returns what staff have set of the stations that the caller sees.
func (h *Handler) madeCalibrations(r *http.Request) []nhip.MadeCalibration {
	out := []nhip.MadeCalibration{}
	for _, doc := range h.Fleet.Documents.List(nhip.DocumentCalibration) {
		station, q, ok := nhip.ParseCalibrationID(doc.ID)
		c := nhip.MadeCalibration{Station: station, Quantity: q, By: doc.By, Time: doc.Time}
		if !ok || json.Unmarshal(doc.Body, &c.CalibrationChange) != nil || !h.Stations.Sees(r.Context(), station) {
			continue
		}
		out = append(out, c)
	}
	return out
}
