package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/internal/settings"
	"nhip/internal/topics"

	"github.com/goccy/go-yaml/ast"
)

// Feeds are the configured feeds, by name.
type Feeds map[string]Feed

// Feed is the part of a configured feed that the fleet uses.
type Feed struct {
	Topic  string // MQTT filter
	Format string // name of the decoder
	Agency string // of its buses
}

// Load reads a fleet file. The error is settings.Faults if the content is invalid, and fs.ErrNotExist if there is no
// file.
func Load(path string, feeds Feeds) (*Fleet, error) {
	raw, err := settings.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("can't read the fleet: %w", err)
	}
	return Read(path, raw, feeds)
}

// Read reads the text of a fleet file. The path appears in faults only.
func Read(path string, raw []byte, feeds Feeds) (*Fleet, error) {
	r := read(path, raw, feeds)
	if len(r.Faults) > 0 {
		return nil, r.Faults.Sorted()
	}
	return r.fleet, nil
}

// ReadValid returns the entries of the text of a fleet file that have no fault.
func ReadValid(path string, raw []byte, feeds Feeds) *Fleet {
	r := read(path, raw, feeds)
	faulty := make(map[string]bool) // "devices[3]"
	for _, f := range r.Faults {
		if i := strings.IndexByte(f.Key, ']'); i >= 0 {
			faulty[f.Key[:i+1]] = true
		}
	}
	r.fleet.Stations = withoutFaulty(r.fleet.Stations, "stations", faulty)
	r.fleet.Vehicles = withoutFaulty(r.fleet.Vehicles, "vehicles", faulty)
	r.fleet.Devices = withoutFaulty(r.fleet.Devices, "devices", faulty)
	return r.fleet
}

func withoutFaulty[T any](all []T, key string, faulty map[string]bool) (valid []T) {
	for i, one := range all {
		if !faulty[fmt.Sprintf("%s[%d]", key, i)] {
			valid = append(valid, one)
		}
	}
	return valid
}

func read(path string, raw []byte, feeds Feeds) *reader {
	r := &reader{File: settings.NewFile(path), feeds: feeds, fleet: new(Fleet)}
	r.File.Read(raw, nil, settings.Lists{
		{Key: "stations", Read: r.stations},
		{Key: "vehicles", Read: r.vehicles},
		{Key: "devices", Read: r.devices},
	})
	return r
}

// reader reads one file.
type reader struct {
	*settings.File
	feeds Feeds
	fleet *Fleet
}

// readItems reads the items of a list. Each begins as a copy of fresh.
func readItems[T any](r *reader, key string, n ast.Node, fresh T, read func(prefix string, item ast.Node, one *T)) []T {
	items, _ := r.Items(key, n)
	out := make([]T, len(items))
	for i, item := range items {
		out[i] = fresh
		read(fmt.Sprintf("%s[%d].", key, i), item, &out[i])
	}
	return out
}

// checkUnique refuses ids that occur twice.
func checkUnique[T any](r *reader, key string, all []T, id func(*T) string) {
	first := make(map[string]int)
	for i := range all {
		name := id(&all[i])
		if j, known := first[name]; known && name != "" {
			r.Refuse(fmt.Sprintf("%s[%d].id", key, i), fmt.Sprintf("is already the id of %s[%d]", key, j))
			continue
		}
		first[name] = i
	}
}

func (r *reader) stations(n ast.Node) {
	r.fleet.Stations = readItems(r, "stations", n, Station{Kind: LowCost, Position: Public}, r.station)
	checkUnique(r, "stations", r.fleet.Stations, func(s *Station) string { return s.ID })
}

func (r *reader) station(prefix string, item ast.Node, s *Station) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "id", Value: settings.Text(&s.ID, settings.ID)},
		{Key: prefix + "name.vi", Value: settings.Text(&s.Name.Vi, settings.Name)},
		{Key: prefix + "name.en", Value: settings.Text(&s.Name.En, settings.Name)},
		{Key: prefix + "at", Value: settings.Point(&s.At)},
		{Key: prefix + "mobile", Value: settings.Bool(&s.Mobile)},
		{Key: prefix + "owner", Value: settings.Text(&s.Owner, settings.Printable)},
		{Key: prefix + "kind", Value: settings.Choice(&s.Kind, Reference, LowCost)},
		{Key: prefix + "position", Value: settings.Choice(&s.Position, Public, Private)},
		{Key: prefix + "period", Value: settings.Duration(&s.Period)},
		{Key: prefix + "zone", Value: settings.Text(&s.Zone, settings.Zone)},
		{Key: prefix + "area", Value: settings.Text(&s.Area, settings.Name)},
	}, settings.Lists{{Key: prefix + "quantities", Read: func(n ast.Node) {
		s.Quantities = readItems(r, prefix+"quantities", n, Quantity{}, r.quantity)
	}}})
	if ok {
		r.Require(item, prefix+"id", prefix+"kind")
	}
	if s.Mobile && len(s.At) > 0 {
		r.Refuse(prefix+"at", "must not be set for a mobile station: each reading carries its position")
	}
}

func (r *reader) quantity(prefix string, item ast.Node, q *Quantity) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "name", Value: settings.Text((*string)(&q.Name), quantityRule)},
		{Key: prefix + "correction", Value: settings.Text(&q.Correction, correctionRule)},
	}, settings.Lists{{Key: prefix + "calibration", Read: func(n ast.Node) {
		q.Calibration = readItems(r, prefix+"calibration", n, Calibration{Slope: 1}, r.calibration)
		for i := 1; i < len(q.Calibration); i++ {
			if !q.Calibration[i].From.After(q.Calibration[i-1].From) {
				r.Refuse(fmt.Sprintf("%scalibration[%d].from", prefix, i), "must be later than the previous one")
			}
		}
	}}})
	if !ok {
		return
	}
	r.Require(item, prefix+"name")
	if q.Correction != "" && q.Name != nhip.PM25 {
		r.Refuse(prefix+"correction", "is allowed for pm25 only")
	}
	if q.Correction != "" && len(q.Calibration) > 0 {
		r.Refuse(prefix+"correction", "must not be combined with a calibration: a value is corrected once")
	}
}

// correctionRule accepts the name of a correction.
func correctionRule(s string) error {
	if s != qc.EPA2021 {
		return fmt.Errorf("must be %s, got %s", qc.EPA2021, settings.Shown(s))
	}
	return nil
}

func quantityRule(s string) error {
	if _, known := nhip.ParseQuantity(s); !known {
		return fmt.Errorf("must be a quantity as in pm25, got %s", settings.Shown(s))
	}
	return nil
}

func (r *reader) calibration(prefix string, item ast.Node, c *Calibration) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "from", Value: settings.Time(&c.From)},
		{Key: prefix + "slope", Value: settings.Number(&c.Slope, nhip.MinCalibrationSlope, nhip.MaxCalibrationSlope)},
		{Key: prefix + "offset", Value: settings.Number(
			&c.Offset, -nhip.MaxCalibrationOffset, nhip.MaxCalibrationOffset,
		)},
	}, nil)
	if ok {
		r.Require(item, prefix+"from")
	}
}

func (r *reader) vehicles(n ast.Node) {
	r.fleet.Vehicles = readItems(r, "vehicles", n, Vehicle{}, r.vehicle)
	checkUnique(r, "vehicles", r.fleet.Vehicles, func(v *Vehicle) string { return v.ID })
}

// maxInterval bounds the interval between the positions of a bus; with a longer one it can't be tracked live.
const maxInterval = time.Hour

func (r *reader) vehicle(prefix string, item ast.Node, v *Vehicle) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "id", Value: settings.Text(&v.ID, settings.ID)},
		{Key: prefix + "plate", Value: settings.Text(&v.Plate, settings.Name)},
		{Key: prefix + "agency", Value: settings.Text(&v.Agency, settings.ID)},
		{Key: prefix + "line", Value: settings.Text(&v.Line, settings.Name)},
		{Key: prefix + "interval", Value: settings.Days(&v.Interval, time.Second, maxInterval)},
	}, nil)
	if ok {
		r.Require(item, prefix+"id")
	}
}

func (r *reader) devices(n ast.Node) {
	r.fleet.Devices = readItems(r, "devices", n, Device{}, r.device)
	checkUnique(r, "devices", r.fleet.Devices, func(d *Device) string { return d.ID })
}

func (r *reader) device(prefix string, item ast.Node, d *Device) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "id", Value: settings.Text(&d.ID, deviceIDRule)},
		{Key: prefix + "feed", Value: settings.Text(&d.Feed, settings.Name)},
		{Key: prefix + "topics", Value: settings.TextList(&d.Topics, filterRule)},
		{Key: prefix + "rate", Value: settings.Count(&d.Rate, maxRate)},
		{Key: prefix + "secrets", Value: settings.TextList(&d.Secrets, digestRule)},
		{Key: prefix + "mosquitto", Value: settings.Text(&d.Mosquitto, mosquittoRule)},
		{Key: prefix + "disabled", Value: settings.Bool(&d.Disabled)},
	}, nil)
	if !ok {
		return
	}
	r.Require(item, prefix+"id", prefix+"feed")
	if len(d.Secrets) > MaxSecrets {
		r.Refuse(prefix+"secrets", fmt.Sprintf("may contain at most %d: the old and the new one", MaxSecrets))
	}
	if d.Feed == "" {
		return
	}
	if _, known := r.feeds[d.Feed]; !known {
		r.Refuse(prefix+"feed", fmt.Sprintf("must be a feed of the configuration (%s), got %s",
			strings.Join(r.feeds.names(), ", "), settings.Shown(d.Feed)))
	} else if len(d.Topics) == 0 && len(r.feeds.Topics(d)) == 0 {
		r.Refuse(prefix+"feed",
			"has no topic of its own for each device; add topics, the filters under which the device may publish")
	}
}

// maxRate bounds rate, in messages a second. No broker accepts more.
const maxRate = 1_000_000

// deviceIDRule accepts the id of a device, which is one level of its topics without escaping, and its user name.
func deviceIDRule(s string) error {
	if err := settings.ID(s); err != nil {
		return err
	}
	// The client ids of a bridge are its id, a dash and any text.
	if topics.Escape(s) != s || strings.HasPrefix(s+"-", topics.RolePrefix) {
		return fmt.Errorf("must not contain / + # %% or $, or begin with %s, got %s", topics.RolePrefix, settings.Shown(s))
	}
	return nil
}

func digestRule(s string) error {
	_, err := ParseDigest(s)
	return err
}

func filterRule(s string) error {
	var fault *nhip.Error
	if errors.As(topics.CheckFilter(s), &fault) {
		return errors.New(fault.Rule)
	}
	if !topics.IsDeviceFilter(s) {
		return fmt.Errorf("must not match topics of the roles, got %s", settings.Shown(s))
	}
	return nil
}

func (f Feeds) names() []string {
	var all []string
	for name := range f {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// Topics returns the filters under which a device may publish: its own, or its feed's topic with the id in place of the
// last "+". It returns nothing if the topic has no "+".
func (f Feeds) Topics(d *Device) []string {
	if len(d.Topics) > 0 {
		return d.Topics
	}
	levels := strings.Split(f[d.Feed].Topic, "/")
	for i := len(levels) - 1; i >= 0; i-- {
		if levels[i] == "+" {
			levels[i] = d.ID
			return []string{strings.Join(levels, "/")}
		}
	}
	return nil
}
