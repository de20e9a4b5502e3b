package officetable

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"nhip"

	"github.com/goccy/go-yaml"
)

// maxMapping is the largest size of a mapping file in bytes.
const maxMapping = 1 << 20

// Mapping says what the names of a table mean where this package does not know them.
type Mapping struct {
	Columns    map[string]Column `yaml:"columns"`
	Quantities map[string]string `yaml:"quantities"` // names in the column of quantities: pm25 …
	Stations   map[string]string `yaml:"stations"`   // names in the column of stations: ids
}

// Column is the meaning of a column: a use, or a quantity with its unit and, in tables with a column for each station,
// its station.
type Column struct {
	Use      string        `yaml:"use"`
	Quantity nhip.Quantity `yaml:"quantity"`
	Unit     string        `yaml:"unit"`
	Station  string        `yaml:"station"`
}

// ReadMapping reads a mapping file (YAML).
func ReadMapping(in io.Reader) (m Mapping, err error) {
	raw, err := io.ReadAll(io.LimitReader(in, maxMapping+1))
	if err != nil {
		return m, err
	}
	if len(raw) > maxMapping {
		return m, fmt.Errorf("mapping: larger than %d bytes", maxMapping)
	}
	d := yaml.NewDecoder(bytes.NewReader(raw), yaml.DisallowUnknownField())
	if err := d.Decode(&m); err != nil && err != io.EOF {
		return m, fmt.Errorf("mapping: %w", err)
	}
	return m, m.check()
}

func (m *Mapping) check() error {
	for name, c := range m.Columns {
		switch {
		case (c.Use == "") == (c.Quantity == ""):
			return fmt.Errorf("mapping: columns.%s: exactly one of use and quantity is required", name)
		case c.Use != "" && !slices.Contains(uses(), c.Use):
			return fmt.Errorf("mapping: columns.%s.use: must be one of %v, got %q", name, uses(), c.Use)
		case c.Quantity != "" && !c.Quantity.Known():
			return fmt.Errorf("mapping: columns.%s.quantity: %q is not a known quantity", name, c.Quantity)
		}
	}
	for name, q := range m.Quantities {
		if !nhip.Quantity(q).Known() {
			return fmt.Errorf("mapping: quantities.%s: %q is not a known quantity", name, q)
		}
	}
	return nil
}
