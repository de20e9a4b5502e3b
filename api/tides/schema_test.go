package tides_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tableSchema is a schema of a table of TIDES (Frictionless Table Schema).
type tableSchema struct {
	Fields []struct {
		Name, Type  string
		Constraints struct {
			Required, Unique bool
			Minimum, Maximum *float64
			Enum             []any
		}
	}
	PrimaryKey  names `json:"primaryKey"`
	ForeignKeys []struct {
		Fields    names
		Reference struct {
			Resource string
			Fields   names
		}
	} `json:"foreignReferences"`
}

// names are one name or several.
type names []string

func (n *names) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*n = make(names, 1)
		return json.Unmarshal(raw, &(*n)[0])
	}
	return json.Unmarshal(raw, (*[]string)(n))
}

func readSchema(t *testing.T, data, table string) (s tableSchema) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, "schemas", "tides", table+".schema.json"))
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// table is a table as text.
type table struct {
	header []string
	rows   [][]string
}

func readTable(t *testing.T, text string) table {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("no table: %v", err)
	}
	return table{rows[0], rows[1:]}
}

// cell returns a cell of a row by its column.
func (x *table) cell(row int, column string) string {
	if i := slices.Index(x.header, column); i >= 0 {
		return x.rows[row][i]
	}
	return ""
}

// key returns some cells of a row, and false if one is empty.
func (x *table) key(row int, columns []string) (string, bool) {
	whole := true
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = x.cell(row, c)
		whole = whole && parts[i] != ""
	}
	return strings.Join(parts, "\x00"), whole
}

// faults returns what is wrong in a table: columns, types, constraints, and keys.
func (s *tableSchema) faults(x *table) (out []string) {
	var columns []string
	for _, f := range s.Fields {
		columns = append(columns, f.Name)
	}
	if !slices.Equal(columns, x.header) {
		return []string{fmt.Sprintf("columns %v, want %v", x.header, columns)}
	}
	for col := range s.Fields {
		f, seen := &s.Fields[col], make(map[string]bool)
		for i := range x.rows {
			text := x.rows[i][col]
			if fault := s.fault(col, text); fault != "" {
				out = append(out, fmt.Sprintf("row %d, %s: %q %s", i+1, f.Name, text, fault))
			}
			if f.Constraints.Unique && seen[text] {
				out = append(out, fmt.Sprintf("row %d, %s: %q is not unique", i+1, f.Name, text))
			}
			seen[text] = true
		}
	}
	keys := make(map[string]bool)
	for i := range x.rows {
		key, whole := x.key(i, s.PrimaryKey)
		if !whole || keys[key] {
			out = append(out, fmt.Sprintf("row %d: primary key %q is not unique", i+1, key))
		}
		keys[key] = true
	}
	return out
}

// fault returns what is wrong with a cell, "" for nothing.
func (s *tableSchema) fault(col int, text string) string {
	f := &s.Fields[col]
	if text == "" {
		if f.Constraints.Required {
			return "is required"
		}
		return ""
	}
	var number float64
	var err error
	switch f.Type {
	case "integer":
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		number = float64(n)
	case "number":
		number, err = strconv.ParseFloat(text, 64)
	case "boolean":
		if text != "true" && text != "false" {
			return "is no boolean"
		}
	case "date":
		_, err = time.Parse("2006-01-02", text)
	case "datetime":
		_, err = time.Parse("2006-01-02T15:04:05Z", text)
	}
	switch {
	case err != nil:
		return err.Error()
	case f.Constraints.Minimum != nil && number < *f.Constraints.Minimum,
		f.Constraints.Maximum != nil && number > *f.Constraints.Maximum:
		return "is out of range"
	case len(f.Constraints.Enum) > 0 && !slices.ContainsFunc(f.Constraints.Enum, func(v any) bool {
		return fmt.Sprint(v) == text
	}):
		return "is not one of the values"
	}
	return ""
}

// strangers returns the references of a table to rows that another table does not have. References to tables that the
// package has not are not checked, nor those to columns that the specification has not.
func (s *tableSchema) strangers(x *table, all map[string]table) (out []string) {
	for _, k := range s.ForeignKeys {
		other, there := all[k.Reference.Resource]
		if !there {
			continue
		}
		known := make(map[string]bool)
		for i := range other.rows {
			key, _ := other.key(i, k.Reference.Fields)
			known[key] = true
		}
		for i := range x.rows {
			if key, whole := x.key(i, k.Fields); whole && !known[key] {
				out = append(out, fmt.Sprintf("row %d: %s has no row %q", i+1, k.Reference.Resource, key))
			}
		}
	}
	return out
}

// checkSchemas compares tables with their schemas in TESTDATA_DIR. It does nothing without it.
func checkSchemas(t *testing.T, all map[string]table) {
	t.Helper()
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		return
	}
	for name, x := range all {
		s := readSchema(t, data, name)
		for i, fault := range append(s.faults(&x), s.strangers(&x, all)...) {
			if t.Errorf("%s: %s", name, fault); i == 5 {
				break
			}
		}
	}
}

// TestSchemaCheckerFindsFaults breaks each rule once.
func TestSchemaCheckerFindsFaults(t *testing.T) {
	var s tableSchema
	const text = `{"fields": [{"name": "id", "type": "string", "constraints": {"required": true, "unique": true}},
		{"name": "n", "type": "integer", "constraints": {"minimum": 1, "maximum": 9}},
		{"name": "at", "type": "datetime"}, {"name": "kind", "type": "string", "constraints": {"enum": ["a"]}}],
		"primaryKey": "id", "foreignReferences": [{"fields": "n", "reference": {"resource": "other", "fields": "n"}}]}`
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	other := map[string]table{"other": {[]string{"n"}, [][]string{{"1"}}}}
	for _, c := range []struct {
		rows   string
		faults int
	}{
		{"x,1,2026-02-16T00:00:00Z,a", 0},
		{"x,,,", 0},
		{",1,,", 2},
		{"x,0,,", 2},
		{"x,10,,", 2},
		{"x,1.5,,", 2},
		{"x,1,2026-02-16 00:00,", 1},
		{"x,1,,b", 1},
		{"x,2,,", 1},
		{"x,1,,\nx,1,,", 2},
	} {
		x := readTable(t, "id,n,at,kind\n"+c.rows+"\n")
		if got := append(s.faults(&x), s.strangers(&x, other)...); len(got) != c.faults {
			t.Errorf("%q: %q, want %d faults", c.rows, got, c.faults)
		}
	}
	if x := readTable(t, "id,n\nx,1\n"); len(s.faults(&x)) != 1 {
		t.Error("other columns are not found")
	}
}
