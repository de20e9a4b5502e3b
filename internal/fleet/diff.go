package fleet

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Diff tells what makes new of old: one line for each thing that came (+), went (-) or changed (~), with
// what of it. Secrets are not shown, only that they changed.
func Diff(old, updated *Fleet) []string {
	var lines []string
	lines = append(lines, diff("station", old.Stations, updated.Stations, func(s Station) string { return s.ID }, stationFields)...)
	lines = append(lines, diff("vehicle", old.Vehicles, updated.Vehicles, func(v Vehicle) string { return v.ID }, vehicleFields)...)
	return append(lines, diff("device", old.Devices, updated.Devices, func(d Device) string { return d.ID }, deviceFields)...)
}

// field is a part of a thing, as it is shown.
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
	return []field{{"feed", d.Feed}, {"topics", d.Topics}, {"rate", d.Rate}, {"secrets", covered(d.Secrets)}, {"disabled", d.Disabled}}
}

// covered tells secrets apart and shows none.
type covered []string

func (c covered) String() string { return fmt.Sprintf("%d secrets", len(c)) }

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
		was, had := before[name]
		is, has := after[name]
		switch {
		case !had:
			lines = append(lines, fmt.Sprintf("+ %s %s", kind, name))
		case !has:
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
		if from == to { // what is covered
			parts = append(parts, was[i].name+" changed")
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s → %s", was[i].name, from, to))
	}
	return strings.Join(parts, ", ")
}

// display writes a value on one line; nothing is "–".
func display(v any) string {
	if _, isSpan := v.(time.Duration); !isSpan && reflect.ValueOf(v).IsZero() && reflect.TypeOf(v).Kind() != reflect.Bool {
		return "–"
	}
	return fmt.Sprint(v)
}
