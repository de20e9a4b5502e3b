package records

import (
	"slices"

	"nhip/api/encode"
	"nhip/api/rest"

	"github.com/parquet-go/parquet-go"
)

// licenseColumns end the header of a table. Their cells are filled in its first row: what holds for all rows would take
// as much as the rest.
const licenseColumns = "license,source\n"

func licenseCells(c *rest.CSVRow, l rest.License, row int) {
	if row > 0 {
		l = rest.License{}
	}
	c.Text(l.Name)
	c.Text(l.Source)
}

// appendLicense appends the members of an object that tell the license.
func appendLicense(b []byte, l rest.License) []byte {
	b = encode.OptionalField(b, "license", l.Name)
	b = encode.OptionalField(b, "license_url", l.URL)
	return encode.OptionalField(b, "source", l.Source)
}

// parquetOptions returns the options of a Parquet file, with the license in its metadata.
func parquetOptions(l rest.License) []parquet.WriterOption {
	out := []parquet.WriterOption{parquet.Compression(&parquet.Zstd)}
	for _, m := range [...][2]string{{"license", l.Name}, {"license_url", l.URL}, {"source", l.Source}} {
		if m[1] != "" {
			out = append(out, parquet.KeyValueMetadata(m[0], m[1]))
		}
	}
	return slices.Clip(out)
}
