package officetable

import (
	"fmt"
	"strings"

	"nhip"
	"nhip/collector/decode"
)

// unitQuantities are one quantity of each dimension of units.
var unitQuantities = []nhip.Quantity{
	nhip.CO, nhip.Temperature, nhip.Humidity, nhip.Pressure, nhip.WindSpeed, nhip.WindDirection,
}

// ParseUnits parses Options.Units: "no2=ppb" for one quantity, or "ppb" for all quantities that have no unit.
func ParseUnits(texts []string) (map[nhip.Quantity]string, error) {
	units := make(map[nhip.Quantity]string, len(texts))
	for _, text := range texts {
		q, unit, err := parseUnit(text)
		if err != nil {
			return nil, err
		}
		units[q] = unit
	}
	return units, nil
}

// parseUnit parses a unit and the quantity that has it; "" stands for all.
func parseUnit(text string) (q nhip.Quantity, unit string, err error) {
	name, unit, named := strings.Cut(text, "=")
	if !named {
		unit = strings.TrimSpace(text)
		for _, q := range unitQuantities {
			if _, err := decode.Convert(q, 0, unit); err == nil && unit != "" {
				return "", unit, nil
			}
		}
		return "", "", fmt.Errorf("%q is not a known unit", text)
	}
	q, ok := nhip.ParseQuantity(strings.ToLower(strings.TrimSpace(name)))
	if !ok {
		return "", "", fmt.Errorf("%q is not a known quantity", name)
	}
	unit = strings.TrimSpace(unit)
	_, err = decode.Convert(q, 0, unit)
	return q, unit, err
}
