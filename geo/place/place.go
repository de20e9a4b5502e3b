// Package place reads named places, such as hospitals and markets, that riders look for.
package place

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"nhip"
	"nhip/geo/zone"

	"github.com/paulmach/orb"
)

// Place is a named place.
type Place struct {
	ID    string
	Name  nhip.LocalizedText
	Type  string // as the file has it, "hospital"; may be empty
	Point orb.Point
}

// Limits of a file.
const (
	MaxBytes  = 16 << 20
	MaxPlaces = 50_000
	maxFaults = 50 // reported
	maxName   = 200
)

// feature is the part of a GeoJSON feature (RFC 7946) that is used.
type feature struct {
	Type       string         `json:"type"`
	ID         any            `json:"id"`
	Properties map[string]any `json:"properties"`
	Geometry   *struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	} `json:"geometry"`
}

// Read reads a GeoJSON FeatureCollection of points. Their properties are name, name_en, type and, unless the feature
// has an id of its own, id. The error joins all faults of the file, up to 50, each with the index of the feature and
// the rule that it violates.
func Read(raw []byte) ([]Place, error) {
	if len(raw) > MaxBytes {
		return nil, fmt.Errorf("must be at most %d MB", MaxBytes>>20)
	}
	if bytes.Count(raw, []byte(":")) > 20*MaxPlaces || bytes.Count(raw, []byte("[")) > 4*MaxPlaces {
		return nil, fmt.Errorf("must have at most %d places with few properties", MaxPlaces)
	}
	var c struct {
		Type     string    `json:"type"`
		Features []feature `json:"features"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("is not GeoJSON: %w", err)
	}
	switch {
	case c.Type != "FeatureCollection":
		return nil, fmt.Errorf("must be a FeatureCollection, got type %q", c.Type)
	case len(c.Features) == 0:
		return nil, errors.New("has no features")
	case len(c.Features) > MaxPlaces:
		return nil, fmt.Errorf("must have at most %d places, got %d", MaxPlaces, len(c.Features))
	}
	var faults []error
	places, ids := make([]Place, 0, len(c.Features)), make(map[string]int, len(c.Features))
	for i := range c.Features {
		p, err := c.Features[i].place()
		if first, known := ids[p.ID]; err == nil && known {
			err = fmt.Errorf("has the same id as feature %d", first)
		}
		if err != nil {
			if faults = append(faults, fmt.Errorf("feature %d: %w", i, err)); len(faults) == maxFaults {
				break
			}
			continue
		}
		ids[p.ID] = i
		places = append(places, p)
	}
	return places, errors.Join(faults...)
}

// place returns the place of a feature.
func (f *feature) place() (p Place, err error) {
	p.ID = zone.TextOf(f.ID)
	if p.ID == "" {
		p.ID = zone.TextOf(f.Properties["id"])
	}
	p.Name = nhip.LocalizedText{Vi: zone.TextOf(f.Properties["name"]), En: zone.TextOf(f.Properties["name_en"])}
	p.Type = zone.TextOf(f.Properties["type"])
	if err := nhip.CheckID("id", p.ID); err != nil {
		return p, err
	}
	switch {
	case f.Type != "Feature":
		return p, fmt.Errorf("must be a Feature, got type %q", f.Type)
	case p.Name.Vi == "":
		return p, errors.New("has no name")
	case max(len(p.Name.Vi), len(p.Name.En), len(p.Type)) > maxName:
		return p, fmt.Errorf("a text is longer than %d bytes", maxName)
	case f.Geometry == nil || f.Geometry.Type != "Point":
		return p, errors.New("must be a Point")
	}
	var position []float64
	if err := json.Unmarshal(f.Geometry.Coordinates, &position); err != nil || len(position) < 2 {
		return p, errors.New("the position must be longitude, latitude")
	}
	p.Point = orb.Point{position[0], position[1]}
	if err := nhip.CheckPoint(p.Point); err != nil {
		return p, fmt.Errorf("the position (%v, %v) is not longitude, latitude in degrees", position[0], position[1])
	}
	return p, nil
}
