package main

import (
	"errors"
	"fmt"
	"os"

	"nhip/geo/zone"
	"nhip/internal/config"
)

// readZones reads the files of areas that are configured; nil where there are none. The error joins the faults of all,
// each behind its key and file.
func readZones(c *config.Config) (*zone.Set, error) {
	var all []zone.Zone
	var faults []error
	for i, z := range c.Zones {
		raw, err := os.ReadFile(z.File)
		var zones []zone.Zone
		if err == nil {
			zones, err = zone.Read(raw, zone.Layer{Kind: z.Kind, ID: z.ID, NameVi: z.NameVi, NameEn: z.NameEn, From: z.From, To: z.To})
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
