package app

import (
	"fmt"

	"nhip/geo/place"
)

// loadPlaces reads the configured file of places; nil if there is none.
func loadPlaces(path string) ([]place.Place, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := readUpTo(path, place.MaxBytes+1)
	var places []place.Place
	if err == nil {
		places, err = place.Read(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("places: %s: %w", path, err)
	}
	return places, nil
}
