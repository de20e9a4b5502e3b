package main

import (
	"fmt"
	"os"
	"time"

	"nhip"
	"nhip/collector/officetable"
)

// officeFlags decide what a table of an office leaves open. They apply to the format csv.
type officeFlags struct {
	Zone      string        `help:"${help_import_zone}" placeholder:"ZONE"`
	DateOrder string        `help:"${help_import_order}" enum:",dmy,mdy,ymd" default:"" placeholder:"ORDER"`
	Stamps    string        `help:"${help_import_stamps}" enum:"ending,beginning" default:"ending" placeholder:"WHICH"`
	Period    time.Duration `help:"${help_import_period}" placeholder:"1h"`
	Unit      []string      `help:"${help_import_unit}" placeholder:"[QUANTITY=]UNIT"`
	Decimal   string        `help:"${help_import_decimal}" enum:",comma,point" default:"" placeholder:"SIGN"`
	Encoding  string        `help:"${help_import_encoding}" enum:",utf-8,utf-16,windows-1258,windows-1252" default:""`
	Sheet     string        `help:"Sheet of a workbook (.xlsx) with several." placeholder:"NAME"`
	Mapping   string        `help:"${help_import_mapping}" type:"existingfile" placeholder:"FILE"`
}

// given reports whether any of the flags is given.
func (f *officeFlags) given() bool {
	return f.Zone+f.DateOrder+f.Decimal+f.Encoding+f.Sheet+f.Mapping != "" || f.Stamps != "ending" || f.Period != 0 ||
		len(f.Unit) > 0
}

// tableOptions returns the flags as options of a table. zone is that of the format's feed.
func (f *officeFlags) tableOptions(zone *time.Location) (o *officetable.Options, err error) {
	o = &officetable.Options{
		Zone: zone, DateOrder: f.DateOrder, Beginning: f.Stamps == "beginning", Period: f.Period, Decimal: f.Decimal,
		Encoding: f.Encoding, Sheet: f.Sheet,
	}
	if f.Period < 0 || f.Period > nhip.MaxPeriod {
		return o, fmt.Errorf("--period: must be longer than 0 and at most 366 days, got %s",
			nhip.FormatDuration(f.Period))
	}
	if f.Zone != "" {
		if o.Zone, err = time.LoadLocation(f.Zone); err != nil {
			return o, fmt.Errorf("--zone: must be a time zone as in Asia/Ho_Chi_Minh, got %q", f.Zone)
		}
	}
	if o.Units, err = officetable.ParseUnits(f.Unit); err != nil {
		return o, fmt.Errorf("--unit: %w", err)
	}
	if f.Mapping == "" {
		return o, nil
	}
	file, err := os.Open(f.Mapping)
	if err != nil {
		return o, err
	}
	defer file.Close()
	o.Mapping, err = officetable.ReadMapping(file)
	return o, err
}
