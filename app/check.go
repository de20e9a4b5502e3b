package app

import (
	"errors"
	"fmt"
	"strings"

	"nhip/api"
	"nhip/geo/gtfs"
	"nhip/internal/config"
	"nhip/internal/timetable"
)

// CheckConfig returns every fault of a configuration and of the files that it names: what would keep a role from
// starting. dataDir is the folder whose fleet file is read.
// The findings of its timetables are returned in any case.
func CheckConfig(set *config.Effective, dataDir string) (TimetableReport, error) {
	report := checkTimetable(set)
	err := set.Err()
	if _, fault := LoadFleet(&set.Config, dataDir); fault != nil {
		err = errors.Join(err, fault)
	}
	if path := set.Map.PMTiles; path != "" {
		if fault := api.CheckBasemap(path); fault != nil {
			err = errors.Join(err, fmt.Errorf("map.pmtiles: %w", fault))
		}
	}
	_, fault := loadZones(&set.Config)
	err = errors.Join(err, fault)
	_, fault = loadPlaces(set.Places)
	err = errors.Join(err, fault)
	return report, err
}

// TimetableReport is what a check of the timetables found.
type TimetableReport struct {
	Usable   bool           `json:"usable"`
	Findings []gtfs.Finding `json:"findings"`
	Unlisted int            `json:"-"` // findings that are counted but not listed
}

// checkedFindings is how many findings of one code in one file a check lists.
const checkedFindings = 1000

// checkTimetable reads and merges the timetables as a start does, and refuses what a start would. Addresses are
// fetched at the start only.
func checkTimetable(set *config.Effective) TimetableReport {
	report := TimetableReport{Usable: true, Findings: []gtfs.Finding{}}
	refuse := func(format string, err error) {
		set.Refuse("gtfs", fmt.Sprintf(format, err))
		report.Usable = false
	}
	var feeds []*gtfs.Feed
	paths := timetable.Split(set.GTFS)
	for _, path := range paths {
		if strings.Contains(path, "://") {
			continue
		}
		feed, found, err := timetable.ReadFile(path, gtfs.Options{Listed: checkedFindings, Agency: agencyOf(&set.Config)})
		if err != nil {
			refuse("can't read the timetable: %v", err)
			if len(found.List) == 0 {
				found.Refuse(err)
			}
		} else {
			feeds = append(feeds, feed)
		}
		for _, f := range found.List {
			if len(paths) > 1 {
				f.File = path + "/" + f.File
			}
			report.Findings = append(report.Findings, f)
		}
		report.Unlisted += found.Unlisted()
	}
	if len(feeds) < 2 {
		return report
	}
	if _, err := gtfs.Merge(feeds...); err != nil {
		refuse("can't merge the timetables: %v", err)
		merging := &gtfs.Findings{}
		merging.Refuse(err)
		report.Findings = append(report.Findings, merging.List...)
	}
	return report
}
