package app

import (
	"errors"
	"fmt"
	"io"
	"os"

	"nhip/geo/zone"
	"nhip/internal/config"
)

// loadZones reads the configured files of areas; nil if there are none. The error joins the faults of all files, each
// with its key and path.
func loadZones(c *config.Config) (*zone.Set, error) {
	var all []zone.Zone
	var faults []error
	for i, z := range c.Zones {
		raw, err := readUpTo(z.File, zone.MaxBytes+1)
		var zones []zone.Zone
		if err == nil {
			zones, err = zone.Read(raw, zone.FileSpec{
				Kind: z.Kind, ID: z.ID, NameVi: z.NameVi, NameEn: z.NameEn, From: z.From, To: z.To,
			})
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("zones[%d].file: %s: %w", i, z.File, err))
		}
		all = append(all, zones...)
	}
	if len(faults) > 0 || len(all) == 0 {
		return nil, errors.Join(faults...)
	}
	return zone.New(all), nil
}

// readUpTo returns the content of a file, at most a number of bytes of it.
func readUpTo(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}
