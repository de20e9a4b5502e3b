package influx

import (
	"fmt"
	"strings"
	"time"
)

// Selection selects rows of a measurement, or aggregates of them. It is the only way in which this package reads, so
// that another database needs to answer nothing else.
type Selection struct {
	Measurement string
	Columns     []Column       // what is read; at least one is a field
	Where       []TagCondition // rows must meet all
	From, To    time.Time      // From inclusive, To exclusive, in milliseconds
	Limit       int            // maximum number of rows, the oldest first; 0 for all; only without a Function
	Newest      bool           // the newest first
	Texts       []TextCondition

	Function Function      // of the first column; None: the rows themselves
	GroupBy  []string      // tags whose combinations have a result each, or without a Function their rows
	Every    time.Duration // length of the spans that have a count each; 0: one span; only with Count
}

// Function is a function of the values of a column.
type Function string

// The functions. First, Last and Max select a row, whose other columns are read, too.
const (
	None  Function = ""
	Count Function = "count"
	First Function = "first"
	Last  Function = "last"
	Max   Function = "max"
)

// TagCondition is a tag and the values that it may have, as they are stored.
type TagCondition struct {
	Tag    string
	Values []string
}

// TextCondition is a field of text and the value that it must have.
type TextCondition struct{ Field, Value string }

// where returns the condition that a tag has one of the values.
func where(tag string, values ...string) TagCondition {
	stored := make([]string, len(values))
	for i, v := range values {
		stored[i] = tagValue(v)
	}
	return TagCondition{tag, stored}
}

// columnsOf returns the columns of a measurement with the names, in their order. It panics if one does not exist, which
// is a mistake of the caller.
func columnsOf(m Measurement, names ...string) []Column {
	columns := make([]Column, len(names))
	for i, name := range names {
		at := -1
		for j := range m.Columns {
			if m.Columns[j].Name == name {
				at = j
			}
		}
		if at < 0 {
			panic("no column " + name + " in " + m.Name)
		}
		columns[i] = m.Columns[at]
	}
	return columns
}

// influxQL returns the selection as a SELECT statement. Names and values from outside become part of a statement only
// here, quoted.
func (s *Selection) influxQL() string {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range s.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == 0 && s.Function != None {
			fmt.Fprintf(&b, "%s(%s)", s.Function, quoteInfluxQL(c.Name))
		} else {
			fmt.Fprintf(&b, "%s::%s", quoteInfluxQL(c.Name), influxQLTypes[c.Type])
		}
	}
	fmt.Fprintf(&b, " FROM %s WHERE time >= %dms AND time < %dms", quoteInfluxQL(s.Measurement), s.From.UnixMilli(),
		s.To.UnixMilli())
	for _, w := range s.Where {
		b.WriteString(" AND ")
		w.appendInfluxQL(&b)
	}
	for _, w := range s.Texts {
		fmt.Fprintf(&b, " AND %s::string = %s", quoteInfluxQL(w.Field), quoteInfluxQLText(w.Value))
	}
	s.appendGroups(&b)
	if s.Newest {
		b.WriteString(" ORDER BY time DESC")
	}
	if s.Limit > 0 {
		fmt.Fprintf(&b, " LIMIT %d", s.Limit)
	}
	return b.String()
}

// influxQLTypes are the names of the types in a statement. They keep a field apart from a tag with the same name.
var influxQLTypes = map[ColumnType]string{
	Tag: "tag", Float: "float", Int: "integer", String: "string", Bool: "boolean",
}

func (w *TagCondition) appendInfluxQL(b *strings.Builder) {
	b.WriteByte('(')
	for i, v := range w.Values {
		if i > 0 {
			b.WriteString(" OR ")
		}
		fmt.Fprintf(b, "%s::tag = %s", quoteInfluxQL(w.Tag), quoteInfluxQLText(v))
	}
	b.WriteByte(')')
}

func (s *Selection) appendGroups(b *strings.Builder) {
	var groups []string
	if s.Every > 0 {
		groups = append(groups, fmt.Sprintf("time(%dms)", s.Every.Milliseconds()))
	}
	for _, tag := range s.GroupBy {
		groups = append(groups, quoteInfluxQL(tag))
	}
	if len(groups) > 0 {
		b.WriteString(" GROUP BY " + strings.Join(groups, ", "))
	}
	if s.Every > 0 {
		b.WriteString(" fill(none)")
	}
}

// quoteInfluxQL returns name as an InfluxQL identifier.
func quoteInfluxQL(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(name) + `"`
}

// quoteInfluxQLText returns text as an InfluxQL string.
func quoteInfluxQLText(text string) string {
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(text) + `'`
}
