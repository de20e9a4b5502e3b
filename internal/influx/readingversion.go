package influx

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// ReadingVersion is one of the contents that a station sent for the same time.
type ReadingVersion struct {
	nhip.AssessedReading
	Received time.Time // when it reached the platform
	Revision int       // 0 for the first content
}

// The columns of a version, behind those of a reading.
const (
	versionReceived = readingEnd + iota
	versionRevision
)

var versionColumns = append(slices.Clone(readingColumns), Column{colReceived, Int, ""}, Column{colRevision, Tag, ""})

// ReadingVersions returns all versions of a station's readings of a quantity at a time: first the original reading of
// each averaging period, then the revisions, both sorted by the text of the period.
func (h History) ReadingVersions(
	ctx context.Context, station string, quantity nhip.Quantity, at time.Time,
) ([]ReadingVersion, error) {
	var out []ReadingVersion
	for _, measurement := range []string{ReadingMeasurement, ReadingRevision} {
		s := &Selection{
			Measurement: measurement, Columns: versionColumns, From: millis(at), To: after(at),
			Where: []TagCondition{where(colStation, station), where(colQuantity, string(quantity))},
		}
		group := timeGroup[version]{compare: compareVersions, yield: func(v *version) error {
			out = append(out, v.ReadingVersion)
			return nil
		}}
		err := h.Source.Select(ctx, s, func(row *Row) error {
			r, ok, err := readingOf(row, station)
			if err != nil || !ok {
				return err
			}
			v := version{ReadingVersion{AssessedReading: r.AssessedReading}, r.period}
			if ms, ok := row.Int(versionReceived); ok {
				v.Received = time.UnixMilli(ms).UTC()
			}
			v.Revision, _ = strconv.Atoi(row.Text(versionRevision)) // appendRevision wrote the number
			return group.add(row.Time, &v)
		})
		if err != nil {
			return nil, err
		}
		if err := group.flush(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// version is a ReadingVersion with the text of its period.
type version struct {
	ReadingVersion
	period string
}

func compareVersions(a, b *version) int {
	return cmp.Or(strings.Compare(a.period, b.period), cmp.Compare(a.Revision, b.Revision))
}
