package officetable

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/csvfile"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
)

func hanoi(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// readings returns the readings of a table as the decoder of the format csv reads its rows, and its faults by line.
func readings(t testing.TB, table *Table) (got []string) {
	t.Helper()
	err := table.Each(func(r Row) error {
		line := strings.Join(Header(), ",") + "\n"
		for i, f := range r.Fields {
			if i > 0 {
				line += ","
			}
			line += `"` + strings.ReplaceAll(strings.Join(strings.Fields(f), " "), `"`, `""`) + `"`
		}
		var facts nhip.Facts
		rejected := r.Fault
		in := decode.Input{
			Topic: "nhip/in/import/csv/file", Payload: []byte(line + "\n"), Feed: new(decode.Feed),
			Reject: func(fault error) {
				if rejected == "" {
					rejected = fault.Error()
				}
			},
		}
		if err := csvfile.Decoder.Decode(in, &facts); err != nil {
			return err
		}
		if r.Fault != "" && len(facts.Readings) > 0 {
			t.Errorf("the decoder accepts the faulty row %q", line)
		}
		for _, f := range facts.Readings {
			got = append(got, fmt.Sprintf("%s %s %.6g %s %s", f.Station, f.Quantity, f.Value,
				f.Time.Format("2006-01-02T15:04"), nhip.FormatPeriod(f.Period)))
		}
		if len(facts.Readings) == 0 {
			got = append(got, fmt.Sprintf("%d! %s", r.Line, rejected))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func utf16Text(text string, order binary.ByteOrder, mark bool) string {
	var b []byte
	if mark {
		text = "\ufeff" + text
	}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, 0, 0)
		order.PutUint16(b[len(b)-2:], u)
	}
	return string(b)
}

const vietnamese = "Thời gian;Trạm;Thông số;Giá trị;Đơn vị\n" +
	"16/02/2026 08:00;Hàng Đậu;PM2,5;69,2;µg/m³\n16/02/2026 24:00;Hàng Đậu;CO;1,25;mg/m³\n"

var vietnameseReadings = []string{
	"Hàng Đậu pm25 69.2 2026-02-16T01:00 1h", "Hàng Đậu co 1250 2026-02-16T17:00 1h",
}

// TestTablesOfOffices reads one table in each form, and compares the readings.
func TestTablesOfOffices(t *testing.T) {
	windows, err := charmap.Windows1258.NewEncoder().String(strings.NewReplacer(
		"ờ", "ơ\u0300", "ạ", "a\u0323", "ố", "ô\u0301", "á", "a\u0301", "ị", "i\u0323", "ậ", "â\u0323").Replace(vietnamese))
	if err != nil {
		t.Fatal(err)
	}
	header, rows, _ := strings.Cut(vietnamese, "\n")
	capitals := strings.ToUpper(header) + "\n"
	for name, c := range map[string]struct {
		text string
		o    Options
		want []string
	}{
		"semicolons":        {vietnamese, Options{}, vietnameseReadings},
		"byte order mark":   {"\ufeff" + vietnamese, Options{}, vietnameseReadings},
		"carriage returns":  {strings.ReplaceAll(vietnamese, "\n", "\r\n"), Options{}, vietnameseReadings},
		"old Macintosh":     {strings.ReplaceAll(vietnamese, "\n", "\r"), Options{}, vietnameseReadings},
		"sep line":          {"sep=;\n" + vietnamese, Options{}, vietnameseReadings},
		"tabs":              {strings.ReplaceAll(vietnamese, ";", "\t"), Options{}, vietnameseReadings},
		"UTF-16":            {utf16Text(vietnamese, binary.LittleEndian, true), Options{}, vietnameseReadings},
		"UTF-16 big":        {utf16Text(vietnamese, binary.BigEndian, true), Options{}, vietnameseReadings},
		"UTF-16 unmarked":   {utf16Text(vietnamese, binary.LittleEndian, false), Options{}, vietnameseReadings},
		"Windows-1258":      {windows, Options{Encoding: "windows-1258"}, vietnameseReadings},
		"titles and blanks": {"BÁO CÁO; tháng 2\n\n;;;;\n" + vietnamese + ";;;;\n", Options{}, vietnameseReadings},
		"capitals": {
			capitals + rows,
			Options{},
			vietnameseReadings,
		},
		"wide with units": {
			"Ngày,Giờ,PM₂.₅ (µg/m³),NO2 [ppb],Ghi chú\n05/02/2026,1,\"1.5\",10,\n13/02/2026,24,,N/A,x\n14/02/2026,7h30,2.5,,\n",
			Options{},
			[]string{
				"file pm25 1.5 2026-02-04T18:00 1h", "file no2 18.8046 2026-02-04T18:00 1h", "file pm25 2.5 2026-02-14T00:30 1h",
			},
		},
		"units in the second row": {
			"Time\tpm2_5\tCO\n\tug/m3\tmg/m3\n2026-02-16 08:00\t12\t0.5\n",
			Options{},
			[]string{"file pm25 12 2026-02-16T01:00 1h", "file co 500 2026-02-16T01:00 1h"},
		},
		"unit by option": {
			"time,pm10,no2\n2026-02-16T08:00:00+07:00,12,10\n",
			Options{Units: map[nhip.Quantity]string{"": "ppb"}},
			[]string{"file pm10 12 2026-02-16T01:00 1h", "file no2 18.8046 2026-02-16T01:00 1h"},
		},
		"Unix times": {
			"timestamp|PM1.0|PM10\n1771203600|1|2\n1771207200000|3|4\n",
			Options{},
			[]string{
				"file pm1 1 2026-02-16T01:00 1h", "file pm10 2 2026-02-16T01:00 1h",
				"file pm1 3 2026-02-16T02:00 1h", "file pm10 4 2026-02-16T02:00 1h",
			},
		},
		"beginning": {
			"time,pm10\n02/16/2026 8:00 AM,12\n02/16/2026 11:00 PM,13\n",
			Options{Beginning: true},
			[]string{"file pm10 12 2026-02-16T02:00 1h", "file pm10 13 2026-02-16T17:00 1h"},
		},
		"clock before date": {
			"Thời điểm,pm10\n08:00 16/02/2026,12\n", Options{}, []string{"file pm10 12 2026-02-16T01:00 1h"},
		},
		"days":     {"Ngày,Bụi PM10\n16/02/2026,12\n", Options{}, []string{"file pm10 12 2026-02-16T17:00 24h"}},
		"two-year": {"Ngày,PM10\n16-02-26,12\n", Options{DateOrder: "dmy"}, []string{"file pm10 12 2026-02-16T17:00 24h"}},
		"thousands": {
			"time;pm10;pressure (Pa)\n2026-02-16 08:00;12,5;101.325\n",
			Options{},
			[]string{"file pm10 12.5 2026-02-16T01:00 1h", "file pressure 101325 2026-02-16T01:00 1h"},
		},
		"wind": {
			"time,WSPM,wd,wind speed (km/h),wind direction (deg)\n2026-02-16 08:00,1.1,wnw,,\n2026-02-16 09:00,,,36,350\n" +
				"2026-02-16 10:00,,up,,\n",
			Options{Mapping: Mapping{Columns: map[string]Column{
				"wind speed (km/h)":    {Quantity: "wind_speed", Unit: "km/h", Station: "b"},
				"wind direction (deg)": {Quantity: "wind_direction", Unit: "deg", Station: "b"},
			}}},
			[]string{
				"file wind_speed 1.1 2026-02-16T01:00 1h", "file wind_direction 292.5 2026-02-16T01:00 1h",
				"b wind_speed 10 2026-02-16T02:00 1h", "b wind_direction 350 2026-02-16T02:00 1h",
				`4! wd: must be a number, got "up"`,
			},
		},
		"Vietnamese points": { // N is south in Vietnamese
			"Thời gian;Hướng gió\n16/02/2026 08:00;N\n16/02/2026 09:00;90\n",
			Options{},
			[]string{`2! Hướng gió: must be a number, got "N"`, "file wind_direction 90 2026-02-16T02:00 1h"},
		},
		"faulty rows alone": {
			"time,pm10\n2026-02-16 08:00,abc\n16/13/2026 09:00,1\n2026-02-16 10:00,7\n2026-02-16 11:00,7,8\nMean,7\n",
			Options{DateOrder: "dmy"},
			[]string{
				`2! pm10: must be a number, got "abc"`, "3! time: 2026-13-16 is not a date", "file pm10 7 2026-02-16T03:00 1h",
				`5! has more fields than the header: "8"`,
				`6! time: must be a date and time, as in 16/02/2026 08:00, got "Mean"`,
			},
		},
		"mapping": {
			"Lúc;Hàng Đậu;Kim Liên\n16/02/2026 08:00;1;2\n",
			Options{Mapping: Mapping{Columns: map[string]Column{
				"Lúc": {Use: "time"}, "Hàng Đậu": {Quantity: "co", Unit: "mg/m³", Station: "hn-01"},
				"Kim Liên": {Quantity: "co", Unit: "mg/m³", Station: "hn-02"},
			}}},
			[]string{"hn-01 co 1000 2026-02-16T01:00 1h", "hn-02 co 2000 2026-02-16T01:00 1h"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Zone = hanoi(t)
			table, err := Open([]byte(c.text), c.o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, readings(t, table)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAmbiguousTablesNameTheOption reads tables that leave a question open: the error names the option.
func TestAmbiguousTablesNameTheOption(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"dates":        {"time,pm10\n03/04/2026 08:00,1\n04/05/2026 08:00,1\n", "--date-order"},
		"two orders":   {"time,pm10\n13/04/2026 08:00,1\n04/15/2026 08:00,1\n", "--date-order"},
		"short years":  {"time,pm10\n13/04/26 08:00,1\n", "--date-order"},
		"gas":          {"time,no2\n2026-02-16 08:00,1\n", "--unit no2=UNIT"},
		"speed":        {"time,wind speed\n2026-02-16 08:00,1\n", "--unit wind_speed=UNIT"},
		"gas in rows":  {"time,quantity,value\n2026-02-16 08:00,pm10,1\n2026-02-16 08:00,CO,1\n", "--unit co=UNIT"},
		"thousands":    {"time;pm10\n2026-02-16 08:00;1,234\n", "--decimal"},
		"both signs":   {"time;pm10\n2026-02-16 08:00;1,5\n2026-02-16 09:00;1.5\n", "--decimal"},
		"encoding":     {"time;pm10;Ghi ch\xfa\n2026-02-16 08:00;1;\n", "--encoding"},
		"two values":   {"time;pm10;PM10 (ug/m3)\n2026-02-16 08:00;1;1\n", "--mapping"},
		"no time":      {"lúc;pm10\n2026-02-16 08:00;1\n", "--mapping"},
		"no quantity":  {"time;bụi rơi\n2026-02-16 08:00;1\n", "--mapping"},
		"old workbook": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xlsx"},
		"empty":        {"", "no table"},
	} {
		_, err := Open([]byte(c.text), Options{Zone: hanoi(t)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	_, err := Open([]byte("time,pm10\n2026-02-16 08:00,1\n"), Options{})
	if err == nil || !strings.Contains(err.Error(), "--zone") {
		t.Errorf("local times: %v", err)
	}
}

// makeWorkbook writes a workbook whose rows are the XML of each sheet.
func makeWorkbook(t testing.TB, sheets map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(name, text string) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	list, rels, n := "", "", 0
	for name, rows := range sheets {
		n++
		list += fmt.Sprintf(`<sheet name=%q sheetId="%d" r:id="rId%d"/>`, name, n, n)
		rels += fmt.Sprintf(`<Relationship Id="rId%d" Target="worksheets/sheet%d.xml"/>`, n, n)
		add(fmt.Sprintf("xl/worksheets/sheet%d.xml", n), `<worksheet><sheetData>`+rows+`</sheetData></worksheet>`)
	}
	add("xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" `+
		`xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>`+list+`</sheets></workbook>`)
	add("xl/_rels/workbook.xml.rels", `<Relationships>`+rels+`</Relationships>`)
	add("xl/sharedStrings.xml", `<sst><si><t>Thời gian</t></si><si><r><t>PM2</t></r><r><t>,5</t></r></si></sst>`)
	add("xl/styles.xml", `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy\ hh:mm"/></numFmts>`+
		`<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/></cellXfs></styleSheet>`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const hourlyRows = `<row r="2"><c r="B2" t="s"><v>0</v></c><c r="C2" t="s"><v>1</v></c></row>` +
	`<row r="3"><c r="B3" s="1"><v>46069.333333333336</v></c><c r="C3"><v>69.2</v></c></row>` +
	`<row r="5"><c r="B5" t="inlineStr"><is><t>16/02/2026 09:00</t></is></c><c r="C5" t="e"><v>#N/A</v></c></row>` +
	`<row r="6"><c r="B6" s="1"><v>46069.416666666664</v></c><c r="C6"><v>1234.567</v></c></row>`

func TestWorkbook(t *testing.T) {
	table, err := Open(makeWorkbook(t, map[string]string{"Tháng 2": hourlyRows}), Options{Zone: hanoi(t)})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"file pm25 69.2 2026-02-16T01:00 1h", "file pm25 1234.57 2026-02-16T03:00 1h"}
	if diff := cmp.Diff(want, readings(t, table)); diff != "" {
		t.Error(diff)
	}
	days := `<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row><row><c s="2"><v>46069</v></c><c><v>1</v></c></row>` +
		`<row><c s="2"><v>46070</v></c><c><v>2</v></c></row>`
	table, err = Open(makeWorkbook(t, map[string]string{"days": days}), Options{Zone: hanoi(t)})
	if err != nil {
		t.Fatal(err)
	}
	want = []string{"file pm25 1 2026-02-16T17:00 24h", "file pm25 2 2026-02-17T17:00 24h"}
	if diff := cmp.Diff(want, readings(t, table)); diff != "" {
		t.Error(diff)
	}
}

// TestWorkbookIsBounded opens workbooks that are damaged, have several sheets, or unpack to more than the bound.
func TestWorkbookIsBounded(t *testing.T) {
	two := makeWorkbook(t, map[string]string{"a": hourlyRows, "b": hourlyRows})
	if _, err := Open(two, Options{Zone: hanoi(t)}); err == nil || !strings.Contains(err.Error(), "--sheet") {
		t.Errorf("two sheets: %v", err)
	}
	if _, err := Open(two, Options{Zone: hanoi(t), Sheet: "b"}); err != nil {
		t.Error(err)
	}
	far := makeWorkbook(t, map[string]string{"a": `<row><c r="XFD1"><v>1</v></c></row>`})
	if _, err := Open(far, Options{}); err == nil || !strings.Contains(err.Error(), "columns") {
		t.Errorf("16,384 columns: %v", err)
	}
	left := int64(10)
	if _, err := (&bounded{strings.NewReader(strings.Repeat("x", 11)), &left}).Read(make([]byte, 20)); err == nil {
		t.Error("reads beyond the bound")
	}
	for n := range len(two) {
		if n%7 == 0 {
			_, _ = Open(two[:n], Options{}) // must not panic
		}
	}
}

func TestMappingIsStrict(t *testing.T) {
	m, err := ReadMapping(strings.NewReader("columns:\n  Bụi: {quantity: pm25, unit: µg/m³}\n  Lúc: {use: time}\n" +
		"quantities: {Bụi mịn: pm25}\nstations: {Hàng Đậu: hn-01}\n"))
	if err != nil || m.Columns["Bụi"].Quantity != nhip.PM25 || m.Stations["Hàng Đậu"] != "hn-01" {
		t.Errorf("%+v, %v", m, err)
	}
	for _, text := range []string{
		"column: {}", "columns: {a: {use: clock}}", "columns: {a: {}}", "columns: {a: {quantity: dust}}",
		"quantities: {a: dust}", strings.Repeat("#", maxMapping+1),
	} {
		if _, err := ReadMapping(strings.NewReader(text)); err == nil {
			t.Errorf("%.40s is accepted", text)
		}
	}
}

// FuzzOpen reads arbitrary files: no panic, and no row that is both faulty and accepted.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(vietnamese), "", false)
	f.Add([]byte(utf16Text(vietnamese, binary.BigEndian, true)), "dmy", true)
	f.Add([]byte("Ngày,Giờ,PM10\n1/2/2026,24,\"1,5\"\n"), "mdy", false)
	f.Add(makeWorkbook(f, map[string]string{"a": hourlyRows}), "", false)
	zone := hanoi(f)
	f.Fuzz(func(t *testing.T, content []byte, order string, beginning bool) {
		table, err := Open(content, Options{Zone: zone, DateOrder: order, Beginning: beginning, Station: "s"})
		if err != nil {
			return
		}
		n := 0
		err = table.Each(func(r Row) error {
			if n++; n > 100 {
				return errors.New("enough")
			}
			if len(r.Fields) != len(Header()) || r.Line < 1 {
				t.Errorf("row %+v", r)
			}
			return nil
		})
		_ = err // only that of the function
	})
}
