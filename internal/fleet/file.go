package fleet

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/internal/mqtt"
	"nhip/internal/settings"

	"github.com/goccy/go-yaml/ast"
)

// Feeds are the feeds of the configuration, by name.
type Feeds map[string]Feed

// Feed is what the fleet needs to know of a feed.
type Feed struct {
	Topic  string // MQTT filter
	Format string // name of the decoder
}

// Load reads a fleet file. The error is settings.Faults, every one with its line, or says why the file
// can't be read; it is fs.ErrNotExist where there is none.
func Load(path string, feeds Feeds) (*Fleet, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("can't read the fleet: %w", err)
	}
	return Read(path, raw, feeds)
}

// Read is Load for a text.
func Read(path string, raw []byte, feeds Feeds) (*Fleet, error) {
	r := &reader{File: settings.NewFile(path), feeds: feeds, fleet: new(Fleet)}
	r.File.Read(raw, nil, settings.Lists{
		{Key: "stations", Read: r.stations},
		{Key: "vehicles", Read: r.vehicles},
		{Key: "devices", Read: r.devices},
	})
	if len(r.Faults) > 0 {
		return nil, r.Faults.Sorted()
	}
	return r.fleet, nil
}

// reader reads one file.
type reader struct {
	*settings.File
	feeds Feeds
	fleet *Fleet
}

// each reads the items of a list, each with its keys and its own check.
func each[T any](r *reader, key string, n ast.Node, fresh T, read func(prefix string, item ast.Node, one *T)) []T {
	items, _ := r.Items(key, n)
	out := make([]T, len(items))
	for i, item := range items {
		out[i] = fresh
		read(fmt.Sprintf("%s[%d].", key, i), item, &out[i])
	}
	return out
}

// unique refuses an id that stands twice.
func unique[T any](r *reader, key string, all []T, id func(*T) string) {
	first := make(map[string]int)
	for i := range all {
		name := id(&all[i])
		if j, known := first[name]; known && name != "" {
			r.Refuse(fmt.Sprintf("%s[%d].id", key, i), fmt.Sprintf("is the id of %s[%d], too", key, j))
			continue
		}
		first[name] = i
	}
}

func (r *reader) stations(n ast.Node) {
	r.fleet.Stations = each(r, "stations", n, Station{Kind: LowCost, Position: Public}, r.station)
	unique(r, "stations", r.fleet.Stations, func(s *Station) string { return s.ID })
}

func (r *reader) station(prefix string, item ast.Node, s *Station) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "id", Value: settings.Text(&s.ID, settings.ID)},
		{Key: prefix + "name.vi", Value: settings.Text(&s.Name.Vi, settings.Name)},
		{Key: prefix + "name.en", Value: settings.Text(&s.Name.En, settings.Name)},
		{Key: prefix + "at", Value: settings.Point(&s.At)},
		{Key: prefix + "mobile", Value: settings.Switch(&s.Mobile)},
		{Key: prefix + "owner", Value: settings.Text(&s.Owner, settings.Printable)},
		{Key: prefix + "kind", Value: settings.Choice(&s.Kind, Reference, LowCost)},
		{Key: prefix + "position", Value: settings.Choice(&s.Position, Public, Private)},
		{Key: prefix + "period", Value: settings.Span(&s.Period)},
		{Key: prefix + "zone", Value: settings.Text(&s.Zone, settings.Zone)},
		{Key: prefix + "area", Value: settings.Text(&s.Area, settings.Name)},
	}, settings.Lists{{Key: prefix + "quantities", Read: func(n ast.Node) {
		s.Quantities = each(r, prefix+"quantities", n, Quantity{}, r.quantity)
	}}})
	if ok {
		r.Require(item, prefix+"id", prefix+"kind")
	}
	if s.Mobile && len(s.At) > 0 {
		r.Refuse(prefix+"at", "must not stand beside mobile: its readings say where they were taken")
	}
}

func (r *reader) quantity(prefix string, item ast.Node, q *Quantity) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "name", Value: settings.Text((*string)(&q.Name), quantity)},
		{Key: prefix + "correction", Value: settings.Text(&q.Correction, correction)},
	}, settings.Lists{{Key: prefix + "calibration", Read: func(n ast.Node) {
		q.Calibration = each(r, prefix+"calibration", n, Calibration{Slope: 1}, r.calibration)
		for i := 1; i < len(q.Calibration); i++ {
			if !q.Calibration[i].From.After(q.Calibration[i-1].From) {
				r.Refuse(fmt.Sprintf("%scalibration[%d].from", prefix, i), "must be later than the one before")
			}
		}
	}}})
	if !ok {
		return
	}
	r.Require(item, prefix+"name")
	if q.Correction != "" && q.Name != nhip.PM25 {
		r.Refuse(prefix+"correction", "is for pm25 only")
	}
	if q.Correction != "" && len(q.Calibration) > 0 {
		r.Refuse(prefix+"correction", "must not stand beside a calibration: a value is corrected once")
	}
}

// correction is the rule of the name of one.
func correction(s string) error {
	if s != qc.EPA2021 {
		return fmt.Errorf("must be %s, got %s", qc.EPA2021, settings.Shown(s))
	}
	return nil
}

func quantity(s string) error {
	if _, known := nhip.ParseQuantity(s); !known {
		return fmt.Errorf("must be a quantity as in pm25, got %s", settings.Shown(s))
	}
	return nil
}

// Bounds of a calibration line: beyond them an instrument is broken and not off.
const (
	leastSlope, mostSlope = 0.01, 100
	mostOffset            = 1_000_000
)

func (r *reader) calibration(prefix string, item ast.Node, c *Calibration) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "from", Value: settings.Moment(&c.From)},
		{Key: prefix + "slope", Value: settings.Number(&c.Slope, leastSlope, mostSlope)},
		{Key: prefix + "offset", Value: settings.Number(&c.Offset, -mostOffset, mostOffset)},
	}, nil)
	if ok {
		r.Require(item, prefix+"from")
	}
}

func (r *reader) vehicles(n ast.Node) {
	r.fleet.Vehicles = each(r, "vehicles", n, Vehicle{}, r.vehicle)
	unique(r, "vehicles", r.fleet.Vehicles, func(v *Vehicle) string { return v.ID })
}

// mostInterval is the longest time between two fixes of a bus that is worth being called live.
const mostInterval = time.Hour

func (r *reader) vehicle(prefix string, item ast.Node, v *Vehicle) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "id", Value: settings.Text(&v.ID, settings.ID)},
		{Key: prefix + "plate", Value: settings.Text(&v.Plate, settings.Name)},
		{Key: prefix + "agency", Value: settings.Text(&v.Agency, settings.ID)},
		{Key: prefix + "line", Value: settings.Text(&v.Line, settings.Name)},
		{Key: prefix + "interval", Value: settings.Days(&v.Interval, time.Second, mostInterval)},
	}, nil)
	if ok {
		r.Require(item, prefix+"id")
	}
}

func (r *reader) devices(n ast.Node) {
	r.fleet.Devices = each(r, "devices", n, Device{}, r.device)
	unique(r, "devices", r.fleet.Devices, func(d *Device) string { return d.ID })
}

func (r *reader) device(prefix string, item ast.Node, d *Device) {
	ok := r.Section(prefix, item, []settings.Setting{
		{Key: prefix + "id", Value: settings.Text(&d.ID, deviceID)},
		{Key: prefix + "feed", Value: settings.Text(&d.Feed, settings.Name)},
		{Key: prefix + "topics", Value: settings.Words(&d.Topics, filter)},
		{Key: prefix + "rate", Value: settings.Count(&d.Rate, mostRate)},
		{Key: prefix + "secrets", Value: settings.Words(&d.Secrets, digest)},
		{Key: prefix + "mosquitto", Value: settings.Text(&d.Mosquitto, mosquittoDigest)},
		{Key: prefix + "disabled", Value: settings.Switch(&d.Disabled)},
	}, nil)
	if !ok {
		return
	}
	r.Require(item, prefix+"id", prefix+"feed")
	if len(d.Secrets) > MaxSecrets {
		r.Refuse(prefix+"secrets", fmt.Sprintf("may hold at most %d: the old and the new one", MaxSecrets))
	}
	if d.Feed == "" {
		return
	}
	if _, known := r.feeds[d.Feed]; !known {
		r.Refuse(prefix+"feed", fmt.Sprintf("must be a feed of the configuration (%s), got %s", strings.Join(r.feeds.names(), ", "), settings.Shown(d.Feed)))
	} else if len(d.Topics) == 0 && len(r.feeds.Topics(d)) == 0 {
		r.Refuse(prefix+"feed", "does not tell the topic of one device; add topics, the filters under which it may publish")
	}
}

// mostRate is more than a broker takes, in messages a second.
const mostRate = 1_000_000

// deviceID is the rule of who speaks: its id is one level of a topic, as it stands, and its user name.
func deviceID(s string) error {
	if err := settings.ID(s); err != nil {
		return err
	}
	if mqtt.Escape(s) != s || strings.HasPrefix(s+"-", mqtt.RolePrefix) { // a bridge puts a dash behind it
		return fmt.Errorf("must not hold / + # %% or $, nor begin with %s, got %s", mqtt.RolePrefix, settings.Shown(s))
	}
	return nil
}

func digest(s string) error {
	_, err := ParseDigest(s)
	return err
}

func filter(s string) error {
	var fault *nhip.Error
	if errors.As(mqtt.CheckFilter(s), &fault) {
		return errors.New(fault.Rule)
	}
	if !mqtt.MayBeDevices(s) {
		return fmt.Errorf("must not reach into the topics of the roles, got %s", settings.Shown(s))
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

// Topics returns the filters under which a device may publish: its own, or its feed's with the device in
// the place of the last "+". Empty where the feed has no such place.
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
