package officetable

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"nhip"
	"nhip/collector/decode"

	"golang.org/x/text/unicode/norm"
)

// Uses of columns beside values.
const (
	useTime     = "time"
	useDate     = "date"
	useHour     = "hour" // time of day, beside a date
	useStation  = "station"
	useQuantity = "quantity"
	useValue    = "value"
	useUnit     = "unit"
	usePeriod   = "period"
	useFlag     = "flag"
	useLat      = "lat"
	useLon      = "lon"
	useSkip     = "skip"
)

func uses() []string {
	return []string{
		useTime, useDate, useHour, useStation, useQuantity, useValue, useUnit, usePeriod, useFlag, useLat, useLon, useSkip,
	}
}

// names are the names of columns, as fold writes them.
var names = map[string]string{
	"time": useTime, "timestamp": useTime, "time stamp": useTime, "datetime": useTime, "date time": useTime,
	"date and time": useTime, "date/time": useTime, "thoi gian": useTime, "thoi diem": useTime, "ngay gio": useTime,
	"ngay gio do": useTime, "thoi gian do": useTime, "thoi diem do": useTime, "thoi gian quan trac": useTime,
	"ngay, gio": useTime, "ngay/gio": useTime, "ngay gio quan trac": useTime, "thoi gian lay mau": useTime,
	"unix": useTime, "epoch": useTime, "unix time": useTime, "local time": useTime, "gio ngay": useTime,
	"date": useDate, "ngay": useDate, "ngay thang": useDate, "ngay do": useDate, "ngay thang nam": useDate,
	"ngay quan trac": useDate, "day": useDate,
	"hour": useHour, "gio": useHour, "gio do": useHour, "gio quan trac": useHour, "khung gio": useHour,
	"station": useStation, "station id": useStation, "station name": useStation, "site": useStation,
	"site id": useStation, "site name": useStation, "location": useStation,
	"tram": useStation, "ten tram": useStation, "ma tram": useStation,
	"tram do": useStation, "tram quan trac": useStation, "diem do": useStation, "diem quan trac": useStation,
	"vi tri": useStation, "vi tri quan trac": useStation,
	"quantity": useQuantity, "parameter": useQuantity, "param": useQuantity, "pollutant": useQuantity,
	"thong so": useQuantity, "ten thong so": useQuantity, "chi tieu": useQuantity, "dai luong": useQuantity,
	"chat": useQuantity, "chat o nhiem": useQuantity, "thong so quan trac": useQuantity,
	"value": useValue, "mean": useValue, "result": useValue, "average": useValue, "concentration": useValue,
	"gia tri": useValue, "gia tri do": useValue, "ket qua": useValue, "ket qua do": useValue, "nong do": useValue,
	"so lieu": useValue, "trung binh": useValue, "gia tri trung binh": useValue,
	"unit": useUnit, "units": useUnit, "don vi": useUnit, "don vi do": useUnit, "don vi tinh": useUnit, "dvt": useUnit,
	"period": usePeriod, "averaging period": usePeriod,
	"flag": useFlag,
	"lat":  useLat, "latitude": useLat, "vi do": useLat,
	"lon": useLon, "lng": useLon, "long": useLon, "longitude": useLon, "kinh do": useLon,
	"": useSkip, "stt": useSkip, "tt": useSkip, "no.": useSkip, "#": useSkip,
}

// quantities are the names of quantities, as foldQuantity writes them.
var quantities = map[string]nhip.Quantity{
	"pm1": nhip.PM1, "pm01": nhip.PM1, "pm1.0": nhip.PM1, "pm2.5": nhip.PM25, "pm25": nhip.PM25, "pm02.5": nhip.PM25,
	"pm10": nhip.PM10, "pm10.0": nhip.PM10, "tsp": nhip.TSP, "tong bui lo lung": nhip.TSP, "bui lo lung": nhip.TSP,
	"tong bui": nhip.TSP, "so2": nhip.SO2, "no": nhip.NO, "no2": nhip.NO2, "co": nhip.CO, "o3": nhip.O3, "ozone": nhip.O3,
	"ozon":        nhip.O3,
	"temperature": nhip.Temperature, "temp": nhip.Temperature, "nhiet do": nhip.Temperature,
	"nhiet do khong khi": nhip.Temperature, "air temperature": nhip.Temperature,
	"humidity": nhip.Humidity, "rh": nhip.Humidity, "hum": nhip.Humidity, "relative humidity": nhip.Humidity,
	"relativehumidity": nhip.Humidity, "do am": nhip.Humidity, "do am tuong doi": nhip.Humidity,
	"pressure": nhip.Pressure, "press": nhip.Pressure, "ap suat": nhip.Pressure, "ap suat khi quyen": nhip.Pressure,
	"khi ap": nhip.Pressure, "ap suat khong khi": nhip.Pressure,
	"wind speed": nhip.WindSpeed, "windspeed": nhip.WindSpeed, "wspm": nhip.WindSpeed, "ws": nhip.WindSpeed,
	"toc do gio": nhip.WindSpeed, "van toc gio": nhip.WindSpeed, "wind_speed": nhip.WindSpeed,
	"wind direction": nhip.WindDirection, "winddirection": nhip.WindDirection, "wd": nhip.WindDirection,
	"huong gio": nhip.WindDirection, "wind_direction": nhip.WindDirection,
}

// namedUnits are the units of columns whose name stands for one, as folded: WSPM of the Beijing records is in m/s.
var namedUnits = map[string]string{"wspm": "m/s"}

// valueColumn is a column of values. In a table with a column of quantities, there is one without a quantity.
type valueColumn struct {
	at       int
	quantity nhip.Quantity
	unit     string
	station  string
}

func (c *valueColumn) field(t *Table) string {
	if c.quantity == "" {
		return "value: "
	}
	return t.names[c.at] + ": "
}

// columns are the indices of a table's columns; -1: none.
type columns struct {
	time, date, hour, station, quantity, unit, period, flag, lat, lon int

	values []valueColumn
}

func noColumns() columns { return columns{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, nil} }

func (c *columns) index(use string) *int {
	return map[string]*int{
		useTime: &c.time, useDate: &c.date, useHour: &c.hour, useStation: &c.station, useQuantity: &c.quantity,
		useUnit: &c.unit, usePeriod: &c.period, useFlag: &c.flag, useLat: &c.lat, useLon: &c.lon,
	}[use]
}

// findColumns finds the header: the first row with a time and a value.
func (t *Table) findColumns(rows []line) error {
	var first error
	for i := range rows[:min(len(rows), maxTitles)] {
		if rows[i].filled() < 2 {
			continue
		}
		t.notes = nil
		err := t.header(&rows[i])
		if err == nil {
			t.rows = rows[i+1:]
			t.notes = append([]string{fmt.Sprintf("header: line %d", rows[i].number)}, t.notes...)
			return nil
		}
		if first == nil || t.columns.time >= 0 || t.columns.date >= 0 {
			first = fmt.Errorf("line %d: %w", rows[i].number, err)
		}
	}
	if first == nil {
		return errors.New("contains no table with a header")
	}
	return first
}

func (t *Table) header(l *line) error {
	t.columns, t.names = noColumns(), nil
	var valueAt, unread []int
	for at, cell := range l.cells {
		t.names = append(t.names, cell.text)
		use, c, known := t.meaning(cell.text)
		c.at = at
		switch index := t.columns.index(use); {
		case !known:
			unread = append(unread, at)
		case use == useValue:
			valueAt = append(valueAt, at)
		case use == "":
			t.columns.values = append(t.columns.values, c)
		case index != nil && *index >= 0:
			return fmt.Errorf("%s and %s are both the %s: choose one with --mapping", quote(t.names[*index]),
				quote(cell.text), use)
		case index != nil:
			*index = at
		}
	}
	if err := t.checkColumns(valueAt); err != nil {
		return err
	}
	t.noteColumns(unread)
	return nil
}

// meaning returns the use of a column, or its quantity with "" as the use.
func (t *Table) meaning(name string) (use string, c valueColumn, known bool) {
	for mapped, as := range t.o.Mapping.Columns {
		if mapped == name || fold(mapped) == fold(name) {
			return as.Use, valueColumn{quantity: as.Quantity, unit: as.Unit, station: as.Station}, true
		}
	}
	plain, unit := cutUnit(name)
	if use, known = names[fold(name)]; known {
		return use, c, true
	}
	if use, known = names[fold(plain)]; known {
		return use, c, true
	}
	if q, ok := t.quantityOf(name); ok {
		return "", valueColumn{quantity: q, unit: namedUnits[fold(name)]}, true
	}
	q, ok := t.quantityOf(plain)
	return "", valueColumn{quantity: q, unit: unit}, ok
}

// checkColumns completes the columns: a second column "time" beside a date is the time of day, and the value of a table
// with a column of quantities is the column named so.
func (t *Table) checkColumns(valueAt []int) error {
	c := &t.columns
	if c.date >= 0 && c.time >= 0 && c.hour < 0 {
		c.hour, c.time = c.time, -1
	}
	if c.date < 0 && c.time < 0 {
		return errors.New("no column with the time is known; name it with --mapping")
	}
	if c.date < 0 && c.hour >= 0 {
		c.hour = -1
	}
	switch {
	case c.quantity >= 0 && len(valueAt) == 0:
		return errors.New("a table with a column of quantities needs one of values; name it with --mapping")
	case c.quantity >= 0 && len(valueAt) > 1:
		return fmt.Errorf("%s and %s may both be the value: choose one with --mapping", quote(t.names[valueAt[0]]),
			quote(t.names[valueAt[1]]))
	case c.quantity >= 0:
		c.values = []valueColumn{{at: valueAt[0]}}
	case len(c.values) == 0:
		return errors.New("no column with a quantity is known; name it with --mapping")
	}
	for i := range c.values {
		for j := range c.values[:i] {
			a, b := &c.values[i], &c.values[j]
			if a.quantity != "" && a.quantity == b.quantity && a.station == b.station {
				return fmt.Errorf("%s and %s are both %s: choose one with --mapping", quote(t.names[b.at]),
					quote(t.names[a.at]), a.quantity)
			}
		}
	}
	return nil
}

func (t *Table) noteColumns(unread []int) {
	c := &t.columns
	for _, use := range uses() {
		if at := c.index(use); at != nil && *at >= 0 {
			t.notes = append(t.notes, fmt.Sprintf("%s: column %s", use, quote(t.names[*at])))
		}
	}
	for _, at := range unread {
		if t.names[at] != "" {
			t.notes = append(t.notes, fmt.Sprintf("not read: column %s", quote(t.names[at])))
		}
	}
}

// findUnits reads a row of units below the header and checks that each column of values has a unit.
func (t *Table) findUnits() error {
	if len(t.rows) > 0 && t.isUnits(&t.rows[0]) {
		for i := range t.columns.values {
			c := &t.columns.values[i]
			c.unit = orText(c.unit, strings.Trim(t.rows[0].text(c.at), "()[] "))
		}
		t.rows = t.rows[1:]
	}
	for i := range t.columns.values {
		c := &t.columns.values[i]
		if c.quantity == "" {
			continue
		}
		c.unit = orText(c.unit, t.o.unit(c.quantity))
		if c.unit == "" && needsUnit(c.quantity) {
			return fmt.Errorf("the table does not say the unit of %s: set --unit %s=UNIT", quote(t.names[c.at]), c.quantity)
		}
		if _, err := decode.Convert(c.quantity, 0, c.unit); err != nil {
			return fmt.Errorf("column %s: %w", quote(t.names[c.at]), err)
		}
		t.notes = append(t.notes, fmt.Sprintf("%s: column %s in %s", c.quantity, quote(t.names[c.at]),
			orText(c.unit, c.quantity.Unit())))
	}
	return t.findRowUnits()
}

// findRowUnits checks that the rows of a table with a column of quantities have units.
func (t *Table) findRowUnits() error {
	if t.columns.quantity < 0 {
		return nil
	}
	for i := range t.rows {
		l := &t.rows[i]
		q, ok := t.quantityOf(l.text(t.columns.quantity))
		if ok && l.text(t.columns.unit) == "" && needsUnit(q) && t.o.unit(q) == "" &&
			!isNone(l.text(t.columns.values[0].at)) {
			return fmt.Errorf("line %d: the table does not say the unit of %s: set --unit %s=UNIT", l.number, q, q)
		}
	}
	return nil
}

// needsUnit reports whether a quantity is usually written in several units. Particles are in µg/m³, temperatures in
// °C, humidities in %.
func needsUnit(q nhip.Quantity) bool {
	_, gas := q.MolarMass()
	return gas || q == nhip.Pressure || q == nhip.WindSpeed
}

func (o *Options) unit(q nhip.Quantity) string { return orText(o.Units[q], o.defaultUnit(q)) }

// defaultUnit returns the unit for all quantities, where it applies to this one.
func (o *Options) defaultUnit(q nhip.Quantity) string {
	if _, err := decode.Convert(q, 0, o.Units[""]); err != nil {
		return ""
	}
	return o.Units[""]
}

// isUnits reports whether a row contains units: at least one, no number, and no time.
func (t *Table) isUnits(l *line) bool {
	found := false
	for _, c := range t.columns.values {
		text := strings.Trim(l.text(c.at), "()[] ")
		if text == "" || isNone(text) {
			continue
		}
		if !isUnit(text) || looksNumeric(text) {
			return false
		}
		found = true
	}
	return found && !strings.ContainsAny(t.timeText(l), "0123456789")
}

func isUnit(text string) bool {
	for _, q := range unitQuantities {
		if _, err := decode.Convert(q, 0, text); text != "" && err == nil {
			return true
		}
	}
	return false
}

var (
	bracketed = regexp.MustCompile(`^(.*?)\s*[(\[]([^()\[\]]*)[)\]]\s*$`)
	trailing  = regexp.MustCompile(`^(.+?)[\s_,:;-]+([^\s_,:;]+)$`)
)

// cutUnit splits "CO (mg/m³)", "CO [mg/m³]", "CO, mg/m³", "co_ppb" into a name and a unit.
func cutUnit(name string) (plain, unit string) {
	name = strings.ReplaceAll(name, "\n", " ")
	if m := bracketed.FindStringSubmatch(name); m != nil {
		return m[1], strings.TrimSpace(m[2])
	}
	for _, form := range []*regexp.Regexp{trailing} {
		if m := form.FindStringSubmatch(name); m != nil {
			unit := strings.NewReplacer("ugm3", "ug/m3", "µgm3", "µg/m3", "mgm3", "mg/m3").Replace(m[2])
			if isUnit(unit) && strings.Trim(unit, "0123456789") != "" {
				return m[1], unit
			}
		}
	}
	return name, ""
}

// quantityOf returns the quantity of a name.
func (t *Table) quantityOf(name string) (nhip.Quantity, bool) {
	for mapped, q := range t.o.Mapping.Quantities {
		if mapped == name || fold(mapped) == fold(name) {
			return nhip.Quantity(q), true
		}
	}
	q, ok := quantities[foldQuantity(name)]
	return q, ok
}

var afterPM = regexp.MustCompile(`\bpm[ .]+(\d)`)

// foldQuantity folds the name of a quantity: "PM2,5", "pm2_5", "PM 2.5" and "Bụi PM₂.₅" are "pm2.5".
func foldQuantity(name string) string {
	text := fold(name)
	text = strings.NewReplacer(",", ".", "_", ".").Replace(text)
	if strings.Contains(text, "pm") {
		text = strings.ReplaceAll(text, "-", ".")
		text = afterPM.ReplaceAllString(text, "pm$1")
		text = strings.ReplaceAll(text, "pm2 5", "pm2.5")
	} else {
		text = strings.NewReplacer(".", " ", "-", " ").Replace(text)
	}
	for _, word := range []string{"nong do ", "thong so ", "khi ", "bui min ", "bui "} {
		if rest, ok := strings.CutPrefix(text, word); ok {
			if _, known := quantities[text]; !known {
				text = rest
			}
		}
	}
	return strings.TrimSpace(text)
}

// fold writes a name in lower case, without accents, and with single spaces.
func fold(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			b.WriteByte('d')
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	words := strings.Fields(b.String())
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return strings.Trim(strings.Join(words, " "), `:*"' `)
}
