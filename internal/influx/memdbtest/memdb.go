// Package memdbtest is a database in memory that answers what InfluxDB answers, for tests of what is built on
// influx.Source: it shows how little another database has to do.
package memdbtest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"nhip/internal/influx"

	lineprotocol "github.com/influxdata/line-protocol"
)

// DB is a database in memory. Its methods are safe for concurrent use.
type DB struct {
	influx.History

	mu   sync.Mutex
	rows map[string]map[string]*row // by measurement, then by series and time
}

// row is a row: the fields of one series and time.
type row struct {
	time   int64 // ms since 1970
	tags   map[string]string
	fields map[string]influx.Value
}

// New returns an empty database.
func New() *DB {
	db := &DB{rows: make(map[string]map[string]*row)}
	db.History = influx.History{Source: db}
	return db
}

// Write stores lines of line protocol. A row that exists gets the new fields.
func (db *DB) Write(_ context.Context, lines []byte) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	handler := lineprotocol.NewMetricHandler()
	handler.SetTimePrecision(time.Millisecond)
	metrics, err := lineprotocol.NewParser(handler).Parse(lines)
	if err != nil {
		return &influx.WriteError{Kind: influx.Rejected, Err: err}
	}
	for _, m := range metrics {
		db.store(m)
	}
	return nil
}

// store adds a row. A row that exists gets the new fields.
func (db *DB) store(m lineprotocol.Metric) {
	stored := db.rows[m.Name()]
	if stored == nil {
		stored = make(map[string]*row)
		db.rows[m.Name()] = stored
	}
	tags, key := make(map[string]string), fmt.Sprint(m.Time().UnixMilli())
	for _, tag := range m.TagList() { // in the order of their names, because this program writes them so
		tags[tag.Key] = tag.Value
		key += "," + tag.Key + "=" + tag.Value
	}
	if stored[key] == nil {
		stored[key] = &row{m.Time().UnixMilli(), tags, make(map[string]influx.Value)}
	}
	for _, f := range m.FieldList() {
		stored[key].fields[f.Key] = valueOf(f.Value)
	}
}

// valueOf returns a field's value.
func valueOf(v any) influx.Value {
	switch v := v.(type) {
	case float64:
		return influx.FloatValue(v)
	case int64:
		return influx.IntValue(v)
	case bool:
		return influx.BoolValue(v)
	case string:
		return influx.TextValue(v)
	}
	return influx.Value{}
}

// Delete removes a measurement's rows up to until, inclusive.
func (db *DB) Delete(_ context.Context, measurement string, until time.Time) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	maps.DeleteFunc(db.rows[measurement], func(_ string, r *row) bool { return r.time <= until.UnixMilli() })
	return nil
}

// Expiry implements influx.Source: rows do not expire.
func (*DB) Expiry(context.Context) (time.Duration, error) { return 0, nil }

// Select implements influx.Source.
func (db *DB) Select(ctx context.Context, s *influx.Selection, yield func(*influx.Row) error) error {
	for _, r := range apply(s, db.selected(s)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

// selected returns the rows that meet the conditions, by group and in order of time.
func (db *DB) selected(s *influx.Selection) []*row {
	db.mu.Lock()
	defer db.mu.Unlock()
	var rows []*row
	for _, r := range db.rows[s.Measurement] {
		if r.matches(s) {
			rows = append(rows, &row{r.time, r.tags, maps.Clone(r.fields)})
		}
	}
	slices.SortFunc(rows, func(a, b *row) int {
		if s.Newest {
			a, b = b, a
		}
		return cmp.Or(slices.Compare(a.group(s), b.group(s)), cmp.Compare(a.time, b.time))
	})
	return rows
}

// matches reports whether a row meets the conditions and has one of the fields that are read.
func (r *row) matches(s *influx.Selection) bool {
	if r.time < s.From.UnixMilli() || r.time >= s.To.UnixMilli() {
		return false
	}
	for _, w := range s.Where {
		if !slices.Contains(w.Values, r.tags[w.Tag]) {
			return false
		}
	}
	for _, w := range s.Texts {
		if r.fields[w.Field] != influx.TextValue(w.Value) {
			return false
		}
	}
	if s.Function != influx.None {
		_, ok := r.fields[s.Columns[0].Name]
		return ok
	}
	return slices.ContainsFunc(s.Columns, func(c influx.Column) bool { _, ok := r.fields[c.Name]; return ok })
}

// group returns the values of the tags by which a selection groups.
func (r *row) group(s *influx.Selection) []string {
	group := make([]string, len(s.GroupBy))
	for i, tag := range s.GroupBy {
		group[i] = r.tags[tag]
	}
	return group
}

// read returns the row with the columns of a selection.
func (r *row) read(s *influx.Selection) *influx.Row {
	out := &influx.Row{Time: r.time, Tags: r.group(s)}
	for _, c := range s.Columns {
		v := r.fields[c.Name]
		if c.Type == influx.Tag && r.tags[c.Name] != "" {
			v = influx.TextValue(r.tags[c.Name])
		}
		out.Values = append(out.Values, v)
	}
	return out
}

// apply returns the results of the selection's function of rows, or the rows themselves.
func apply(s *influx.Selection, rows []*row) []*influx.Row {
	var out []*influx.Row
	if s.Function == influx.None {
		for _, r := range rows {
			if s.Limit == 0 || len(out) < s.Limit {
				out = append(out, r.read(s))
			}
		}
		return out
	}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && slices.Equal(rows[n].group(s), rows[0].group(s)) && span(s, rows[n]) == span(s, rows[0]) {
			n++
		}
		out = append(out, aggregate(s, rows[:n]))
		rows = rows[n:]
	}
	return out
}

// span returns the begin of the span that a row is counted in.
func span(s *influx.Selection, r *row) int64 {
	if s.Every == 0 {
		return s.From.UnixMilli()
	}
	return r.time - r.time%s.Every.Milliseconds()
}

// aggregate returns the function of the rows of one group and span.
func aggregate(s *influx.Selection, rows []*row) *influx.Row {
	selected := rows[0]
	switch s.Function {
	case influx.Count:
		return &influx.Row{
			Time: span(s, rows[0]), Tags: rows[0].group(s), Values: []influx.Value{influx.IntValue(int64(len(rows)))},
		}
	case influx.Last:
		selected = rows[len(rows)-1]
	case influx.Max:
		number := func(r *row) int64 { n, _ := r.read(s).Int(0); return n }
		selected = slices.MaxFunc(rows, func(a, b *row) int { return cmp.Compare(number(a), number(b)) })
	}
	return selected.read(s)
}
