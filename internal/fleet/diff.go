package fleet

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"nhip"
)

// Diff compares two fleets. It returns one line for each station, vehicle and device that was added (+), removed (-) or
// changed (~), with the changed fields. It reports that secrets changed and not the secrets.
func Diff(old, updated *Fleet) []string {
	var lines []string
	stationID := func(s Station) string { return s.ID }
	vehicleID := func(v Vehicle) string { return v.ID }
	deviceID := func(d Device) string { return d.ID }
	lines = append(lines, diff("station", old.Stations, updated.Stations, stationID, stationFields)...)
	lines = append(lines, diff("vehicle", old.Vehicles, updated.Vehicles, vehicleID, vehicleFields)...)
	return append(lines, diff("device", old.Devices, updated.Devices, deviceID, deviceFields)...)
}

// field is a named value to compare.
type field struct {
	name  string
	value any
}

func stationFields(s Station) []field {
	return []field{
		{"name.vi", s.Name.Vi},
		{"name.en", s.Name.En},
		{"at", s.At},
		{"owner", s.Owner},
		{"kind", s.Kind},
		{"position", s.Position},
		{"period", s.Period},
		{"zone", s.Zone},
		{"area", s.Area},
		{"mobile", s.Mobile},
		{"quantities", s.Quantities},
	}
}

func vehicleFields(v Vehicle) []field {
	return []field{{"plate", v.Plate}, {"agency", v.Agency}, {"line", v.Line}, {"interval", v.Interval}}
}

func deviceFields(d Device) []field {
	return []field{
		{"feed", d.Feed},
		{"topics", d.Topics},
		{"rate", d.Rate},
		{"secrets", secretList(d.Secrets)},
		{"disabled", d.Disabled},
	}
}

// secretList is compared like a list but displays only its length.
type secretList []string

func (c secretList) String() string { return fmt.Sprintf("%d secrets", len(c)) }

func diff[T any](kind string, old, updated []T, id func(T) string, fields func(T) []field) []string {
	before, after := byID(old, id), byID(updated, id)
	var names []string
	for name := range before {
		names = append(names, name)
	}
	for name := range after {
		if _, known := before[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var lines []string
	for _, name := range names {
		was, existed := before[name]
		is, exists := after[name]
		switch {
		case !existed:
			lines = append(lines, fmt.Sprintf("+ %s %s", kind, name))
		case !exists:
			lines = append(lines, fmt.Sprintf("- %s %s", kind, name))
		default:
			if changed := changes(fields(was), fields(is)); changed != "" {
				lines = append(lines, fmt.Sprintf("~ %s %s: %s", kind, name, changed))
			}
		}
	}
	return lines
}

func byID[T any](all []T, id func(T) string) map[string]T {
	out := make(map[string]T, len(all))
	for _, one := range all {
		out[id(one)] = one
	}
	return out
}

func changes(was, is []field) string {
	var parts []string
	for i := range was {
		if reflect.DeepEqual(was[i].value, is[i].value) {
			continue
		}
		from, to := display(was[i].value), display(is[i].value)
		if from == to { // secrets
			parts = append(parts, was[i].name+" changed")
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s → %s", was[i].name, from, to))
	}
	return strings.Join(parts, ", ")
}

// display returns a value on one line; "–" if it is empty.
func display(v any) string {
	if d, ok := v.(time.Duration); ok {
		return nhip.FormatDuration(d)
	}
	if _, isBool := v.(bool); !isBool && reflect.ValueOf(v).IsZero() {
		return "–"
	}
	return fmt.Sprint(v)
}
