// Package officetable reads the tables of readings that offices write by hand or with a spreadsheet: CSV with commas,
// semicolons, tabs or bars, in UTF-8, UTF-16 or a single-byte encoding, and workbooks (.xlsx) of one sheet. It finds
// the columns by their names in Vietnamese or English, and rewrites each value as a row of the format "csv".
//
//	Thời gian;Trạm;Thông số;Giá trị;Đơn vị
//	16/02/2026 08:00;hn-01;PM2,5;69,2;µg/m³
//
// A wide table has a column for each quantity, with the unit in the header ("CO (mg/m³)") or in the second row. Titles
// above the header are skipped.
//
// What a table does not determine is an error that names the option that decides it (zone, order of dates, unit,
// decimal sign, encoding, sheet). Nothing is guessed from single rows: the dates and numbers of the whole table count.
package officetable

import (
	"strings"
	"time"

	"nhip"
)

// Bounds of a table, which is in memory as a whole.
const (
	maxBytes  = 64 << 20  // of a file, and of each part of a workbook, unpacked
	maxRows   = 2_000_000 // more than the 1,048,576 of a spreadsheet
	maxCells  = 1024      // of a row
	maxTitles = 30        // rows above the header
)

// Options decide what tables leave open. The zero value decides nothing.
type Options struct {
	Station   string         // for tables without a column of stations
	Zone      *time.Location // of times without an offset
	DateOrder string         // "dmy", "mdy", "ymd"; "": as far as the dates determine it
	Beginning bool           // time stamps are the beginning of the averaging period, not its end
	Period    time.Duration  // averaging period; 0: an hour, and a day for dates without a time of day
	Decimal   string         // "comma", "point"; "": as far as the numbers determine it
	Encoding  string         // "utf-8", "utf-16", "windows-1258", "windows-1252"; "": as far as the bytes determine it
	Sheet     string         // of a workbook with several

	// Units of quantities without a unit in the table. That of "" is for all others.
	Units   map[nhip.Quantity]string
	Mapping Mapping
}

// Row is one value of a table as a row of the format "csv", see Header.
type Row struct {
	Line   int      // in the table, from 1
	Column string   // header of the value's column
	Fields []string // in the order of Header
	Fault  string   // why the value can't be read; Fields then contain the received text, which the decoder rejects
}

// Header holds the columns of Row.Fields.
func Header() []string {
	return []string{"time", "station", "quantity", "value", "unit", "period", "flag", "lat", "lon"}
}

// The indices of Header.
const (
	atTime = iota
	atStation
	atQuantity
	atValue
	atUnit
	atPeriod
	atFlag
	atLat
	atLon
	fieldCount
)

// Table is a table whose layout is understood.
type Table struct {
	o       Options
	rows    []line // below the header
	names   []string
	columns columns
	order   string // of dates
	daily   bool   // no time has a time of day
	comma   bool   // decimals have a comma
	notes   []string
}

// Open reads a table and determines its layout. An error names the option that decides what the table does not.
func Open(content []byte, o Options) (*Table, error) {
	rows, err := load(content, &o)
	if err != nil {
		return nil, err
	}
	t := &Table{o: o}
	if err := t.findColumns(rows); err != nil {
		return nil, err
	}
	if err := t.findUnits(); err != nil {
		return nil, err
	}
	if err := t.findOrder(); err != nil {
		return nil, err
	}
	return t, t.findDecimal()
}

// Notes returns how the table is understood, one statement a line.
func (t *Table) Notes() []string { return t.notes }

// Each calls yield for each value, in the order of the table. Rows without any text and values that are missing are
// passed over.
func (t *Table) Each(yield func(Row) error) error {
	for i := range t.rows {
		if err := t.eachOf(&t.rows[i], yield); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) eachOf(l *line, yield func(Row) error) error {
	if l.blank() {
		return nil
	}
	common := make([]string, fieldCount)
	common[atStation], common[atPeriod] = t.station(l), ""
	fault := ""
	end, period, err := t.end(l)
	if err != nil {
		fault = err.Error()
		common[atTime] = orText(t.timeText(l), "no time: "+l.clip())
	} else {
		common[atTime], common[atPeriod] = end.Format(time.RFC3339Nano), nhip.FormatPeriod(period)
	}
	if extra := l.extra(len(t.names)); fault == "" && extra != "" {
		fault = "has more fields than the header: " + extra
		common[atTime] = l.clip()
	}
	t.common(l, common)
	for _, c := range t.columns.values {
		row := Row{Line: l.number, Column: t.names[c.at], Fields: append([]string(nil), common...), Fault: fault}
		if c.station != "" {
			row.Fields[atStation] = c.station
		}
		if !t.value(l, &c, &row) && fault == "" {
			continue
		}
		if err := yield(row); err != nil {
			return err
		}
		if fault != "" {
			return nil // one row turned away, not one for each of its values
		}
	}
	return nil
}

// common fills in the columns beside the value that have one meaning in every form of table.
func (t *Table) common(l *line, fields []string) {
	fields[atFlag] = l.text(t.columns.flag)
	fields[atLat] = t.canonical(l.cell(t.columns.lat))
	fields[atLon] = t.canonical(l.cell(t.columns.lon))
	if fields[atLat] == "" || fields[atLon] == "" {
		fields[atLat], fields[atLon] = "", ""
	}
	if text := l.text(t.columns.period); text != "" && t.o.Period == 0 {
		fields[atPeriod] = text
	}
}

// value fills in the value of a column. It returns false if there is none.
func (t *Table) value(l *line, c *valueColumn, row *Row) bool {
	cell := l.cell(c.at)
	if isNone(cell.text) {
		return false
	}
	row.Fields[atQuantity], row.Fields[atUnit] = string(c.quantity), c.unit
	if c.quantity == "" {
		name := l.text(t.columns.quantity)
		q, ok := t.quantityOf(name)
		if !ok && row.Fault == "" {
			row.Fault = "quantity: " + quote(name) + " is not a known quantity"
		}
		row.Fields[atQuantity] = orText(string(q), name)
		if unit := l.text(t.columns.unit); unit != "" {
			row.Fields[atUnit] = unit
		} else if ok {
			row.Fields[atUnit] = t.o.unit(q)
		}
	}
	number, ok := t.number(cell)
	if !ok && c.quantity == nhip.WindDirection {
		number, ok = t.compassDegrees(cell.text, c)
	}
	if !ok {
		number = cell.text
		if row.Fault == "" {
			row.Fault = c.field(t) + "must be a number, got " + quote(cell.text)
		}
	}
	row.Fields[atValue] = number
	return true
}

// station returns the station of a row, under the name that the mapping gives it.
func (t *Table) station(l *line) string {
	name := l.text(t.columns.station)
	if mapped, ok := t.o.Mapping.Stations[name]; ok {
		return mapped
	}
	return orText(name, t.o.Station)
}

func orText(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func quote(text string) string {
	const most = 40
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return `"` + text + `"`
}
