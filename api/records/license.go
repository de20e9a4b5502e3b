package records

import (
	"nhip/api/encode"
	"nhip/api/rest"
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
